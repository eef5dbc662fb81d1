"""Holds are never lost, doubled or half done, whatever an owner answers and wherever the process dies."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from contract.identity import Role
from overlay.ledger.entries import verify
from overlay.messages import render
from overlay.orders.model import Command, HoldState, Settlement, State
from overlay.orders.saga import LEASE
from tests.overlay.city import (
    BORROWING,
    CITY_KEEPER,
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    OTHER,
    City,
    Crash,
    ManualClock,
    days,
    someone,
)
from tests.overlay.conftest import Desk, opened_desk
from tests.overlay.orders.steps import codes, lent


async def test_a_loan_goes_its_whole_way(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = (await desk.apply(asset)).order_id
    order = await desk.order(order_id)
    assert (order.state, order.lines[0].hold_state) == (State.IN_APPROVAL, HoldState.ACTIVE)
    assert [step.office for step in order.approvals] == ["UNIT_HEAD", "LENDING_REGION", "BORROWING_REGION"]
    await desk.approve_all(order_id)
    assert (await desk.order(order_id)).state is State.TO_DISPATCH
    await desk.give(KEEPER, Command.DISPATCH, order_id)
    assert (await desk.order(order_id)).state is State.IN_TRANSIT
    await desk.give(CLERK, Command.RECEIVE, order_id)
    assert (await desk.order(order_id)).state is State.LENT
    returned = await desk.give(CLERK, Command.RETURN_GOODS, order_id)
    assert (await desk.order(order_id)).state is State.RETURNING
    line = (await desk.order(returned.order_id)).lines[0]
    inspected = await desk.give(
        KEEPER, Command.INSPECT, returned.order_id, lines=[{"lineId": line.id, "outcome": "PASSED"}]
    )
    assert codes(inspected) == []
    assert (await desk.order(returned.order_id)).state is State.DONE
    assert (await desk.order(order_id)).state is State.DONE
    entries = await desk.ledger(asset)
    verify(entries)
    assert [entry["movement"] for entry in entries[::2]] == ["OPENING", "DISPATCH", "RECEIVE", "RETURN", "STORE"]
    assert sum(Decimal(entry["quantity"]) for entry in entries) == 0
    assert sum(Decimal(entry["value"]) for entry in entries) == 0
    assert codes(await desk.apply(asset)) == [], "what came back can be lent again"


async def test_an_overlapping_application_is_refused_and_leaves_nothing(desk: Desk, city: City) -> None:
    busy, free = city.add_asset("busy"), city.add_asset("a-free")
    await desk.apply(busy)
    refused = await desk.apply(free, busy, window=days(7, 3))
    assert (refused.order_id, codes(refused)) == (None, ["ASSET_BUSY"])
    assert refused.problems[0].path == ("lines", "1")
    assert (await desk.apply(busy, free, window=days(7, 3))).problems[0].path == ("lines", "0"), "of the input"
    assert len(await desk.orders()) == 1
    assert [hold.state for hold in city.holds.values() if hold.asset == free] == ["RELEASED"] * 2, "compensated"
    assert codes(await desk.apply(free, busy, window=days(8, 3))) == ["ASSET_BUSY"], "a day lies between two loans"
    assert codes(await desk.apply(free, busy, window=days(9, 3))) == []


async def test_a_repeated_key_gives_the_first_result(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    first = await desk.apply(asset, key="one")
    assert await desk.apply(asset, key="one") == first
    assert codes(await desk.apply(asset, key="one", window=days(30, 3))) == ["IDEMPOTENCY_KEY_REUSED"]
    refused = await desk.apply(asset, key="two")
    await desk.give(CLERK, Command.WITHDRAW, first.order_id)
    assert await desk.apply(asset, key="two") == refused, "a refusal is a result too"
    assert len(city.holds) == 1


@pytest.mark.parametrize(("outcome", "place"), [("PASSED", "STORE"), ("NEEDS_REPAIR", "DAMAGE")])
async def test_goods_leave_again_before_it_is_recorded_how_they_came(
    desk: Desk, city: City, outcome: str, place: str
) -> None:
    asset = city.add_asset("p1")
    first = await lent(desk, asset)
    second = (await desk.apply(asset, window=days(20, 3))).order_id
    await desk.approve_all(second)
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, first)).order_id
    line = {"lineId": (await desk.order(returned)).lines[0].id, "outcome": outcome}
    city.faults.append("lost_after")
    assert codes(await desk.give(KEEPER, Command.INSPECT, returned, lines=[line])) == ["OUTCOME_UNKNOWN"]
    assert codes(await desk.give(KEEPER, Command.DISPATCH, second)) == ["OUTCOME_UNKNOWN"]
    assert (await desk.order(second)).settlement is Settlement.UNKNOWN
    await desk.circulation.resume()
    await desk.circulation.resume()
    order = await desk.order(second)
    assert (order.state, order.settlement) == (State.IN_TRANSIT, Settlement.SETTLED)
    entries = await desk.ledger(asset)
    verify(entries)
    moved = [entry["movement"] for entry in entries[::2]]
    assert moved == ["OPENING", "DISPATCH", "RECEIVE", "RETURN", place, "DISPATCH"]


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "unreachable"])
async def test_an_unknown_outcome_is_shown_as_unknown_and_settled(desk: Desk, city: City, fault: str) -> None:
    asset = city.add_asset("p1")
    city.faults.append(fault)
    answer = await desk.apply(asset)
    assert codes(answer) == ["OUTCOME_UNKNOWN"]
    order = await desk.order(answer.order_id)
    assert (order.state, order.settlement, order.lines[0].hold_state) == ("DRAFT", "UNKNOWN", "UNKNOWN")
    assert await desk.circulation.resume() == 1
    order = await desk.order(answer.order_id)
    assert (order.state, order.settlement, order.lines[0].hold_state) == ("IN_APPROVAL", "SETTLED", "ACTIVE")
    assert len(city.holds) == 1


async def test_an_unknown_application_that_is_refused_at_last_says_so(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    city.faults.append("lost_before")
    unknown = await desk.apply(asset)
    assert codes(await desk.apply(asset, by=someone("rival", Role.APPLICANT, unit=OTHER, region="330109"))) == []
    await desk.circulation.resume()
    order = await desk.order(unknown.order_id)
    assert (order.state, order.settlement) == (State.REJECTED, Settlement.SETTLED)


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("command", ["apply", "approve", "dispatch", "receive", "inspect", "withdraw"])
async def test_a_command_is_finished_after_a_crash(
    url: str, city: City, clock: ManualClock, fault: str, command: str
) -> None:
    asset = city.add_asset("p1")
    async with opened_desk(url, city, clock) as desk:
        with pytest.raises(Crash):
            await _crash_at(desk, city, asset, command, fault)
    async with opened_desk(url, city, clock) as desk:
        if not desk.database.is_sqlite:
            assert await desk.circulation.resume() == 1  # the dead process's lease still stands
            clock.advance(seconds=LEASE.total_seconds() + 1)
        assert await desk.circulation.resume() == 1
        orders = await desk.orders()
        assert all(order.settlement is Settlement.SETTLED and order.command_id is None for order in orders)
        expected = {"apply": "IN_APPROVAL", "approve": "IN_APPROVAL", "dispatch": "IN_TRANSIT", "receive": "LENT",
                    "inspect": "DONE", "withdraw": "WITHDRAWN"}[command]  # fmt: skip
        assert {order.state for order in orders} == {expected}
        assert len(city.holds) == 1
        entries = await desk.ledger(asset)
        verify(entries)
        movements = {"dispatch": 2, "receive": 3, "inspect": 5}.get(command, 0)
        assert len(entries) == 2 * movements, "each movement is in the ledger once"


async def _crash_at(desk: Desk, city: City, asset: str, command: str, fault: str) -> None:
    if command == "apply":
        city.faults.append(fault)
    order_id = (await desk.apply(asset)).order_id
    if command == "approve":
        city.faults.append(fault)
        await desk.give(HEAD, Command.APPROVE, order_id)
    if command == "withdraw":
        city.faults.append(fault)
        await desk.give(CLERK, Command.WITHDRAW, order_id)
    await desk.approve_all(order_id)
    if command == "dispatch":
        city.faults.append(fault)
    await desk.give(KEEPER, Command.DISPATCH, order_id)
    if command == "receive":
        city.faults.append(fault)
    await desk.give(CLERK, Command.RECEIVE, order_id)
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, order_id)).order_id
    line = (await desk.order(returned)).lines[0]
    city.faults.append(fault)
    await desk.give(KEEPER, Command.INSPECT, returned, lines=[{"lineId": line.id, "outcome": "PASSED"}])


async def test_twenty_applicants_race_for_one_asset(desk: Desk, city: City) -> None:
    asset = city.add_asset("projector")
    people = [someone(f"p{n}", Role.APPLICANT, unit=f"unit-{n}") for n in range(20)]
    answers = await asyncio.gather(*(desk.apply(asset, by=person) for person in people))
    winners = [answer for answer in answers if not answer.problems]
    assert len(winners) == 1
    assert {code for answer in answers for code in codes(answer)} == {"ASSET_BUSY"}
    assert len([hold for hold in city.holds.values() if city.in_force(hold)]) == 1
    assert len(await desk.orders()) == 1


async def test_the_same_key_at_the_same_time_is_one_order(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    answers = await asyncio.gather(*(desk.apply(asset, key="same") for _ in range(5)))
    assert len({answer.order_id for answer in answers}) == 1
    assert all(answer.problems == () for answer in answers)
    assert len(city.holds) == 1


async def test_nobody_approves_their_own_order(desk: Desk, city: City) -> None:
    boss = someone("boss", Role.APPLICANT, Role.UNIT_OFFICER, unit="unit-x")
    order_id = (await desk.apply(city.add_asset("p1"), by=boss)).order_id
    assert codes(await desk.give(boss, Command.APPROVE, order_id)) == ["OWN_ORDER"]
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["NOT_FOUND"], "another unit's head sees nothing"
    assert codes(await desk.give(LENDING, Command.APPROVE, order_id)) == ["FORBIDDEN"], "it is not their turn"


async def test_what_has_changed_is_not_approved(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = (await desk.apply(asset)).order_id
    city.assets[asset]["condition"] = "BEYOND_REPAIR"
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["ASSET_CHANGED"]
    assert codes(await desk.give(HEAD, Command.RETURN_FOR_CORRECTION, order_id, reason="成色有变")) == []
    assert codes(await desk.give(CLERK, Command.RESUBMIT, order_id)) == []
    await desk.approve_all(order_id)
    city.assets[asset]["status"] = "LOST"
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == ["ASSET_NOT_AVAILABLE"]
    assert (await desk.order(order_id)).state is State.TO_DISPATCH


async def test_a_region_that_is_down_changes_nothing_and_the_key_may_try_again(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    city.down.add("330106")
    assert codes(await desk.apply(asset, key="again")) == ["REGION_UNAVAILABLE"]
    city.down.clear()
    assert codes(await desk.apply(asset, key="again")) == []


async def test_an_order_whose_hold_lapsed_expires(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = city.add_asset("p1")
    order_id = (await desk.apply(asset, window=days(20, 5))).order_id
    clock.advance(days=8)
    refused = await desk.give(HEAD, Command.APPROVE, order_id)
    assert codes(refused) == ["HOLD_EXPIRED"]
    assert await desk.circulation.expire() == 1
    assert (await desk.order(order_id)).state is State.EXPIRED
    assert await desk.circulation.expire() == 0


async def test_goods_of_two_regions_move_line_by_line(desk: Desk, city: City) -> None:
    near, far = city.add_asset("p1"), city.add_asset("p2", region="330100")
    order_id = (await desk.apply(near, far)).order_id
    assert [step.office for step in (await desk.order(order_id)).approvals] == [
        "UNIT_HEAD", "LENDING_REGION", "LENDING_REGION", "BORROWING_REGION", "CITY",
    ]  # fmt: skip
    for person in (HEAD, someone("lender", Role.REGION_OFFICER, region="330100"), LENDING, BORROWING):
        assert codes(await desk.give(person, Command.APPROVE, order_id)) == []
    await desk.approve_all(order_id)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == []
    assert (await desk.order(order_id)).state is State.TO_DISPATCH, "the other region's line has not left"
    assert codes(await desk.give(CLERK, Command.WITHDRAW, order_id)) == ["GOODS_HAVE_MOVED"]
    await desk.give(CITY_KEEPER, Command.DISPATCH, order_id)
    assert (await desk.order(order_id)).state is State.IN_TRANSIT


async def test_a_partial_return_does_not_close_the_loan(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="30", originalValue="10000.00")
    order_id = await lent(desk, asset, quantity="10")
    line = (await desk.order(order_id)).lines[0]
    returned = await desk.give(CLERK, Command.RETURN_GOODS, order_id, lines=[{"lineId": line.id, "quantity": "3"}])
    back = (await desk.order(returned.order_id)).lines[0]
    await desk.give(KEEPER, Command.INSPECT, returned.order_id, lines=[{"lineId": back.id, "outcome": "PASSED"}])
    loan = await desk.order(order_id)
    assert (loan.state, loan.lines[0].returned, loan.lines[0].lent) == (State.LENT, 3, 7)
    too_much = await desk.give(CLERK, Command.RETURN_GOODS, order_id, lines=[{"lineId": line.id, "quantity": "8"}])
    assert codes(too_much) == ["INVALID_QUANTITY"]
    verify(await desk.ledger(asset))


async def test_damage_goes_to_the_officer_and_refused_goods_stay_lent(desk: Desk, city: City) -> None:
    one, two = city.add_asset("p1"), city.add_asset("p2")
    order_id = await lent(desk, one, two)
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, order_id)).order_id
    lines = (await desk.order(returned)).lines
    outcomes = [{"lineId": lines[0].id, "outcome": "NEEDS_REPAIR"}, {"lineId": lines[1].id, "outcome": "REFUSED"}]
    assert codes(await desk.give(KEEPER, Command.INSPECT, returned, lines=outcomes)) == []
    assert (await desk.order(returned)).state is State.IN_APPROVAL
    assert (await desk.order(order_id)).state is State.LENT
    assert codes(await desk.give(LENDING, Command.APPROVE, returned)) == []
    assert (await desk.order(returned)).state is State.DONE
    assert (await desk.ledger(one))[-1]["custody"] == "DAMAGED"
    assert (await desk.ledger(two))[-1]["custody"] == "LENT"


async def test_what_came_back_damaged_is_not_lent_again(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    first = await lent(desk, desks, quantity="6")
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, first)).order_id
    line = (await desk.order(returned)).lines[0]
    await desk.give(KEEPER, Command.INSPECT, returned, lines=[{"lineId": line.id, "outcome": "NEEDS_REPAIR"}])
    refused = await desk.apply(desks, quantity="5", window=days(20, 3))
    assert (refused.order_id, codes(refused)) == (None, ["GOODS_DAMAGED"])
    second = (await desk.apply(desks, quantity="4", window=days(20, 3))).order_id
    await desk.approve_all(second)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, second)) == []
    verify(await desk.ledger(desks))


async def test_goods_found_damaged_meanwhile_do_not_leave(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    later = (await desk.apply(asset, window=days(20, 3))).order_id
    await desk.approve_all(later)
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, await lent(desk, asset))).order_id
    line = (await desk.order(returned)).lines[0]
    await desk.give(KEEPER, Command.INSPECT, returned, lines=[{"lineId": line.id, "outcome": "NEEDS_REPAIR"}])
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["GOODS_DAMAGED"]
    assert (await desk.order(later)).state is State.TO_DISPATCH


async def test_refusals_are_read_in_the_readers_language(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = (await desk.apply(asset)).order_id
    busy = (await desk.apply(asset)).problems[0]
    assert (render(busy, "en").message, render(busy, "zh").message) == (
        f"{asset} is taken in this range.",
        f"资产“{asset}”在此时段已被占用。",
    )
    early = (await desk.give(CLERK, Command.RECEIVE, order_id)).problems[0]
    assert render(early, "zh").message == "“审批中”状态下不能执行“接收”。"
    assert render(early, "en").message == "RECEIVE is not possible in state IN_APPROVAL."
