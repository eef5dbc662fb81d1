"""What every store must equal: filters, orders and pages computed on canonical rows in memory.

Strategies draw requests out of the values that really occur in the rows, and some that do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import groups_of, position_key, predicate, row_key, sorted_rows
from adapters.model import (
    And,
    Compare,
    Filter,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    OrderTerm,
    PageRequest,
    Position,
    Row,
    Store,
    TextContains,
    TextMatch,
    TextPrefix,
    UnderClass,
)
from contract.order import Direction, Kind, SortValue

Keyed = tuple[Row, tuple[SortValue, ...]]

TEXTS = ("code", "name", "specification", "brand", "model", "serialNumber")
DECIMALS = ("quantity", "originalValue", "netValue")
ENUMS = ("status", "condition", "source", "acquisition")
REFERENCES = ("owner", "warehouse")
ORDERABLE = tuple(name for name, spec in CANONICAL_FIELDS.items() if spec.orderable)


def _seen(rows: Sequence[Keyed], name: str) -> list[Any]:
    return sorted({row[name] for row, _ in rows if row[name] is not None}) or ["1"]


def filters(rows: Sequence[Keyed]) -> st.SearchStrategy[Filter]:
    texts = st.sampled_from(TEXTS).flatmap(
        lambda name: st.sampled_from(_seen(rows, name)).flatmap(
            lambda value: st.sampled_from(
                [
                    Compare(name, "eq", value),
                    In(name, (value, "没有")),
                    TextContains(name, value[1:3]),
                    TextPrefix(name, value[:2]),
                    TextContains(name, ""),
                    IsNull(name),
                ]
            )
        )
    )
    numbers = st.builds(
        lambda name, op, value, cents: Compare(name, op, value + cents),
        st.sampled_from(DECIMALS),
        st.sampled_from(("eq", "gt", "gte", "lt", "lte")),
        st.sampled_from([Decimal(value) for name in DECIMALS for value in _seen(rows, name)]),
        st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("-0.005"), Decimal("1e-18"), Decimal(-1)]),
    )
    days = st.builds(
        lambda op, value: Compare("acquiredOn", op, value),
        st.sampled_from(("eq", "gt", "gte", "lt", "lte")),
        st.sampled_from([*_seen(rows, "acquiredOn"), "2020-02-29"]),
    )
    enums = st.sampled_from(ENUMS).flatmap(
        lambda name: st.lists(st.sampled_from(CANONICAL_FIELDS[name].values), max_size=3).map(
            lambda values: In(name, tuple(values))
        )
    )
    references = st.sampled_from(REFERENCES).flatmap(
        lambda name: st.sampled_from([*_seen(rows, name), "?"]).map(lambda value: Compare(name, "eq", value))
    )
    leaves: st.SearchStrategy[Filter] = st.one_of(
        texts,
        numbers,
        days,
        enums,
        references,
        st.sampled_from(
            [
                Compare("shareable", "eq", True),
                Compare("shareable", "eq", False),
                IsNull("classCode"),
                UnderClass(("A0201",)),
                UnderClass(("A02010105", "A05")),
                IsNull("acquiredOn"),
                IsNull("netValue"),
                IsNull("status"),
                IsNull("owner"),
                Nothing(),
                HasIssues(True),
                TextMatch((("桌", "台式"), ("a", "1", "办公"))),
                And(()),
                Or(()),
            ]
        ),
        st.sampled_from([row["native"] for row, _ in rows]).map(lambda native: KeyIn((native, "none"))),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=5,
    )


orders = st.lists(
    st.builds(OrderTerm, st.sampled_from(ORDERABLE), st.sampled_from(Direction)),
    max_size=3,
    unique_by=lambda t: t.field,
).map(tuple)


def positions(rows: Sequence[Keyed], order: Sequence[OrderTerm]) -> st.SearchStrategy[Position | None]:
    from adapters.evaluate import order_value

    def place(pair: Keyed, whole: bool, inclusive: bool) -> Position:
        values = tuple(order_value(term.field, pair[0]) for term in order)
        return Position(values, None, inclusive) if whole else Position(values, pair[1], False)

    return st.one_of(st.none(), st.builds(place, st.sampled_from(rows), st.booleans(), st.booleans()))


@st.composite
def requests(draw: st.DrawFn, rows: Sequence[Keyed]) -> PageRequest:
    order = draw(orders)
    return PageRequest(
        filter=draw(st.one_of(st.none(), filters(rows))),
        order=order,
        limit=draw(st.integers(1, 40)),
        backward=draw(st.booleans()),
        after=draw(positions(rows, order)),
        before=draw(positions(rows, order)),
    )


def expected_page(rows: Sequence[Keyed], request: PageRequest, kinds: tuple[Kind, ...]) -> tuple[list[str], bool]:
    """(native keys of the page, whether more rows lie beyond it)."""
    keep = predicate(request.filter)
    found = []
    for row, native in sorted_rows(rows, request.order, kinds):
        key = row_key(row, native, request.order, kinds)
        if request.after is not None and not key > position_key(request.after, request.order, kinds):
            continue
        if request.before is not None and not key < position_key(request.before, request.order, kinds):
            continue
        if keep(row):
            found.append(row["native"])
    page = found[-request.limit :] if request.backward else found[: request.limit]
    return page, len(found) > request.limit


async def check_request(store: Store, rows: Sequence[Keyed], request: PageRequest) -> None:
    page = await store.page(request)
    natives, more = expected_page(rows, request, store.native_kinds)
    assert [row["native"] for row in page.rows] == natives
    assert page.has_more is more
    by_native = {row["native"]: (row, native) for row, native in rows}
    for row, native in zip(page.rows, page.native_values, strict=True):
        wanted, wanted_native = by_native[row["native"]]
        assert native == wanted_native
        assert {**row, "observedAt": None} == {**wanted, "observedAt": None}


async def check_counts(store: Store, rows: Sequence[Keyed], filter_: Filter | None) -> None:
    keep = predicate(filter_)
    kept = [row for row, _ in rows if keep(row)]
    assert await store.count(filter_) == len(kept)
    for by in ((), ("status",), ("classTop", "status"), ("shareable", "owner")):
        assert list(await store.groups(by, filter_)) == groups_of(kept, by)
