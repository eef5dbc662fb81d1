"""The oracle of horizontal federation: every answer is what one store holding all rows would give."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.support.gateway import Gateway
from tests.gateway.support.library import NAMES, Library, Row, member_connection, sort_rows
from tests.gateway.support.paging import place

TITLES = st.sampled_from([None, "", "a", "b", "中", "中文", "𠀀", "\uff41", "Ab"])
PRICES = st.sampled_from([None, "0.00", "-3.50", "7", "7.10", "100", "99999999999999999999.99"])
PAGES = st.sampled_from([None, -1, 0, 5, 5, 900])
ORDERS = st.lists(st.tuples(st.sampled_from(["TITLE", "PRICE", "PAGES"]), st.sampled_from(["ASC", "DESC"])), max_size=2)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Row, ...]:
    drawn = draw(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), TITLES, PRICES, PAGES), max_size=24))
    return tuple(Row(branch, key, title, price, pages) for key, (branch, title, price, pages) in enumerate(drawn))


PAGE = """
query Page($order: [BookOrder!], $filter: BookFilter, $first: Int, $after: String, $last: Int, $before: String) {
  books(orderBy: $order, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id } }
    nodes { id title price pages }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount totalIsExact
    facets { title count }
  }
}
"""


def ordered(order: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"field": field, "direction": direction} for field, direction in order]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows(), ORDERS, st.integers(1, 7), st.booleans())
def test_a_walk_in_either_direction_gives_every_row_once_in_order(
    all_rows: tuple[Row, ...], order: list[tuple[str, str]], size: int, backward: bool
) -> None:
    expected = [row.id for row in sort_rows(all_rows, order)]

    async def walk() -> list[str]:
        found: list[str] = []
        async with Library(rows=all_rows) as library:
            gateway, anchor = Gateway(library), None
            while True:
                paging = {"last": size, "before": anchor} if backward else {"first": size, "after": anchor}
                page = (await gateway.data(PAGE, {"order": ordered(order), **paging}))["books"]
                ids = [node["id"] for node in page["nodes"]]
                assert [edge["node"]["id"] for edge in page["edges"]] == ids
                assert page["totalCount"] == len(all_rows)
                info = page["pageInfo"]
                found = ids + found if backward else found + ids
                if not info["hasPreviousPage" if backward else "hasNextPage"]:
                    return found
                assert ids
                anchor = info["startCursor" if backward else "endCursor"]

    assert asyncio.run(walk()) == expected


FILTERS = st.one_of(
    st.none(),
    st.fixed_dictionaries({"title": st.sampled_from(["a", "中", "none"])}),
    st.fixed_dictionaries({"branch": st.fixed_dictionaries({"in": st.lists(st.sampled_from(sorted(NAMES)))})}),
    st.fixed_dictionaries({"branch": st.fixed_dictionaries({"eq": st.sampled_from(sorted(NAMES))})}),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows(), ORDERS, FILTERS, st.integers(0, 9))
def test_a_page_is_the_page_of_one_store(
    all_rows: tuple[Row, ...], order: list[tuple[str, str]], filter_: Any, first: int
) -> None:
    arguments = {"orderBy": ordered(order), "filter": filter_, "first": first}
    expected = member_connection(all_rows, arguments)

    async def ask() -> Any:
        async with Library(rows=all_rows) as library:
            return (await Gateway(library).data(PAGE, {"order": ordered(order), "filter": filter_, "first": first}))[
                "books"
            ]

    page = asyncio.run(ask())
    assert page["nodes"] == [{key: row[key] for key in ("id", "title", "price", "pages")} for row in expected["nodes"]]
    assert [place(edge["cursor"]) for edge in page["edges"]] == [place(edge["cursor"]) for edge in expected["edges"]]
    assert page["totalCount"] == expected["totalCount"]
    assert page["totalIsExact"] is True
    assert page["pageInfo"]["hasNextPage"] == expected["pageInfo"]["hasNextPage"]
    assert sorted(page["facets"], key=repr) == sorted(expected["facets"], key=repr)
