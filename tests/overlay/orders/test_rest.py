"""放弃剩余: what never leaves is given up, in the order and in the owner's book, and the order goes on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from overlay.orders.model import Command, Flow, HoldState, Line, Settlement, State
from overlay.orders.saga import LEASE
from overlay.store.tables import timeline
from tests.overlay.city import (
    BORROWING_KEEPER,
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    LENDING_FINANCE,
    OWNER_CLERK,
    RIVAL,
    City,
    Crash,
    ManualClock,
    days,
)
from tests.overlay.conftest import Desk, opened_desk
from tests.overlay.orders.steps import approved, balances, codes, done, repair, state, surrender

REASON = "库内找不到"


async def line_of(desk: Desk, order_id: str, asset: str) -> Line:
    return next(line for line in (await desk.order(order_id)).lines if line.asset_id == asset)


async def dispatched(desk: Desk, flow: Flow, asset: str, *others: str, part: str = "1", **line: str) -> str:
    """An order of which so much of the first asset has left, and nothing else."""
    body = {"range": days(1, 7)} if flow is Flow.LOAN else {}
    order_id = await approved(desk, flow, CLERK, {"assetId": asset, **line}, *({"assetId": o} for o in others), **body)
    first = await line_of(desk, order_id, asset)
    return await done(desk, KEEPER, Command.DISPATCH, order_id, lines=[{"lineId": first.id, "quantity": part}])


async def give_up(desk: Desk, order_id: str) -> str:
    return await done(desk, CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)


async def test_a_line_that_cannot_leave_does_not_keep_the_loan_open(desk: Desk, city: City) -> None:
    here, lost = city.add_asset("here"), city.add_asset("lost")
    order_id = await dispatched(desk, Flow.LOAN, here, lost)
    await done(desk, CLERK, Command.RECEIVE, order_id)
    assert await state(desk, order_id) is State.TO_DISPATCH
    await give_up(desk, order_id)
    assert await state(desk, order_id) is State.LENT
    line = await line_of(desk, order_id, lost)
    assert (line.asked, line.quantity, line.refusal, line.hold_state) == (1, 0, "GIVEN_UP", HoldState.RELEASED)
    assert codes(await desk.apply(lost, by=RIVAL, window=days(2, 3))) == [], "its owner has it for others again"
    assert codes(await desk.apply(here, by=RIVAL, window=days(2, 3))) == ["ASSET_BUSY"]
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, order_id)
    passed = [{"lineId": (await desk.order(return_id)).lines[0].id, "outcome": "PASSED"}]
    await done(desk, KEEPER, Command.INSPECT, return_id, lines=passed)
    assert await state(desk, order_id) is State.DONE
    async with desk.database.read() as connection:
        query = select(timeline.c.comment).where(timeline.c.command == Command.GIVE_UP_REST)
        assert list((await connection.execute(query)).scalars()) == [REASON]


async def test_of_a_batch_only_what_has_not_left_is_given_up(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    order_id = await dispatched(desk, Flow.LOAN, desks, part="3", quantity="8")
    line = await line_of(desk, order_id, desks)
    too_many = [{"lineId": line.id, "quantity": "6"}]
    refused = await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON, lines=too_many)
    assert codes(refused) == ["INVALID_QUANTITY"]
    some = [{"lineId": line.id, "quantity": "2"}]
    await done(desk, CLERK, Command.GIVE_UP_REST, order_id, reason=REASON, lines=some)
    assert await state(desk, order_id) is State.TO_DISPATCH
    await give_up(desk, order_id)
    line = await line_of(desk, order_id, desks)
    assert (line.asked, line.quantity, line.dispatched, line.hold_state) == (8, 3, 3, HoldState.DISPATCHED)
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="8")) == ["ASSET_BUSY"]
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="7")) == []
    await done(desk, CLERK, Command.RECEIVE, order_id)
    assert await state(desk, order_id) is State.LENT


async def test_what_has_come_back_already_ends_the_order_with_the_rest(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    order_id = await dispatched(desk, Flow.LOAN, desks, part="3", quantity="8")
    await done(desk, CLERK, Command.RECEIVE, order_id)
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, order_id)
    passed = [{"lineId": (await desk.order(return_id)).lines[0].id, "outcome": "PASSED"}]
    await done(desk, KEEPER, Command.INSPECT, return_id, lines=passed)
    await give_up(desk, order_id)
    line = await line_of(desk, order_id, desks)
    assert (await state(desk, order_id), line.hold_state) == (State.DONE, HoldState.RELEASED)
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]


async def test_a_reallocation_goes_on_with_what_has_left(desk: Desk, city: City) -> None:
    desks, lamp = city.add_asset("desks", quantity="10"), city.add_asset("lamp")
    order_id = await dispatched(desk, Flow.REALLOCATION, desks, lamp, part="4", quantity="6")
    await done(desk, BORROWING_KEEPER, Command.ARRIVE, order_id)
    await done(desk, CLERK, Command.RECEIVE, order_id)
    await give_up(desk, order_id)
    lines = {line.asset_id: line for line in (await desk.order(order_id)).lines}
    assert await state(desk, order_id) is State.DONE
    assert [(line.quantity, line.hold_state) for line in (lines[desks], lines[lamp])] == [
        (4, HoldState.RELEASED), (0, HoldState.RELEASED),
    ]  # fmt: skip
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]
    assert await balances(desk, desks) == {("330105", "IN_STORE"): 4, ("330106", "IN_STORE"): 6}


async def test_every_other_flow_goes_on_too(desk: Desk, city: City, clock: ManualClock) -> None:
    idle = [{"assetId": city.add_asset(f"idle-{name}", status="IDLE")} for name in "ab"]
    surrendered = await approved(desk, Flow.SURRENDER, OWNER_CLERK, *idle, **surrender())
    broken = [repair(city.add_asset(f"broken-{name}")) for name in "ab"]
    repaired = await approved(desk, Flow.REPAIR, OWNER_CLERK, *broken)
    old = [{"assetId": city.add_asset(f"old-{name}", condition="BEYOND_REPAIR")} for name in "ab"]
    disposed = (await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, *old)).order_id
    clock.advance(days=7)
    await desk.circulation.close_notices()
    await desk.approve_all(disposed)
    assert disposed is not None
    for order_id, command, found in (
        (surrendered, Command.APPRAISE, {"outcome": "PASSED"}),
        (repaired, Command.DIAGNOSE, {"outcome": "NEEDS_REPAIR", "cost": "9"}),
        (disposed, Command.EXECUTE, {}),
    ):
        first = (await desk.order(order_id)).lines[0].id
        await done(desk, KEEPER, command, order_id, lines=[{"lineId": first, **found}])
        await done(desk, OWNER_CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)
        assert [line.quantity for line in (await desk.order(order_id)).lines] == [1, 0]
    states = [await state(desk, order_id) for order_id in (surrendered, repaired, disposed)]
    assert states == [State.TO_STORE, State.UNDER_REPAIR, State.TO_WRITE_OFF]
    await done(desk, LENDING_FINANCE, Command.WRITE_OFF, disposed)
    assert await state(desk, disposed) is State.DONE


async def test_what_a_diagnosis_gave_up_is_no_rest(desk: Desk, city: City) -> None:
    lines = [repair(city.add_asset(name)) for name in ("a", "b", "c")]
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, *lines)
    scrap, broken, _ = (line.id for line in (await desk.order(order_id)).lines)
    found = [{"lineId": scrap, "outcome": "SCRAP"}, {"lineId": broken, "outcome": "NEEDS_REPAIR", "cost": "9"}]
    await done(desk, KEEPER, Command.DIAGNOSE, order_id, lines=found)
    await done(desk, OWNER_CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)
    assert [line.quantity for line in (await desk.order(order_id)).lines] == [1, 1, 0]


async def test_a_keeper_gives_up_what_is_of_the_own_region(desk: Desk, city: City) -> None:
    here, ours, theirs = city.add_asset("here"), city.add_asset("ours"), city.add_asset("theirs", region="330109")
    order_id = await dispatched(desk, Flow.LOAN, here, ours, theirs)
    foreign = (await line_of(desk, order_id, theirs)).id
    for by, body, code in (
        (KEEPER, {"reason": " "}, "INVALID_TEXT"),
        (KEEPER, {"reason": "x" * 1001}, "INVALID_TEXT"),
        (KEEPER, {"reason": REASON, "lines": [{"lineId": foreign}]}, "UNKNOWN_LINE"),
        (BORROWING_KEEPER, {"reason": REASON}, "FORBIDDEN"),
        (LENDING, {"reason": REASON}, "FORBIDDEN"),
    ):
        assert codes(await desk.give(by, Command.GIVE_UP_REST, order_id, **body)) == [code]
    await done(desk, KEEPER, Command.GIVE_UP_REST, order_id, reason=REASON)
    order = await desk.order(order_id)
    assert (order.state, [line.quantity for line in order.lines]) == (State.TO_DISPATCH, [1, 0, 1])
    assert codes(await desk.give(KEEPER, Command.GIVE_UP_REST, order_id, reason=REASON)) == ["NOTHING_TO_DO"]
    assert Command.GIVE_UP_REST not in await desk.allowed(KEEPER, order_id), "nothing of that region's is left"
    assert Command.GIVE_UP_REST in await desk.allowed(HEAD, order_id)


async def test_an_order_of_which_nothing_has_left_is_withdrawn(desk: Desk, city: City) -> None:
    assets = [{"assetId": city.add_asset(name)} for name in "ab"]
    order_id = await approved(desk, Flow.LOAN, CLERK, *assets, range=days(1, 7))
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)) == ["NOTHING_HAS_LEFT"]
    assert await desk.allowed(CLERK, order_id) == [Command.WITHDRAW]
    await done(desk, CLERK, Command.WITHDRAW, order_id)


async def test_a_hold_that_lapsed_is_given_up_all_the_same(desk: Desk, city: City, clock: ManualClock) -> None:
    here, late = city.add_asset("here"), city.add_asset("late")
    order_id = await dispatched(desk, Flow.LOAN, here, late)
    clock.advance(days=365)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == ["HOLD_EXPIRED"]
    await give_up(desk, order_id)
    assert await state(desk, order_id) is State.IN_TRANSIT


async def test_an_owner_that_refuses_keeps_its_own_line_only(desk: Desk, city: City) -> None:
    here, ours, theirs = city.add_asset("here"), city.add_asset("ours"), city.add_asset("theirs", region="330109")
    order_id = await dispatched(desk, Flow.LOAN, here, ours, theirs)
    hold = next(one for one in city.holds.values() if one.asset == theirs)
    del city.holds[hold.id]
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)) == ["UNKNOWN_HOLD"]
    order = await desk.order(order_id)
    assert (order.state, [line.quantity for line in order.lines]) == (State.TO_DISPATCH, [1, 0, 1])


async def given_up_once(desk: Desk, city: City, asset: str) -> None:
    order = next(one for one in await desk.orders() if one.lines[0].asset_id == asset)
    line = order.lines[0]
    assert (order.state, order.settlement, order.command_id) == (State.IN_TRANSIT, Settlement.SETTLED, None)
    (hold,) = (one for one in city.holds.values() if one.asset == asset)
    assert (line.quantity, hold.quantity, hold.state) == (2, 2, "DISPATCHED")
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): Decimal(2), ("330106", "IN_STORE"): Decimal(7)}


@pytest.mark.parametrize("fault", ["unreachable", "lost_before", "lost_after"])
async def test_an_outcome_that_is_unknown_is_shown_and_settled(desk: Desk, city: City, fault: str) -> None:
    asset = city.add_asset("desks", quantity="9")
    order_id = await dispatched(desk, Flow.LOAN, asset, part="2", quantity="4")
    city.faults.append(fault)
    assert codes(await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON)) == ["OUTCOME_UNKNOWN"]
    order = await desk.order(order_id)
    assert (order.settlement, order.lines[0].quantity) == (Settlement.UNKNOWN, 4), "the book may still have it"
    assert await desk.circulation.resume() == 1
    await given_up_once(desk, city, asset)


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
async def test_it_is_finished_after_a_crash(url: str, city: City, clock: ManualClock, fault: str) -> None:
    asset = city.add_asset("desks", quantity="9")
    async with opened_desk(url, city, clock) as desk:
        order_id = await dispatched(desk, Flow.LOAN, asset, part="2", quantity="4")
        city.faults.append(fault)
        with pytest.raises(Crash):
            await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON, key="once")
    async with opened_desk(url, city, clock) as desk:
        clock.advance(seconds=LEASE.total_seconds() + 1)
        assert await desk.circulation.resume() == 1
        await given_up_once(desk, city, asset)
        again = await desk.give(CLERK, Command.GIVE_UP_REST, order_id, reason=REASON, key="once")
        assert codes(again) == []
        await given_up_once(desk, city, asset)
