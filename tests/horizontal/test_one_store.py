"""The oracle of horizontal federation: whatever is asked, the answer is that of one store that holds all rows.

Hard rows, spread over one to fourteen depots; everything that a contract can gather. `store` is the other side.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.execution.page_sizes import SIZED_FROM
from tests.horizontal.budget import budget
from tests.horizontal.checks import (
    CENSUS_PART,
    PAGE,
    PAGE_IN_ROOM,
    PAGE_PARTS,
    check_census,
    check_page,
    check_totals,
    groups_of,
    windowed,
    written,
    written_order,
)
from tests.horizontal.city import City, city, new_city
from tests.horizontal.rows import CODES, FIELDS, Order, Row, Spread, orders, random_rows, spreads
from tests.horizontal.store import Store, Window
from tests.horizontal.stub import Room

ALL = 1000
"""More rows than any case has."""


@budget
@given(spreads(), orders(), st.data())
def test_a_page_between_any_two_rows(case: Spread, order: Order, data: st.DataObject) -> None:
    depots, rows = case.depots, case.rows
    filter_ = data.draw(case.filters, "filter")
    whole = Store(rows).where(filter_)

    async def compare() -> None:
        here = city().settle(depots, rows)
        every = (await here.data(PAGE, windowed(filter_, order, first=ALL)))["lots"]
        check_page(every, whole.page(order, Window()), backward=False)
        check_totals(every, whole)
        assert every["totalIsExact"] is True
        cursors = {edge["node"]["id"]: edge["cursor"] for edge in every["edges"]}
        anchors = st.none() | st.sampled_from(whole.rows) if whole.rows else st.none()
        after, before = data.draw(anchors, "after"), data.draw(anchors, "before")
        size, backward = data.draw(st.integers(0, 8), "size"), data.draw(st.booleans(), "backward")
        counted = {"last" if backward else "first": size}
        asked = {"after": after and cursors[after.id], "before": before and cursors[before.id], **counted}
        page = (await here.data(PAGE, windowed(filter_, order, **asked)))["lots"]
        check_page(page, whole.page(order, Window(after=after, before=before, **counted)), backward=backward)
        check_totals(page, whole)

    asyncio.run(compare())


@pytest.mark.parametrize("in_room", [False, True], ids=["at the root", "in a room"])
@budget
@given(st.sets(st.sampled_from(CODES), min_size=2, max_size=5), orders() | st.just(()), st.randoms(), st.data())
def test_a_page_of_members_that_are_asked_for_fewer_rows_than_it_has(
    in_room: bool, chosen: set[str], order: Order, random: Random, data: st.DataObject
) -> None:
    """What earlier pages took of a member is a guess, and may be any: without an order, each takes all from one depot."""
    depots, size = tuple(sorted(chosen)), data.draw(st.integers(SIZED_FROM, 2 * SIZED_FROM), "size")
    rows = tuple(random_rows(random, depots, each=2 * SIZED_FROM))
    whole = Store(rows).where(None)
    query = PAGE_IN_ROOM if in_room else PAGE

    async def compare() -> None:
        here = new_city().settle(depots, rows, [(depots, None)])

        async def lots(**window: Any) -> Any:
            found = await here.data(query, windowed(None, order, **window))
            return (found["room"] if in_room else found)["lots"]

        cursors = {edge["node"]["id"]: edge["cursor"] for edge in (await lots(first=ALL))["edges"]}
        for _ in range(5):
            after = data.draw(st.none() | st.sampled_from(whole.rows), "after")
            page = await lots(first=size, after=after and cursors[after.id])
            check_page(page, whole.page(order, Window(after=after, first=size)), backward=False)
            check_totals(page, whole)
            assert page["totalIsExact"] is True

    asyncio.run(compare())


ALIASES = (
    """
query Aliases($one: LotFilter, $two: LotFilter, $by: [LotOrder!], $size: Int, $with: Boolean!) {
  some: lots(filter: $one, orderBy: $by, first: $size) { ...Rows }
  ...Others
  ... on Query @include(if: $with) { some: lots(filter: $one, orderBy: $by, first: $size) { totalCount } }
}
fragment Others on Query {
  others: lots(filter: $two, last: $size, orderBy: $by) { ...Rows }
  counted: lots(filter: $two, first: 0) { ...Totals }
}
"""
    + PAGE_PARTS
)


@budget
@given(spreads(), orders(), st.integers(0, 6), st.booleans(), st.data())
def test_one_field_under_several_aliases_and_in_fragments(
    case: Spread, order: Order, size: int, with_total: bool, data: st.DataObject
) -> None:
    depots, rows = case.depots, case.rows
    one, two = data.draw(case.filters, "one"), data.draw(case.filters, "two")
    variables = {"one": one, "two": two, "by": written_order(order), "size": size, "with": with_total}
    found = asyncio.run(city().settle(depots, rows).data(ALIASES, variables))
    some, others = Store(rows).where(one), Store(rows).where(two)
    check_page(found["some"], some.page(order, Window(first=size)), backward=False)
    assert found["some"].get("totalCount") == (len(some.rows) if with_total else None)
    check_page(found["others"], others.page(order, Window(last=size)), backward=True)
    check_totals(found["counted"], others)


CENSUS = (
    """
query Census($codes: [ID!]) {
  census(codes: $codes) { ...Whole }
  names(codes: $codes) { name grade lots most }
  depots(codes: $codes) { code lots }
  prices { price lots }
  motto
}
"""
    + CENSUS_PART
)


@budget
@given(spreads(), st.data())
def test_folds_groups_lists_and_one(case: Spread, data: st.DataObject) -> None:
    depots, rows = case.depots, case.rows
    codes = data.draw(st.none() | st.lists(st.sampled_from(depots)), "codes")
    concerned = tuple(code for code in depots if codes is None or code in codes)
    whole = Store(rows).of(concerned)
    found = asyncio.run(city().settle(depots, rows).data(CENSUS, {"codes": codes}))
    check_census(found["census"], whole, concerned)
    assert groups_of(found["names"], "name", "grade") == {
        identity: {"lots": len(same.rows), "most": same.greatest("count")}
        for identity, same in whole.groups("name", "grade").items()
    }
    assert found["depots"] == [{"code": code, "lots": len(Store(rows).of([code]).rows)} for code in concerned]
    assert groups_of(found["prices"], "price", price=Fraction) == {
        identity: {"lots": len(same.rows)} for identity, same in Store(rows).groups("price").items()
    }
    assert found["motto"] == "each lot in its depot"


# Rows by key

KEYS = """
query Keys($id: ID!, $ids: [ID!]!) {
  lot(id: $id) { id name price note }
  node(id: $id) { __typename id ... on Lot { name price depot { code } } }
  noted(ids: $ids) { id note name price count made seen grade depot { code } }
}
"""

NOTHING = dict.fromkeys((*FIELDS.values(), "depot"))
"""What is known of a lot that its depot does not have: the key, from whoever named it."""


@budget
@given(spreads(), st.data())
def test_lookups_by_key(case: Spread, data: st.DataObject) -> None:
    depots, rows = case.depots, case.rows
    store = Store(rows)
    unknown = st.sampled_from(depots).map(lambda code: f"lot:{code}:9999")
    ids = st.sampled_from([row.id for row in rows]) | unknown if rows else unknown
    one, several = data.draw(ids, "id"), data.draw(st.lists(ids, max_size=12), "ids")
    here = city().settle(depots, rows)
    found = asyncio.run(here.data(KEYS, {"id": one, "ids": several}))
    row = store.by_id(one)
    values = {name: row and getattr(row, name) for name in ("name", "price")}
    assert found["lot"] == (row and {"id": one, **values, "note": f"noted: {one}"})
    assert found["node"] == {"__typename": "Lot", "id": one, **values, "depot": row and {"code": row.depot}}
    for id_, lot in zip(several, found["noted"], strict=True):
        held = store.by_id(id_)
        assert lot == {**(NOTHING if held is None else written(held)), "id": id_, "note": f"noted: {id_}"}
    assert_one_batch_for_each_depot(here, [one, *several])


def assert_one_batch_for_each_depot(here: City, ids: list[str]) -> None:
    """At most one request for the routed lookup, and one for each list of keys; none to a depot that has none."""
    concerned = {id_.split(":")[1] for id_ in ids}
    for code, stub in here.stubs.items():
        assert len(stub.asked) <= 3
        assert bool(stub.asked) == (code in concerned)


def test_an_id_of_no_region_is_a_coded_error_never_a_broadcast() -> None:
    here = city().settle(("A", "Z"), [Row("A", "k", "same")])
    query = "query($id: ID!) { node(id: $id) { id ... on Lot { name note } } lot(id: $id) { name } noted(ids: [$id]) { name } }"
    answered = asyncio.run(here.ask(query, {"id": "lot:nowhere:1"}))
    assert {str(error.code) for error in answered.errors} == {"UNKNOWN_REGION"}
    assert {error.path[:1] for error in answered.errors if error.path} == {("node",), ("lot",), ("noted",)}
    assert answered.data == {
        "node": {"id": "lot:nowhere:1", "name": None, "note": "noted: lot:nowhere:1"},
        "lot": None,
        "noted": [{"name": None}],
    }
    assert not any(stub.asked for stub in here.stubs.values())


# An overlay type with gathered fields: in lists, below one another, in named fragments

ROOMS = (
    """
query Rooms($by: [LotOrder!], $size: Int) {
  rooms { ...Shown next { label next { ...Shown } } }
  room(id: "room:0") { ... on Room { ...Shown } latest: lots(orderBy: $by, last: $size) { ...Rows } }
  node(id: "room:0") { ...Named }
}
fragment Shown on Room { id ...Lots census { ...Whole } }
fragment Lots on Room { lots(orderBy: $by, first: $size) { ...Rows ...Totals } }
fragment Named on Node { id ... on Room { label lots(orderBy: $by, first: $size) { ...Rows } } }
"""
    + PAGE_PARTS
    + CENSUS_PART
)


def rooms(depots: tuple[str, ...]) -> st.SearchStrategy[list[Room]]:
    shown = st.sets(st.sampled_from(depots)).map(lambda some: tuple(sorted(some)))
    return st.lists(st.tuples(shown, st.sampled_from((None, "FINE", "POOR"))), min_size=1, max_size=3)


@budget
@given(spreads(), orders(), st.integers(0, 5), st.data())
def test_an_overlay_type_whose_fields_are_gathered(case: Spread, order: Order, size: int, data: st.DataObject) -> None:
    depots, rows = case.depots, case.rows
    all_rooms = data.draw(rooms(depots), "rooms")
    found = asyncio.run(city().settle(depots, rows, all_rooms).data(ROOMS, {"by": written_order(order), "size": size}))

    def check(shown: dict[str, Any], place: int) -> None:
        assert shown["id"] == f"room:{place}"
        concerned, grade = all_rooms[place]
        whole = Store(rows).of(concerned).where(None if grade is None else {"grade": grade})
        check_page(shown["lots"], whole.page(order, Window(first=size)), backward=False)
        if "census" in shown:
            check_totals(shown["lots"], whole)
            check_census(shown["census"], whole, concerned)
        if "latest" in shown:
            check_page(shown["latest"], whole.page(order, Window(last=size)), backward=True)

    for place, room in enumerate(found["rooms"]):
        check(room, place)
        assert room["next"]["label"] == f"room {(place + 1) % len(all_rooms)}"
        check(room["next"]["next"], (place + 2) % len(all_rooms))
    check(found["room"], 0)
    check(found["node"], 0)


SHOWN = (
    "query Shown($by: [LotOrder!], $size: Int) { rooms { lots(orderBy: $by, first: $size) { ...Rows ...Totals } } }"
    + PAGE_PARTS
)


@budget
@given(st.sets(st.sampled_from(CODES), min_size=2, max_size=5), orders() | st.just(()), st.randoms(), st.data())
def test_pages_of_several_rooms_whose_members_are_asked_for_fewer_rows_than_they_have(
    chosen: set[str], order: Order, random: Random, data: st.DataObject
) -> None:
    """Each room has a rule of its own, and in each round they are others."""
    depots, size = tuple(sorted(chosen)), data.draw(st.integers(SIZED_FROM, 2 * SIZED_FROM), "size")
    rows = tuple(random_rows(random, depots, each=2 * SIZED_FROM))

    async def compare() -> None:
        here = new_city().settle(depots, rows)
        for _ in range(4):
            here.rooms.rooms = data.draw(rooms(depots), "rooms")
            found = await here.data(SHOWN, {"by": written_order(order), "size": size})
            for (concerned, grade), room in zip(here.rooms.rooms, found["rooms"], strict=True):
                whole = Store(rows).of(concerned).where(None if grade is None else {"grade": grade})
                check_page(room["lots"], whole.page(order, Window(first=size)), backward=False)
                check_totals(room["lots"], whole)

    asyncio.run(compare())


def test_every_region_of_these_tests_is_a_place_in_the_order() -> None:
    """Code points order the regions, not length, case or number: the fixed case behind the properties above."""
    rows = [Row(code, 1 if CODES.index(code) % 2 == 0 else "k", "same") for code in reversed(CODES)]
    found = asyncio.run(city().settle(CODES, rows).data("{ lots(orderBy: [{ field: NAME }]) { nodes { id } } }"))
    expected = ["0", "10", "2", "9", "A", "B", "Z", "a", "a-1", "b", "m", "x", "xy", "z"]
    assert [node["id"].split(":")[1] for node in found["lots"]["nodes"]] == expected
