"""Walks in both directions with pages of changing size: over rows that stay, over rows that change, over members that
fail and come back. `walk` has the rule, and judges every page. Lots at the root and lots of a room keep to one rule."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import cycle
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.execution.page_sizes import SIZED_FROM
from tests.horizontal.budget import budget
from tests.horizontal.checks import PAGE, windowed
from tests.horizontal.city import City, city, missed_earlier, missing_now, new_city
from tests.horizontal.contract import GRADES
from tests.horizontal.rows import CODES, FIELDS, Order, Row, Spread, orders, random_rows, spreads
from tests.horizontal.walk import Walk, keeps_the_rule

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=4)
PAGES_MAX = 200
"""No walk over so few rows is longer, whatever happens."""


in_a_room = pytest.mark.parametrize("in_room", [False, True], ids=["at the root", "in a room"])
GRADED = st.none() | st.sampled_from(GRADES).map(lambda grade: {"grade": grade})
"""What the rule of a room can say of lots."""


def a_walk(data: st.DataObject, here: City, case: Spread, order: Order, in_room: bool) -> Walk:
    filter_ = data.draw(GRADED if in_room else st.none() | case.filters, "filter")
    if in_room:
        here.rooms.rooms = [(case.depots, filter_["grade"] if filter_ else None)]
    return Walk(
        here,
        order,
        filter_,
        backward=data.draw(st.booleans(), "backward"),
        by_edges=data.draw(st.booleans(), "by edges"),
        in_room=in_room,
    )


@in_a_room
@budget
@given(spreads(), orders(), SIZES, st.data())
def test_a_walk_gives_every_row_once_in_order(
    in_room: bool, case: Spread, order: Order, sizes: list[int], data: st.DataObject
) -> None:
    here = city().settle(case.depots, case.rows)
    walk = a_walk(data, here, case, order, in_room)

    async def go() -> None:
        for size, _ in zip(cycle(sizes), range(PAGES_MAX), strict=False):
            if walk.has_more:
                await walk.page(size)

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, case.rows, case.depots)


@in_a_room
@budget
@given(spreads(), orders(), SIZES, st.data())
def test_members_that_give_shorter_pages_than_asked_for(
    in_room: bool, case: Spread, order: Order, sizes: list[int], data: st.DataObject
) -> None:
    here = city().settle(case.depots, case.rows)
    capped = data.draw(st.sets(st.sampled_from(case.depots), min_size=1), "capped")
    for code in capped:
        here.depot(code).page_size_max = data.draw(st.integers(1, 3))
    walk = a_walk(data, here, case, order, in_room)

    async def go() -> None:
        for size, _ in zip(cycle(sizes), range(PAGES_MAX), strict=False):
            if walk.has_more:
                await walk.page(size, capped=capped)

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, case.rows, case.depots)


@in_a_room
@budget
@given(st.sets(st.sampled_from(CODES), min_size=2, max_size=4), orders(), st.randoms(), st.data())
def test_pages_that_are_asked_for_in_sizes_of_members_that_fail_or_give_fewer_rows(
    in_room: bool, chosen: set[str], order: Order, random: Random, data: st.DataObject
) -> None:
    depots = tuple(sorted(chosen))
    case = Spread(depots, tuple(random_rows(random, depots, each=3 * SIZED_FROM)))
    here = new_city().settle(case.depots, case.rows)
    capped = data.draw(st.sets(st.sampled_from(case.depots)), "capped")
    for code in capped:
        here.depot(code).page_size_max = data.draw(st.integers(1, SIZED_FROM))
    walk, steady = a_walk(data, here, case, order, in_room), set(case.depots)

    async def go() -> None:
        for _ in range(PAGES_MAX):
            if not walk.has_more:
                return
            steady.difference_update(fail_and_return(data, here))
            await walk.page(data.draw(st.integers(SIZED_FROM, 2 * SIZED_FROM), "size"), capped=capped)

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, case.rows, steady)


@pytest.mark.parametrize("backward", [False, True])
def test_rows_behind_what_a_short_page_may_hide_are_not_given_yet(backward: bool) -> None:
    rows = [Row("A", key, name) for key, name in enumerate("abc")] + [Row("Z", 1, "d"), Row("Z", 2, "_")]
    here = city().settle(("A", "Z"), rows)
    here.depot("A").page_size_max = 1
    walk = Walk(here, (("NAME", "ASC"),), backward=backward)

    async def go() -> None:
        while walk.has_more:
            await walk.page(3, capped="A")

    asyncio.run(go())
    names = ["_", "a", "b", "c", "d"]
    assert [row.name for row in walk.rows] == (names[::-1] if backward else names)


# Rows that change


@st.composite
def changes(draw: st.DrawFn, here: City, to_come: list[Row]) -> None:
    """Between two pages: a row is added, or taken away, or one of its values becomes that of another row."""
    kind = draw(st.sampled_from(("add", "remove", "change", "none")))
    held = [row for stub in here.stubs.values() for row in stub.server.rows]  # type: ignore[attr-defined]
    if kind == "add" and to_come:
        row = to_come.pop()
        here.depot(row.depot).rows.append(row)
    elif kind != "none" and held:
        row = draw(st.sampled_from(held))
        rows = here.depot(row.depot).rows
        rows.remove(row)
        if kind == "change":
            name, model = draw(st.sampled_from(sorted(FIELDS.values()))), draw(st.sampled_from(held))
            rows.append(replace(row, **{name: getattr(model, name)}))


def rows_of(here: City) -> list[Row]:
    return [row for stub in here.stubs.values() for row in stub.server.rows]  # type: ignore[attr-defined]


@in_a_room
@budget
@given(spreads(more=6), orders(), SIZES, st.data())
def test_rows_that_come_and_go_and_change_between_pages(
    in_room: bool, case: Spread, order: Order, sizes: list[int], data: st.DataObject
) -> None:
    here = city().settle(case.depots, case.rows)
    walk, to_come = a_walk(data, here, case, order, in_room), list(case.more)
    lasting = set(case.rows)

    async def go() -> None:
        for size, _ in zip(cycle(sizes), range(PAGES_MAX), strict=False):
            if walk.has_more:
                await walk.page(size)
                data.draw(changes(here, to_come))
                lasting.intersection_update(rows_of(here))

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, lasting, case.depots)


def test_a_row_that_is_added_mid_walk_comes_if_it_lies_behind_the_cursor() -> None:
    rows = [Row("A", key, name) for key, name in enumerate("bdfh")]
    here = city().settle(("A", "Z"), rows)
    walk = Walk(here, (("NAME", "ASC"),))

    async def go() -> None:
        await walk.page(2)
        here.depot("Z").rows += [Row("Z", 1, "a"), Row("Z", 2, "d"), Row("Z", 3, "e")]
        here.depot("A").rows.append(Row("A", 9, "c"))
        while walk.has_more:
            await walk.page(2)

    asyncio.run(go())
    assert [(row.depot, row.name) for row in walk.rows] == [
        ("A", "b"), ("A", "d"), ("Z", "d"), ("Z", "e"), ("A", "f"), ("A", "h"),
    ]  # fmt: skip


# Members that fail and come back


def fail_and_return(data: st.DataObject, here: City) -> set[str]:
    """Some of the members are down from now on, the others are up."""
    down: set[str] = data.draw(st.sets(st.sampled_from(sorted(here.stubs)), max_size=len(here.stubs)), "down")
    for code, stub in here.stubs.items():
        stub.is_down = code in down
    return down


@in_a_room
@budget
@given(spreads(more=4), orders(), SIZES, st.data())
def test_members_that_fail_and_return_between_pages(
    in_room: bool, case: Spread, order: Order, sizes: list[int], data: st.DataObject
) -> None:
    here = city().settle(case.depots, case.rows)
    walk, to_come = a_walk(data, here, case, order, in_room), list(case.more)
    steady, lasting = set(case.depots), set(case.rows)

    async def go() -> None:
        for size, _ in zip(cycle(sizes), range(PAGES_MAX), strict=False):
            if not walk.has_more:
                return
            steady.difference_update(fail_and_return(data, here))
            await walk.page(size)
            data.draw(changes(here, to_come))
            lasting.intersection_update(rows_of(here))

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, lasting, steady)


def test_a_walk_that_ended_for_want_of_members_goes_on_when_they_are_back() -> None:
    """Missing members never make hasNextPage true; the cursor of the empty page leads on to their rows."""
    rows = [Row(code, key, f"{key}{code}") for code in "AZ" for key in (0, 2, 4)]
    here = city().settle(("A", "Z"), rows)
    walk = Walk(here, (("NAME", "ASC"),))

    async def go() -> None:
        await walk.page(2)
        for stub in here.stubs.values():
            stub.is_down = True
        await walk.page(2)
        assert not walk.has_more
        here.stubs["Z"].is_down = False
        await walk.page(9)
        here.stubs["A"].is_down = False
        await walk.page(9)

    asyncio.run(go())
    assert [row.name for row in walk.rows] == ["0A", "0Z", "2Z", "4Z"]
    assert walk.missed == {"A", "Z"}


# Membership


@budget
@given(spreads(more=4), orders(), SIZES, st.booleans(), st.data())
def test_members_that_leave_and_join_between_pages(
    case: Spread, order: Order, sizes: list[int], backward: bool, data: st.DataObject
) -> None:
    """A walk goes on over whoever belongs; who joins adds only rows behind the cursor, who leaves takes its rows along."""
    here = city().settle(case.depots, case.rows)
    walk, to_come = Walk(here, order, backward=backward, may_belong_later=True), list(case.more)
    steady, lasting = set(case.depots), set(case.rows)
    memberships = st.sets(st.sampled_from(case.depots), min_size=1)

    async def go() -> None:
        for size, _ in zip(cycle(sizes), range(PAGES_MAX), strict=False):
            if not walk.has_more:
                return
            belonging = data.draw(memberships, "belonging")
            here.enrol(belonging)
            steady.intersection_update(belonging)
            await walk.page(size)
            data.draw(changes(here, to_come))
            lasting.intersection_update(rows_of(here))

    asyncio.run(go())
    assert not walk.has_more
    keeps_the_rule(walk, lasting, steady)


def test_a_member_that_left_during_a_walk_is_named_from_then_on() -> None:
    rows = [Row(code, key, f"{key}{code}") for code in "AZ" for key in range(3)]
    here = city().settle(("A", "Z"), rows)

    async def go() -> list[set[str]]:
        told, cursor = [], None
        for belonging in ("AZ", "A", "A"):
            here.enrol(belonging)
            answered = await here.ask(PAGE, windowed(None, (("NAME", "ASC"),), first=2, after=cursor))
            told.append(missing_now(answered) | missed_earlier(answered))
            cursor = answered.data["lots"]["pageInfo"]["endCursor"]
        return told

    assert asyncio.run(go()) == [set(), {"Z"}, {"Z"}]


def test_a_member_that_joined_during_a_walk_is_named_for_the_pages_that_it_missed() -> None:
    rows = [Row(code, key, f"{key}{code}") for code in "AZ" for key in range(4)]
    here = city().settle(("A", "Z"), rows)

    async def go() -> list[set[str]]:
        told, cursor = [], None
        for belonging in ("A", "AZ", "AZ"):
            here.enrol(belonging)
            answered = await here.ask(PAGE, windowed(None, (("NAME", "ASC"),), first=2, after=cursor))
            assert missing_now(answered) == set()
            told.append(missed_earlier(answered))
            cursor = answered.data["lots"]["pageInfo"]["endCursor"]
        return told

    assert asyncio.run(go()) == [set(), {"Z"}, {"Z"}]
