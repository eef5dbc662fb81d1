"""Who must act is told before a hold lapses: once, again after it was renewed, and never of what has ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from overlay.approvals.warnings import warn_of_lapsing
from overlay.notices.outbox import Topic
from overlay.orders.model import Command, State
from overlay.store import tables
from tests.overlay.city import CLERK, HEAD, City, ManualClock, days
from tests.overlay.conftest import Desk


async def told(desk: Desk, topic: Topic = Topic.HOLD_LAPSING) -> list[dict[str, Any]]:
    table = tables.outbox
    async with desk.database.read() as connection:
        query = select(table.c.subject, table.c.audience).where(table.c.topic == topic).order_by(table.c.seq)
        return [{"order": row.subject, **row.audience} for row in await connection.execute(query)]


async def test_the_office_and_the_applicant_are_warned_once(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    assert await warn_of_lapsing(desk.database, clock()) == 0, "seven days are left"
    clock.advance(days=5.5)
    assert await warn_of_lapsing(desk.database, clock()) == 1
    assert await warn_of_lapsing(desk.database, clock()) == 0
    offices = [one.get("office") for one in await told(desk)]
    assert offices == ["UNIT_HEAD", None]
    assert {one["order"] for one in await told(desk)} == {order_id}


async def test_a_renewed_hold_is_warned_of_anew(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    clock.advance(days=6)
    await warn_of_lapsing(desk.database, clock())
    assert (await desk.give(HEAD, Command.APPROVE, order_id)).problems == ()
    assert await warn_of_lapsing(desk.database, clock()) == 0, "the approval renewed it"
    clock.advance(days=6)
    assert await warn_of_lapsing(desk.database, clock()) == 1


async def test_what_has_ended_is_not_warned_of(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    assert (await desk.give(CLERK, Command.WITHDRAW, order_id)).problems == ()
    assert (await desk.order(order_id)).state is State.WITHDRAWN
    clock.advance(days=6)
    assert await warn_of_lapsing(desk.database, clock()) == 0


async def test_each_turn_is_told_to_its_office(desk: Desk, city: City) -> None:
    order_id = (await desk.apply(city.add_asset("p1"))).order_id
    await desk.approve_all(order_id)
    turns = [one["office"] for one in await told(desk, Topic.STEP_WAITING)]
    assert turns == ["UNIT_HEAD", "LENDING_REGION", "BORROWING_REGION"]
