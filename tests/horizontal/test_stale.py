"""Stale answers against the one store: rows of the depots that answer as they are, of the others as they were last seen.

Every question is asked once while all depots are up. Then rows change, some depots go down, and it is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.execution.clients import SubgraphClient
from gateway.execution.members import Members
from gateway.execution.stale import MemoryStale
from gateway.pipeline.answer import Answered, Pipeline, PipelineOptions
from gateway.supergraph.model import Wish
from tests.horizontal.budget import budget
from tests.horizontal.checks import (
    CENSUS_PART,
    PAGE,
    PAGE_PARTS,
    check_census,
    check_page,
    check_totals,
    groups_of,
    windowed,
    written_order,
)
from tests.horizontal.city import City
from tests.horizontal.contract import planner, supergraph
from tests.horizontal.rows import Filter, Order, Row, Spread, orders, spreads
from tests.horizontal.store import Store, Window
from tests.horizontal.stub import Room, Rooms, Stub

MORE = 6
STORE_BYTES_MAX = 64 << 20


@lru_cache(maxsize=1)
def keeping() -> tuple[City, MemoryStale]:
    """A gateway that keeps last good answers, and where it keeps them."""
    store, rooms, members = MemoryStale(STORE_BYTES_MAX, age_max_s=3600), Rooms(), Members([])
    clients: dict[str, SubgraphClient | Members] = {"DEPOTS": members, "ROOMS": Stub(rooms)}
    pipeline = Pipeline(supergraph(), clients, planner(), PipelineOptions(stale=store))
    return City(members, rooms, pipeline, {}), store


async def settled(depots: tuple[str, ...], rows: Iterable[Row], rooms: Iterable[Room] = ()) -> City:
    here, store = keeping()
    await store.close()
    return here.settle(depots, rows, list(rooms))


def changed(case: Spread, data: st.DataObject) -> tuple[Row, ...]:
    gone = data.draw(st.sets(st.sampled_from(case.rows)) if case.rows else st.just(set()), "gone")
    return (*(row for row in case.rows if row not in gone), *case.more)


def change(here: City, rows: Iterable[Row], down: set[str]) -> None:
    for code, stub in here.stubs.items():
        here.depot(code).rows[:] = [row for row in rows if row.depot == code]
        stub.is_down = code in down


def last_seen(before: Iterable[Row], after: Iterable[Row], down: set[str]) -> Store:
    return Store([*(row for row in before if row.depot in down), *(row for row in after if row.depot not in down)])


def check_told(answered: Answered, key: str, stale: Iterable[str]) -> None:
    """Each depot whose earlier answer stands in is named, for the field, and nothing else is amiss."""
    assert {str(error.code) for error in answered.errors} <= {"PARTITION_STALE"}
    told = [error.extensions["region"] for error in answered.errors if error.path == (key,)]
    assert sorted(told) == sorted(stale)


def as_if_all_answered(found: dict[str, Any], concerned: Iterable[str], down: set[str], whole: Store) -> dict[str, Any]:
    """Checks what is told of stale depots in a census, and gives it without that."""
    stale = [one["region"] for one in found["sources"] if one["status"] == "STALE"]
    assert stale == [code for code in concerned if code in down]
    if not stale:
        return found
    assert (found["isExact"], found["allPriced"]) == (False, False), "nobody can say `ALL`"
    sources = [{**one, "status": "OK"} for one in found["sources"]]
    all_priced = all(row.price is not None for row in whole.rows)
    return {**found, "sources": sources, "isExact": True, "allPriced": all_priced}


ASKED = (
    """
query Asked(
  $filter: LotFilter, $orderBy: [LotOrder!], $first: Int, $after: String, $last: Int, $before: String, $codes: [ID!]
) {
  lots(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    ...Rows ...Totals
  }
  census(codes: $codes) { ...Whole }
  names(codes: $codes) { name grade lots most }
  prices { price lots }
  depots(codes: $codes) { code lots }
}
"""
    + PAGE_PARTS
    + CENSUS_PART
)


@budget
@given(spreads(more=MORE), orders(), st.integers(0, 8), st.booleans(), st.data())
def test_pages_groups_folds_and_lists(
    case: Spread, order: Order, size: int, backward: bool, data: st.DataObject
) -> None:
    filter_: Filter | None = data.draw(case.filters, "filter")
    codes = data.draw(st.none() | st.lists(st.sampled_from(case.depots)), "codes")
    down = data.draw(st.sets(st.sampled_from(case.depots)), "down")
    after = changed(case, data)
    concerned = tuple(code for code in case.depots if codes is None or code in codes)
    counted = {"last" if backward else "first": size}
    variables = {**windowed(filter_, order, **counted), "codes": codes}

    async def ask() -> Answered:
        here = await settled(case.depots, case.rows)
        await here.data(ASKED, variables)
        change(here, after, down)
        return await here.ask(ASKED, variables, wish=Wish.STALE)

    answered = asyncio.run(ask())
    lots, census = answered.data["lots"], answered.data["census"]
    store = last_seen(case.rows, after, down)
    page, whole = store.where(filter_), store.of(concerned)
    check_page(lots, page.page(order, Window(**counted)), backward=backward)
    check_totals(lots, page)
    stale = [one["region"] for one in lots["sources"] if one["status"] == "STALE"]
    assert set(stale) == down & {one["region"] for one in lots["sources"]}
    assert lots["totalIsExact"] is not bool(stale)
    check_told(answered, "lots", stale)
    check_census(as_if_all_answered(census, concerned, down, whole), whole, concerned)
    check_told(answered, "census", [code for code in concerned if code in down])
    assert groups_of(answered.data["names"], "name", "grade") == {
        identity: {"lots": len(same.rows), "most": same.greatest("count")}
        for identity, same in whole.groups("name", "grade").items()
    }
    assert groups_of(answered.data["prices"], "price", price=Fraction) == {
        identity: {"lots": len(same.rows)} for identity, same in store.groups("price").items()
    }
    check_told(answered, "prices", down)
    assert answered.data["depots"] == [{"code": code, "lots": len(store.of([code]).rows)} for code in concerned]


KEYS = """
query Keys($id: ID!, $ids: [ID!]!, $by: [LotOrder!]) {
  lot(id: $id) { id name price }
  noted(ids: $ids) { id name price }
  room(id: "room:0") { lots(orderBy: $by, first: 3) { nodes { id } } census { lots } }
}
"""


@budget
@given(spreads(more=MORE), orders(), st.data())
def test_rows_by_key_and_an_overlay_of_them(case: Spread, order: Order, data: st.DataObject) -> None:
    down = data.draw(st.sets(st.sampled_from(case.depots)), "down")
    shown = tuple(sorted(data.draw(st.sets(st.sampled_from(case.depots), min_size=1), "shown")))
    after = changed(case, data)
    ids = st.sampled_from([row.id for row in (*case.rows, *case.more)])
    one, several = data.draw(ids, "id"), data.draw(st.lists(ids, max_size=8), "ids")
    variables = {"id": one, "ids": several, "by": written_order(order)}

    async def ask() -> Answered:
        here = await settled(case.depots, case.rows, [(shown, None)])
        await here.data(KEYS, variables)
        change(here, after, down)
        return await here.ask(KEYS, variables, wish=Wish.STALE)

    answered = asyncio.run(ask())
    store = last_seen(case.rows, after, down)

    def values(id_: str) -> dict[str, Any] | None:
        row = store.by_id(id_)
        return row and {"id": id_, "name": row.name, "price": row.price}

    assert answered.data["lot"] == values(one)
    assert answered.data["noted"] == [values(id_) or {"id": id_, "name": None, "price": None} for id_ in several]
    whole = store.of(shown)
    room = answered.data["room"]
    assert [node["id"] for node in room["lots"]["nodes"]] == whole.page(order, Window(first=3)).ids
    assert room["census"]["lots"] == len(whole.rows)
    check_told(answered, "lot", down & {one.split(":")[1]})
    check_told(answered, "noted", down & {id_.split(":")[1] for id_ in several})


@budget
@given(spreads(), orders(), st.integers(1, 6), st.booleans(), st.data())
def test_a_walk_that_was_walked_before_is_walked_again_while_depots_are_down(
    case: Spread, order: Order, size: int, backward: bool, data: st.DataObject
) -> None:
    down = data.draw(st.sets(st.sampled_from(case.depots)), "down")

    async def walk(here: City, wish: Wish) -> tuple[list[str], set[str]]:
        found: list[str] = []
        codes: set[str] = set()
        anchor: str | None = None
        while True:
            window = {"last": size, "before": anchor} if backward else {"first": size, "after": anchor}
            answered = await here.ask(PAGE, windowed(None, order, **window), wish=wish)
            codes |= {str(error.code) for error in answered.errors}
            page = answered.data["lots"]
            ids = [node["id"] for node in page["nodes"]]
            found = ids + found if backward else found + ids
            if not page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
                return found, codes
            anchor = page["pageInfo"]["startCursor" if backward else "endCursor"]

    async def twice() -> tuple[list[str], set[str]]:
        here = await settled(case.depots, case.rows)
        await walk(here, Wish.PARTIAL)
        change(here, case.rows, down)
        return await walk(here, Wish.STALE)

    found, codes = asyncio.run(twice())
    assert found == Store(case.rows).page(order, Window(first=len(case.rows))).ids
    assert codes == ({"PARTITION_STALE"} if down else set())
