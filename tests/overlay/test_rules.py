"""A rule spelled out means what its parts mean, and pruning by region never loses a row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.regions import REGIONS
from overlay.warehouses.rules import CONDITIONS_MAX, Definition, RuleTooLarge, regions_of, spell_out

ROWS = [
    {"id": f"asset:{region}:{status}", "region": region, "status": status}
    for region in REGIONS
    for status in ("IDLE", "IN_STORE", "LENT")
]
regions = st.sampled_from(sorted(REGIONS))
leaves = st.one_of(
    st.fixed_dictionaries({"region": st.fixed_dictionaries({"eq": regions})}),
    st.fixed_dictionaries({"region": st.fixed_dictionaries({"in": st.lists(regions, max_size=3)})}),
    st.fixed_dictionaries({"id": st.fixed_dictionaries({"eq": st.sampled_from([row["id"] for row in ROWS])})}),
    st.fixed_dictionaries({"status": st.fixed_dictionaries({"eq": st.sampled_from(["IDLE", "IN_STORE"])})}),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.builds(lambda one, other: {**one, **other}, inner, leaves),
    ),
    max_leaves=8,
)


def matches(filter_: dict[str, Any], row: dict[str, str]) -> bool:
    """What a filter means: every field given must hold."""
    for name, condition in filter_.items():
        if name == "and":
            holds = all(matches(part, row) for part in condition)
        elif name == "or":
            holds = any(matches(part, row) for part in condition)
        elif name == "not":
            holds = not matches(condition, row)
        else:
            holds = all(row[name] == v if op == "eq" else row[name] in v for op, v in condition.items())
        if not holds:
            return False
    return True


def selected(filter_: dict[str, Any]) -> set[str]:
    return {row["id"] for row in ROWS if matches(filter_, row)}


@given(filters)
def test_the_regions_of_a_rule_leave_out_no_row(filter_: dict[str, Any]) -> None:
    concerned = regions_of(filter_)
    if concerned is not None:
        assert {row["region"] for row in ROWS if matches(filter_, row)} <= set(concerned)


@given(own=st.none() | filters, others=st.lists(filters, min_size=3, max_size=6), data=st.data())
def test_a_rule_means_the_sets_it_is_made_of(
    own: dict[str, Any] | None, others: list[dict[str, Any]], data: Any
) -> None:
    names = {f"vw:{index}": Definition(filter_) for index, filter_ in enumerate(others)}
    pick = st.lists(st.sampled_from(sorted(names)), max_size=2).map(tuple)
    definition = Definition(own, data.draw(pick), data.draw(pick), data.draw(pick))
    if definition.is_empty:
        return
    united = [selected(own)] if own is not None else []
    united += [selected(names[name].filter or {}) for name in definition.union]
    expected = set().union(*united) if united else selected({})
    for name in definition.intersection:
        expected &= selected(names[name].filter or {})
    for name in definition.difference:
        expected -= selected(names[name].filter or {})
    assert selected(spell_out(definition, names.__getitem__)) == expected


def test_regions_are_read_where_they_are_certain() -> None:
    assert regions_of({"region": {"in": ["330106", "330102"]}, "status": {"eq": "IDLE"}}) == ["330102", "330106"]
    assert regions_of({"or": [{"region": {"eq": "330106"}}, {"id": {"eq": "asset:330102:x"}}]}) == ["330102", "330106"]
    assert regions_of({"or": [{"region": {"eq": "330106"}}, {"status": {"eq": "IDLE"}}]}) is None
    assert regions_of({"not": {"region": {"eq": "330106"}}}) is None


def test_a_rule_too_large_for_the_members_is_refused() -> None:
    many = {"or": [{"id": {"in": [f"asset:330106:{n}" for n in range(CONDITIONS_MAX + 1)]}}]}
    with pytest.raises(RuleTooLarge):
        spell_out(Definition(many), {}.__getitem__)
    deep: dict[str, Any] = {"status": {"eq": "IDLE"}}
    for _ in range(20):
        deep = {"not": deep}
    with pytest.raises(RuleTooLarge):
        spell_out(Definition(deep), {}.__getitem__)
