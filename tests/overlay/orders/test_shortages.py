"""Goods of a batch that are lost or damaged after they were booked: who yields is told, and nobody finds out at the counter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from contract.identity import Identity
from overlay.ledger.model import Custody, Movement
from overlay.messages import render
from overlay.orders.commands.base import CommandRow, Work
from overlay.orders.commands.stock import applicant_account, owner_account, telling_who_yields
from overlay.orders.model import Command, Flow, State
from overlay.orders.shortages import Booking, shortages_of
from overlay.store.tables import outbox
from tests.overlay.city import BORROWING_KEEPER, CLERK, HEAD, KEEPER, OWNER_CLERK, City, ManualClock, days
from tests.overlay.conftest import Desk, opened_desk
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


# --- told when the hold is recorded, where the loss was first -----------------------------------------------------------


class Meanwhile:
    """The way to the owners, on which something happens once they have placed the next hold, before they say so."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.happens: Callable[[], Awaitable[object]] | None = None

    async def execute(self, document: str, variables: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
        answer = await self._city.execute(document, variables, **options)
        if "placeHold" in document and self.happens is not None:
            happens, self.happens = self.happens, None
            await happens()
        return answer


async def told_whom(desk: Desk) -> list[tuple[str, str]]:
    return [(one["subject"], one["data"]["short"]) for one in await told(desk)]


async def test_a_hold_that_is_recorded_after_the_loss_is_told_of_it(url: str, city: City, clock: ManualClock) -> None:
    desks, road = city.add_asset("desks", quantity="10"), Meanwhile(city)
    async with opened_desk(url, road, clock) as desk:
        loan = await lent(desk, desks, quantity="4")
        await booking(desk, desks, "6")
        road.happens = partial(brought_back, desk, loan, "LOST", "3")
        later = (await desk.apply(desks, quantity="4", window=days(20, 3))).order_id
        assert later is not None and await told_whom(desk) == [(later, "3")] * 3
        await desk.apply(desks, quantity="1", window=days(40, 3))
        assert len(await told(desk)) == 3, "once"
        await brought_back(desk, loan, "LOST")
        assert (await told_whom(desk))[3:] == [(later, "4")] * 3


async def test_an_application_takes_no_place_before_it_is_known_to_have_its_hold(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    city.faults.append("lost_after")
    unknown = await desk.apply(desks, quantity="4", window=days(20, 3))
    assert codes(unknown) == ["OUTCOME_UNKNOWN"]
    newer = await booking(desk, desks, "6")
    await brought_back(desk, loan, "LOST", "3")
    assert await told(desk) == [], "seven are there, and six are known to be booked"
    await desk.circulation.resume()
    assert await state(desk, unknown.order_id) is State.IN_APPROVAL
    assert await told_whom(desk) == [(newer, "3")] * 3, "who applied first is served first"


async def test_what_was_offered_to_all_first_takes_its_place_when_its_hold_is_recorded(
    desk: Desk, city: City, clock: ManualClock
) -> None:
    desks = city.add_asset("desks", quantity="10", condition="BEYOND_REPAIR")
    disposal = (await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": desks, "quantity": "6"})).order_id
    clock.advance(days=7)
    city.faults.append("lost_after")
    await desk.circulation.close_notices()
    loan = await lent(desk, desks, window=days(10, 3), quantity="2")
    newer = await booking(desk, desks, "4")
    await brought_back(desk, loan, "LOST")
    assert await told(desk) == [], "eight are there"
    await desk.circulation.resume()
    assert await state(desk, disposal) is State.IN_APPROVAL
    assert await told_whom(desk) == [(newer, "2")] * 3


async def test_a_loss_and_a_hold_that_are_recorded_at_the_same_time(
    postgres_database: str, city: City, clock: ManualClock
) -> None:
    """Two transactions of which neither sees the other: PostgreSQL alone has them, on SQLite one writes at a time."""
    desks, road = city.add_asset("desks", quantity="10"), Meanwhile(city)
    placed, told_of_loss = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        placed.set()
        await told_of_loss.wait()

    async with opened_desk(postgres_database, road, clock) as desk:
        loan = await lent(desk, desks, quantity="4")
        await booking(desk, desks, "6")
        await done(desk, CLERK, Command.RETURN_GOODS, loan)
        road.happens = wait
        applying = asyncio.create_task(desk.apply(desks, quantity="4", window=days(20, 3)))
        await placed.wait()
        async with desk.database.write() as connection:
            work = Work(connection, desk.policy, clock(), CommandRow("c", Command.INSPECT, loan, {}, KEEPER, "RUNNING"))
            order = await work.reload(loan)
            source, target = applicant_account(order, Custody.RETURNING), owner_account(order.lines[0], Custody.LOST)
            async with telling_who_yields(work, desks, Custody.LOST):
                await work.book(order, order.lines[0], Movement.LOSE, source, target, Decimal(3), Decimal(0))
            told_of_loss.set()
            await over_or_waiting(desk, applying)
        later = (await applying).order_id
        assert later is not None and await told_whom(desk) == [(later, "3")] * 3


async def over_or_waiting(desk: Desk, task: asyncio.Task[Any]) -> None:
    """Until the task is over, or waits for a lock in its store."""
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = text(f"SELECT count(*) FROM pg_locks WHERE NOT granted AND database = {here}")
    waits = 0
    async with desk.database.read() as connection:
        while not task.done() and not waits:
            waits = (await connection.execute(waiting)).scalar_one()


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
    assert await desk.allowed(CLERK, second) == [Command.WITHDRAW]
    await brought_back(desk, loan, "LOST", "3")
    assert await desk.allowed(CLERK, first) == [Command.WITHDRAW]
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, first, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    assert await desk.allowed(CLERK, second) == [Command.WITHDRAW, Command.GIVE_UP_REST]
    assert Command.GIVE_UP_REST in await desk.allowed(KEEPER, second)
    assert await desk.allowed(BORROWING_KEEPER, second) == []
    line = (await desk.order(second)).lines[0]
    more = [{"lineId": line.id, "quantity": "4"}]
    refused = await desk.give(CLERK, Command.GIVE_UP_REST, second, reason=REASON, lines=more)
    assert codes(refused) == ["INVALID_QUANTITY"], "three are missing"
    await done(desk, CLERK, Command.GIVE_UP_REST, second, reason=REASON)
    order = await desk.order(second)
    assert (order.state, [one.quantity for one in order.lines], order.lines[0].refusal) == (
        State.TO_DISPATCH, [1, 1], "GIVEN_UP"
    )  # fmt: skip
    assert await desk.allowed(CLERK, second) == [Command.WITHDRAW]
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, second, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    await brought_back(desk, loan, "PASSED")
    for order_id in (first, second):
        await done(desk, KEEPER, Command.DISPATCH, order_id)


async def test_an_order_of_which_nothing_is_there_any_more_is_withdrawn(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="4")
    loan = await lent(desk, desks, quantity="4")
    later = await booking(desk, desks, "4")
    await brought_back(desk, loan, "LOST")
    some = [{"lineId": (await desk.order(later)).lines[0].id, "quantity": "1"}]
    for body in ({}, {"lines": some}):
        refused = await desk.give(CLERK, Command.GIVE_UP_REST, later, reason=REASON, **body)
        assert codes(refused) == ["NOTHING_HAS_LEFT"]
    assert await desk.allowed(CLERK, later) == [Command.WITHDRAW]
    await done(desk, CLERK, Command.WITHDRAW, later)
    assert await state(desk, later) is State.WITHDRAWN
