"""Owners know of a movement before the ledger does: what the ledger makes of goods that it did not see come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from contract.identity import Identity, Role
from overlay.clock import shanghai_today
from overlay.group.endpoint import GroupAnswer
from overlay.orders.model import Command, Flow, Settlement, State
from overlay.orders.shortages import shortages
from tests.overlay.city import (
    BORROWING,
    BORROWING_KEEPER,
    CLERK,
    KEEPER,
    LENDING,
    OTHER,
    OWNER_CLERK,
    OWNER_HEAD,
    City,
    Crash,
    ManualClock,
    days,
    someone,
)
from tests.overlay.conftest import Desk, opened_desk
from tests.overlay.orders.steps import (
    approved,
    arrived,
    balances,
    codes,
    done,
    lent,
    reallocated,
    repair,
    state,
    surrender,
)
from tests.overlay.orders.test_shortages import told_whom

LATER = days(20, 3)


async def settled(desk: Desk) -> None:
    """The one that waits for another may be asked first."""
    for _ in range(3):
        await desk.circulation.resume()


async def judged(desk: Desk, command: Command, order_id: str, outcome: str, by: Identity = KEEPER, **more: str) -> Any:
    line = (await desk.order(order_id)).lines[0].id
    return await desk.give(by, command, order_id, lines=[{"lineId": line, "outcome": outcome, **more}])


async def return_that_is_not_recorded(
    desk: Desk, city: City, loan: str, outcome: str = "PASSED", fault: str = "lost_after"
) -> str:
    """Goods are back, and the owner knows; its answer is lost, or who waits for it dies."""
    returned = await done(desk, CLERK, Command.RETURN_GOODS, loan)
    city.faults.append(fault)
    if fault == "crash_after":
        with pytest.raises(Crash):
            await judged(desk, Command.INSPECT, returned, outcome)
    else:
        assert codes(await judged(desk, Command.INSPECT, returned, outcome)) == ["OUTCOME_UNKNOWN"]
    return returned


async def successor_that_is_not_recorded(desk: Desk, city: City, asset: str, **line: str) -> str:
    order_id = await arrived(desk, asset, **line)
    city.faults += ["ok", "lost_after"]
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["OUTCOME_UNKNOWN"]
    successor = (await desk.order(order_id)).lines[0].successors[0]
    city.assets[successor] |= {"status": "IDLE", "shareable": True}
    return successor


async def lent_on(desk: Desk, successor: str, window: dict[str, str] | None = None, **line: str) -> str:
    """Whose first owner wants it back for a while; approved."""
    loan = (await desk.apply(successor, by=OWNER_CLERK, window=window, **line)).order_id
    for officer in (OWNER_HEAD, BORROWING, LENDING):
        await done(desk, officer, Command.APPROVE, loan)
    assert loan is not None
    return loan


async def short(desk: Desk, asset: str) -> dict[str, int]:
    async with desk.database.read() as connection:
        found = await shortages(connection, [asset], shanghai_today(desk.clock.now))
    return {one.booking.order_id: int(one.short) for one in found.values()}


# --- what the ledger has not seen come --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost_after", "crash_after"])
async def test_what_left_a_card_for_good_does_not_come_to_it_again(desk: Desk, city: City, fault: str) -> None:
    """The later loan was applied for when there were ten. That the ledger has too little when its goods leave is no
    sign that the card has grown."""
    asset = city.add_asset("desks", quantity="10")
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "4"}, range=LATER)
    await reallocated(desk, asset, quantity="4")
    await return_that_is_not_recorded(desk, city, await lent(desk, asset, quantity="6"), fault=fault)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["OUTCOME_UNKNOWN"]
    if fault == "crash_after":
        desk.clock.advance(seconds=61)
    await settled(desk)
    assert await state(desk, later) is State.IN_TRANSIT
    assert await balances(desk, asset) == {
        ("330105", "IN_STORE"): 4, ("330106", "IN_STORE"): 2, ("330106", "IN_TRANSIT"): 4,
    }  # fmt: skip


async def test_what_is_mended_leaves_before_it_is_recorded_that_it_came(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1", status="IDLE")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset))
    assert codes(await judged(desk, Command.DIAGNOSE, order_id, "NEEDS_REPAIR", cost="500")) == []
    await done(desk, KEEPER, Command.FINISH_REPAIR, order_id)
    city.faults.append("lost_after")
    assert codes(await judged(desk, Command.INSPECT, order_id, "PASSED")) == ["OUTCOME_UNKNOWN"]
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset}, range=LATER)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await state(desk, later) is State.IN_TRANSIT
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 1}


async def test_what_was_surrendered_leaves_before_it_is_recorded_that_it_is_stored(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1", status="IDLE")
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": asset}, **surrender())
    assert codes(await judged(desk, Command.APPRAISE, order_id, "PASSED")) == []
    city.faults.append("lost_after")
    assert codes(await desk.give(KEEPER, Command.STORE, order_id)) == ["OUTCOME_UNKNOWN"]
    city.assets[asset] |= {"status": "IN_STORE", "shareable": True}
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset}, range=LATER)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await state(desk, later) is State.IN_TRANSIT
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 1}


async def test_what_came_back_damaged_is_surrendered_before_it_is_recorded(desk: Desk, city: City) -> None:
    """It was fit as far as anybody knew; once the damage is recorded, it is the damaged one that has left."""
    asset = city.add_asset("p1", status="IDLE")
    await return_that_is_not_recorded(desk, city, await lent(desk, asset), "NEEDS_REPAIR")
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": asset}, **surrender())
    assert codes(await judged(desk, Command.APPRAISE, order_id, "PASSED")) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert (await desk.order(order_id)).settlement is Settlement.SETTLED
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 1}


async def test_those_sent_to_the_workshop_are_the_damaged_ones(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="10")
    await return_that_is_not_recorded(desk, city, await lent(desk, asset, quantity="4"), "NEEDS_REPAIR")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset, quantity="4", estimate="400"))
    found = await judged(desk, Command.DIAGNOSE, order_id, "NEEDS_REPAIR", cost="300")
    assert codes(found) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await balances(desk, asset) == {("330106", "IN_STORE"): 6, ("330106", "IN_REPAIR"): 4}
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "6"}, range=LATER)
    await done(desk, KEEPER, Command.DISPATCH, later)


async def test_nothing_is_given_up_that_has_not_come(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1", status="IDLE")
    await return_that_is_not_recorded(desk, city, await lent(desk, asset), "NEEDS_REPAIR")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset))
    assert codes(await judged(desk, Command.DIAGNOSE, order_id, "SCRAP")) == ["GOODS_UNDER_WAY"]
    await settled(desk)
    assert codes(await judged(desk, Command.DIAGNOSE, order_id, "SCRAP")) == []
    assert await balances(desk, asset) == {("330106", "TO_DISPOSE"): 1}


class Turned:
    """A way to the owners that for a while lets nobody in who wants to change something: its keys are being changed."""

    def __init__(self, city: City) -> None:
        self.city, self.is_shut = city, False

    async def execute(self, document: str, variables: Mapping[str, Any], **how: Any) -> GroupAnswer:
        if self.is_shut:
            return {"data": None, "errors": [{"message": "token", "extensions": {"code": "UNAUTHENTICATED"}}]}
        return await self.city.execute(document, variables, **how)


async def test_who_is_not_let_in_the_second_time_may_have_been_the_first(
    url: str, city: City, clock: ManualClock
) -> None:
    way = Turned(city)
    async with opened_desk(url, way, clock) as desk:
        asset = city.add_asset("p1", status="IDLE")
        returned = await return_that_is_not_recorded(desk, city, await lent(desk, asset))
        way.is_shut = True
        await settled(desk)
        assert (await desk.order(returned)).settlement is Settlement.UNKNOWN
        way.is_shut = False
        await settled(desk)
        assert await state(desk, returned) is State.DONE
        assert await balances(desk, asset) == {("330106", "IN_STORE"): 1}


# --- successors -------------------------------------------------------------------------------------------------------


async def test_a_successor_lends_nothing_before_it_is_recorded_that_its_goods_are_its_own(
    desk: Desk, city: City
) -> None:
    asset = city.add_asset("p1")
    successor = await successor_that_is_not_recorded(desk, city, asset)
    loan = await lent_on(desk, successor)
    assert codes(await desk.give(BORROWING_KEEPER, Command.DISPATCH, loan)) == ["GOODS_UNDER_WAY"]
    await settled(desk)
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, loan)
    assert await balances(desk, asset) == {("330105", "IN_TRANSIT"): 1}


async def test_a_successor_whose_goods_were_not_let_go_lends_nothing(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    (hold,) = city.holds.values()
    city.holds[hold.id] = replace(hold, order_id="another")
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["UNKNOWN_HOLD"]
    city.holds[hold.id] = hold
    successor = (await desk.order(order_id)).lines[0].successors[0]
    city.assets[successor] |= {"status": "IDLE", "shareable": True}
    mended = await approved(desk, Flow.REPAIR, CLERK, repair(successor))
    sent = await judged(desk, Command.DIAGNOSE, mended, "NEEDS_REPAIR", BORROWING_KEEPER, cost="500")
    assert codes(sent) == ["GOODS_UNDER_WAY"]
    assert codes(await desk.give(CLERK, Command.WITHDRAW, mended)) == []
    loan = await lent_on(desk, successor, LATER)
    assert codes(await desk.give(BORROWING_KEEPER, Command.DISPATCH, loan)) == ["GOODS_UNDER_WAY"]
    await done(desk, CLERK, Command.RECEIVE, order_id)
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, loan)
    assert await balances(desk, asset) == {("330105", "IN_TRANSIT"): 1}


async def test_what_its_district_enters_under_a_key_of_its_own_is_the_same_goods(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    successor = await reallocated(desk, asset)
    entered = "asset:330105:N-1"
    card = {"id": entered, "predecessorId": successor, "status": "IDLE", "shareable": True}
    city.assets[entered] = city.assets.pop(successor) | card
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, await lent_on(desk, entered))
    assert await balances(desk, asset) == {("330105", "IN_TRANSIT"): 1}


async def test_what_the_owner_lets_go_to_a_successor_keeps_no_dispatch_waiting(desk: Desk, city: City) -> None:
    """The receiver's region is down: the owner's goods leave all the same."""
    asset, lamp = city.add_asset("desks", quantity="10"), city.add_asset("lamp")
    order_id = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset, "quantity": "4"}, {"assetId": lamp})
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    await done(desk, BORROWING_KEEPER, Command.ARRIVE, order_id)
    city.faults += ["ok", "lost_before"]
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["OUTCOME_UNKNOWN"]
    city.down.add("330105")
    city.assets[asset] |= {"quantity": "15"}
    await done(
        desk,
        KEEPER,
        Command.DISPATCH,
        await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "11"}, range=days(1, 7)),
    )


# --- what came from outside -------------------------------------------------------------------------------------------


async def test_goods_that_came_to_the_card_since_it_was_applied_for_are_learnt_as_they_leave(
    desk: Desk, city: City
) -> None:
    """Those who applied first leave last, when the ten that they applied for have left."""
    asset = city.add_asset("desks", quantity="10")
    first, second = [
        await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": quantity}, range=days(1, 7))
        for quantity in ("4", "6")
    ]
    await done(desk, KEEPER, Command.DISPATCH, first)
    city.assets[asset] |= {"quantity": "15", "originalValue": "7498.50"}
    third = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "5"}, range=days(1, 7))
    for order_id in (third, second):
        await done(desk, KEEPER, Command.DISPATCH, order_id)
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 15}
    adjusted = [entry["quantity"] for entry in await desk.ledger(asset) if entry["movement"] == "ADJUST"]
    assert adjusted == ["-5", "5"]


async def test_only_what_left_is_learnt_not_what_the_card_said_one_day(desk: Desk, city: City) -> None:
    """Somebody applied on the day when it said twenty, a typing error."""
    asset = city.add_asset("desks", quantity="10", originalValue="1000.00")
    await lent(desk, asset, quantity="4", window=days(1, 30))
    city.assets[asset] |= {"quantity": "20", "originalValue": "2000.00"}
    on_that_day = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "1"}, range=days(1, 7))
    city.assets[asset] |= {"quantity": "11", "originalValue": "1100.00"}
    other = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "6"}, range=days(1, 7))
    for order_id in (other, on_that_day):
        await done(desk, KEEPER, Command.DISPATCH, order_id)
    assert await balances(desk, asset) == {("330105", "LENT"): 4, ("330106", "IN_TRANSIT"): 7}


async def test_of_a_card_that_grew_the_damaged_ones_are_not_learnt_a_second_time(desk: Desk, city: City) -> None:
    """All eleven leave, four of which were found damaged meanwhile; the ledger knew ten."""
    asset = city.add_asset("desks", quantity="10")
    loan = await lent(desk, asset, quantity="4")
    city.assets[asset] |= {"quantity": "11"}
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "11"}, range=LATER)
    await return_that_is_not_recorded(desk, city, loan, "NEEDS_REPAIR")
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 11}


@pytest.mark.parametrize(("outcome", "place"), [("NEEDS_REPAIR", "IN_REPAIR"), ("SCRAP", "TO_DISPOSE")])
async def test_a_new_owner_repairs_what_came_back_damaged_to_the_old_one(
    desk: Desk, city: City, outcome: str, place: str
) -> None:
    asset = city.add_asset("p1")
    returned = await done(desk, CLERK, Command.RETURN_GOODS, await lent(desk, asset))
    assert codes(await judged(desk, Command.INSPECT, returned, "NEEDS_REPAIR")) == []
    city.assets[asset]["owner"] = {"id": "unit:330106:u-C", "uscc": OTHER}
    new = someone("new-owner", Role.APPLICANT, region="330106", unit=OTHER)
    order_id = await approved(desk, Flow.REPAIR, new, repair(asset))
    cost = {"cost": "500"} if outcome == "NEEDS_REPAIR" else {}
    assert codes(await judged(desk, Command.DIAGNOSE, order_id, outcome, **cost)) == []
    assert await balances(desk, asset) == {("330106", place): 1}


# --- who gets too little ----------------------------------------------------------------------------------------------


async def test_a_loss_that_the_card_knew_already_is_not_counted_twice(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="10")
    await return_that_is_not_recorded(desk, city, await lent(desk, asset, quantity="4"), "LOST")
    assert city.assets[asset]["quantity"] == "6"
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "6"}, range=LATER)
    await settled(desk)
    assert await short(desk, asset) == {}
    assert await told_whom(desk) == []
    await done(desk, KEEPER, Command.DISPATCH, later)


async def test_a_loss_under_way_does_not_hide_that_the_card_grew(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="10")
    loan = await lent(desk, asset, quantity="4")
    city.assets[asset] |= {"quantity": "20"}
    await return_that_is_not_recorded(desk, city, loan, "LOST")
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "16"}, range=LATER)
    await settled(desk)
    assert await short(desk, asset) == {}
    await done(desk, KEEPER, Command.DISPATCH, later)


async def test_a_successors_goods_are_not_counted_twice(desk: Desk, city: City) -> None:
    successor = await successor_that_is_not_recorded(desk, city, city.add_asset("desks", quantity="4"), quantity="4")
    first, second = await lent_on(desk, successor, quantity="2"), await lent_on(desk, successor, LATER, quantity="4")
    await settled(desk)
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, first)
    await done(desk, OWNER_CLERK, Command.RECEIVE, first)
    returned = await done(desk, OWNER_CLERK, Command.RETURN_GOODS, first)
    assert codes(await judged(desk, Command.INSPECT, returned, "LOST", BORROWING_KEEPER)) == []
    assert await short(desk, successor) == {second: 2}
