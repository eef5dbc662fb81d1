"""Goods of a batch that are lost or damaged after they were booked: who yields is told, and nobody finds out at the counter."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from contract.identity import Identity
from overlay.messages import render
from overlay.orders.model import Command, Flow, State
from overlay.orders.shortages import Booking, shortages_of
from overlay.store.tables import outbox
from tests.overlay.city import CLERK, HEAD, KEEPER, OWNER_CLERK, City, days
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import approved, codes, done, lent, repair, state

TODAY = date(2026, 12, 1)


# --- who yields: facts alone ------------------------------------------------------------------------------------------


def booked(n: int, first: int, after: int, to_leave: int, away: int = 0, flow: Flow = Flow.LOAN) -> Booking:
    """The n-th booking, for days counted from today."""
    return Booking(
        line_id=f"line-{n}",
        order_id=f"order-{n}",
        number=str(n),
        position=0,
        asset_id="asset:330106:desks",
        lending_region="330106",
        applicant=Identity("clerk", None, "330105"),
        flow=flow,
        from_day=TODAY + timedelta(days=first),
        to_day=TODAY + timedelta(days=after),
        card_quantity=Decimal(10),
        created_at=f"2026-12-01T00:00:{n:02}.000000Z",
        booked_at=f"2026-12-01T00:00:{n:02}.000000Z",
        to_leave=Decimal(to_leave),
        away=Decimal(away),
    )


def yielding(there: int, *bookings: Booking, unfit: int = 0) -> dict[str, int]:
    found = shortages_of(bookings, Decimal(there), Decimal(unfit), TODAY)
    return {one.booking.order_id: int(one.short) for one in found}


def test_the_newest_booking_yields_first() -> None:
    three = booked(1, 5, 9, 4), booked(2, 5, 9, 4), booked(3, 5, 9, 2)
    assert yielding(10, *three) == {}
    assert yielding(9, *three) == {"order-3": 1}
    assert yielding(7, *three) == {"order-2": 1, "order-3": 2}


def test_only_bookings_of_the_same_days_take_from_each_other() -> None:
    before, after = booked(1, 5, 9, 8), booked(2, 9, 12, 8)
    assert yielding(8, before, after) == {}
    assert yielding(7, before, after) == {"order-1": 1, "order-2": 1}
    assert yielding(8, before, booked(3, 8, 12, 1)) == {"order-3": 1}


def test_a_newer_small_one_still_gets_what_an_older_large_one_leaves() -> None:
    assert yielding(6, booked(1, 5, 9, 4), booked(2, 5, 9, 6), booked(3, 20, 25, 6)) == {"order-2": 4}


def test_what_has_left_is_not_called_back() -> None:
    older, newer = booked(1, 5, 9, 6), booked(2, 0, 9, 0, away=6)
    assert yielding(8, older, newer) == {"order-1": 4}


def test_what_is_overdue_is_out_until_tomorrow_at_least() -> None:
    overdue = booked(1, -9, -2, 0, away=5)
    assert yielding(8, overdue, booked(2, 0, 4, 4)) == {"order-2": 1}
    assert yielding(8, overdue, booked(2, 1, 4, 4)) == {}


def test_what_goes_for_good_is_never_free_again() -> None:
    assert yielding(8, booked(1, 0, 30, 5, flow=Flow.REALLOCATION), booked(2, 90, 99, 4)) == {"order-2": 1}


@pytest.mark.parametrize("flow", [Flow.REPAIR, Flow.SURRENDER, Flow.DISPOSAL, Flow.DONATION])
def test_the_owners_own_business_with_what_is_damaged_takes_nothing_from_others(flow: Flow) -> None:
    mended = booked(2, 0, 30, 3, flow=flow)
    assert yielding(10, booked(1, 5, 9, 7), mended, unfit=3) == {}
    assert yielding(10, booked(1, 5, 9, 8), mended, unfit=3) == {"order-1": 1}


# --- told when it is recorded -----------------------------------------------------------------------------------------


async def told(desk: Desk) -> list[dict[str, Any]]:
    query = select(outbox).where(outbox.c.topic == "order.stock_short").order_by(outbox.c.seq)
    async with desk.database.read() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def booking(desk: Desk, asset: str, quantity: str, first: int = 20) -> str:
    """An approved loan of some days later."""
    return await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": quantity}, range=days(first, 3))


async def brought_back(desk: Desk, loan: str, outcome: str, quantity: str | None = None) -> str:
    """The loan's goods come back, and the keeper finds this of them."""
    line = (await desk.order(loan)).lines[0].id
    given = [{"lineId": line, **({} if quantity is None else {"quantity": quantity})}]
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, loan, lines=given)
    back = (await desk.order(return_id)).lines[0].id
    return await done(desk, KEEPER, Command.INSPECT, return_id, lines=[{"lineId": back, "outcome": outcome}])


async def test_whoever_no_longer_fits_is_told_when_the_loss_is_recorded(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    first, second = await booking(desk, desks, "6"), await booking(desk, desks, "4")
    assert await told(desk) == []
    await brought_back(desk, loan, "LOST", "3")
    order = await desk.order(second)
    data = {
        "number": order.number,
        "lineId": order.lines[0].id,
        "assetId": desks,
        "quantity": "4",
        "short": "3",
    }
    notices = await told(desk)
    assert [(one["subject"], one["data"]) for one in notices] == [(second, data)] * 3, "the first one keeps its six"
    assert [one["audience"] for one in notices] == [
        {"region": CLERK.region, "unit": CLERK.unit, "person": CLERK.person},
        {"region": "330106", "office": "LENDING_REGION"},
        {"region": "330106", "office": "WAREHOUSE"},
    ]
    assert codes(await desk.give(KEEPER, Command.DISPATCH, first)) == []
    assert await state(desk, second) is State.TO_DISPATCH


@pytest.mark.parametrize("outcome", ["COMPENSATION", "NEEDS_REPAIR", "LOST"])
async def test_they_are_told_once_of_each_loss_and_only_who_lacks_more(desk: Desk, city: City, outcome: str) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    older, newer = await booking(desk, desks, "8"), await booking(desk, desks, "1")
    seen = []
    for quantity in ("1", "1", "1", "1"):
        await brought_back(desk, loan, outcome, quantity)
        notices = [(one["subject"], one["data"]["short"]) for one in await told(desk)]
        seen.append(notices[sum(map(len, seen)) :])
    assert seen == [[], [(newer, "1")] * 3, [(older, "1")] * 3, [(older, "2")] * 3]


async def test_nobody_is_told_where_all_still_fits(desk: Desk, city: City) -> None:
    desks, others = city.add_asset("desks", quantity="10"), city.add_asset("others", quantity="4")
    loan = await lent(desk, desks, quantity="4")
    await booking(desk, desks, "7")
    await booking(desk, others, "4")
    await brought_back(desk, loan, "LOST", "3")
    assert await told(desk) == []


async def test_what_a_repair_gives_up_is_told(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    later = await booking(desk, desks, "10", 200)
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(desks, quantity="2", estimate="400"))
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, KEEPER, Command.DIAGNOSE, order_id, lines=[{"lineId": line, "outcome": "SCRAP"}])
    assert [(one["subject"], one["data"]["short"]) for one in await told(desk)] == [(later, "2")] * 3


async def test_an_order_that_no_longer_fits_is_not_approved(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    line = {"assetId": desks, "quantity": "10"}
    later = (await desk.hand_in(Flow.LOAN, CLERK, line, range=days(20, 3))).order_id
    await brought_back(desk, loan, "LOST", "1")
    refused = await desk.give(HEAD, Command.APPROVE, later)
    assert codes(refused) == ["STOCK_SHORT"]
    assert render(refused.problems[0], "en").message == (
        f"Goods of {desks} were lost or damaged since: of 10 that are still to leave, 1 are not there any more."
    )
    assert await state(desk, later) is State.IN_APPROVAL
    less = await desk.apply(desks, quantity="9", window=days(40, 3))
    assert codes(less) == [], "what is left can be had"
    await desk.approve_all(less.order_id)
    assert await state(desk, less.order_id) is State.TO_DISPATCH


@pytest.mark.parametrize("outcome", ["LOST", "NEEDS_REPAIR"])
async def test_who_booked_first_gets_it_though_others_come_first_to_the_counter(
    desk: Desk, city: City, outcome: str
) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    first, second = await booking(desk, desks, "6"), await booking(desk, desks, "4")
    await brought_back(desk, loan, outcome, "3")
    assert codes(await desk.give(KEEPER, Command.DISPATCH, second)) == ["STOCK_SHORT"]
    await done(desk, KEEPER, Command.DISPATCH, first)
    await done(desk, CLERK, Command.RECEIVE, first)


REASON = "库内已无"


async def test_what_is_missing_is_given_up_and_the_order_keeps_its_place(desk: Desk, city: City) -> None:
    desks, lamp = city.add_asset("desks", quantity="10"), city.add_asset("lamp")
    loan = await lent(desk, desks, quantity="4")
    first = await booking(desk, desks, "6")
    lines = [{"assetId": desks, "quantity": "4"}, {"assetId": lamp}]
    second = await approved(desk, Flow.LOAN, CLERK, *lines, range=days(20, 3))
    await brought_back(desk, loan, "LOST", "3")
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, first, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    line = (await desk.order(second)).lines[0]
    more = [{"lineId": line.id, "quantity": "4"}]
    refused = await desk.give(CLERK, Command.GIVE_UP_REST, second, reason=REASON, lines=more)
    assert codes(refused) == ["INVALID_QUANTITY"], "three are missing"
    await done(desk, CLERK, Command.GIVE_UP_REST, second, reason=REASON)
    order = await desk.order(second)
    assert (order.state, [one.quantity for one in order.lines], order.lines[0].refusal) == (
        State.TO_DISPATCH, [1, 1], "GIVEN_UP"
    )  # fmt: skip
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, second, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    await brought_back(desk, loan, "PASSED")
    for order_id in (first, second):
        await done(desk, KEEPER, Command.DISPATCH, order_id)


async def test_an_order_of_which_nothing_is_there_any_more_is_withdrawn(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="4")
    loan = await lent(desk, desks, quantity="4")
    later = await booking(desk, desks, "4")
    await brought_back(desk, loan, "LOST")
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, later, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    await done(desk, CLERK, Command.WITHDRAW, later)
    assert await state(desk, later) is State.WITHDRAWN
