"""One response key under several conditions: for any values of the variables, what is in force is in one variant."""

from __future__ import annotations

import re
from itertools import product

import pytest

from gateway.language.errors import Code, PlanningRefused
from gateway.planning.costs import OUTPUT_VARIANTS_MAX
from gateway.planning.variants import in_series, variants
from gateway.query_graph.selection import Conditions, Selected
from tests.gateway.planning.support.stages import flat

SDL = "type Query { thing: Thing leaf: Int other: Int } type Thing { a: Int b: Int c: Int }"


def selected(text: str) -> list[Selected]:
    """`text`: an operation's selections, under any variables."""
    names = sorted(set(re.findall(r"\$(\w+)", text)))
    head = f"query({', '.join(f'${name}: Boolean!' for name in names)})" if names else "query"
    return list(flat(SDL, f"{head} {text}")[0].selections.fields)


def holds(conditions: Conditions, values: dict[str, bool]) -> bool:
    return all(values[name] is wanted for name, wanted in conditions)


EVERY = [dict(zip("pqr", values, strict=True)) for values in product((True, False), repeat=3)]


@pytest.mark.parametrize(
    "text",
    [
        "{ thing { a } thing { b } }",
        "{ thing @include(if: $p) { a } thing @include(if: $p) { b } }",
        "{ thing { a } thing @include(if: $p) { b } }",
        "{ thing @include(if: $p) { a } thing { b } }",
        "{ thing @include(if: $p) { a } thing @skip(if: $p) { b } }",
        "{ thing @include(if: $p) { a } thing @skip(if: $q) { b } thing @include(if: $r) @skip(if: $p) { c } }",
    ],
)
def test_for_any_values_one_variant_holds_what_is_in_force_or_none_where_nothing_is(text: str) -> None:
    applying = selected(text)
    found = list(variants(applying))
    for values in EVERY:
        in_force = [one for one in applying if holds(one.conditions, values)]
        assert [same for conditions, same in found if holds(conditions, values)] == ([in_force] if in_force else [])


def test_occurrences_under_one_condition_are_one_variant() -> None:
    applying = selected("{ thing @include(if: $p) { a } thing @include(if: $p) { b } }")
    assert list(variants(applying)) == [((("p", True),), applying)]


def test_a_leaf_that_is_always_wanted_first_has_one_variant() -> None:
    always, sometimes = selected("{ leaf leaf @include(if: $p) }")
    assert list(variants([always, sometimes])) == [((), [always])]


def test_a_leaf_whose_place_depends_on_a_variable_has_a_variant_for_each_place() -> None:
    sometimes, always = selected("{ leaf @include(if: $p) leaf }")
    assert [(conditions, same[0]) for conditions, same in variants([sometimes, always])] == [
        ((("p", True),), sometimes),
        ((("p", False),), always),
    ]


def switched(what: str) -> list[Selected]:
    """One key, switched by more variables than variants are made for, and wanted always at last."""
    sometimes = " ".join(what.format(f"@include(if: $v{n})") for n in range(OUTPUT_VARIANTS_MAX + 1))
    return selected(f"{{ {sometimes} {what.format('')} }}")


def test_with_too_many_variables_a_leaf_keeps_one_place() -> None:
    applying = switched("leaf {}")
    assert list(variants(applying)) == [((), [applying[-1]])]


def test_with_too_many_variables_an_object_is_refused() -> None:
    with pytest.raises(PlanningRefused) as refused:
        list(variants(switched("thing {} {{ a }}")))
    assert refused.value.errors[0].code == Code.QUERY_PLAN_COMPLEXITY_EXCEEDED


# In series


def test_in_series_one_field_of_a_key_is_in_force_at_the_place_of_the_first() -> None:
    fields = in_series(selected("{ thing @include(if: $p) { a } leaf thing @skip(if: $q) { b } other leaf }"))
    for values in EVERY:
        there = [one for one in fields if holds(one.conditions, values)]
        wanted = values["p"] or not values["q"]
        assert [one.key for one in there] == (
            ["thing", "leaf", "other"] if values["p"] else ["leaf", "thing", "other"] if wanted else ["leaf", "other"]
        )


def test_in_series_all_that_is_in_force_is_asked_for_below() -> None:
    fields = in_series(selected("{ thing @include(if: $p) { a } thing @skip(if: $q) { b } }"))
    below = {one.conditions: [inner.key for inner in one.children.fields] for one in fields if one.children is not None}
    assert below == {
        (("p", True), ("q", True)): ["a"],
        (("p", True), ("q", False)): ["a", "b"],
        (("p", False), ("q", False)): ["b"],
    }
