"""调剂: title passes with the goods, across regions by a successor card, and what is not taken goes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from contract.identity import Role
from overlay.group.custody import Custody
from overlay.orders.model import Command, Flow, QuotaFinding, State
from overlay.orders.policy import load_policy
from overlay.orders.service import Circulation
from tests.overlay.city import (
    BORROWER,
    BORROWING_KEEPER,
    CLERK,
    KEEPER,
    OTHER,
    OWNER_CLERK,
    City,
    ManualClock,
    someone,
)
from tests.overlay.conftest import ISSUER, Desk
from tests.overlay.orders.steps import approved, arrived, balances, codes, done, state

OFFICES = [
    "UNIT_HEAD", "OWNER_UNIT", "LENDING_REGION", "BORROWING_REGION", "LENDING_FINANCE", "BORROWING_FINANCE",
]  # fmt: skip


async def test_across_regions_the_receiver_gets_a_card_of_its_own(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset})
    order = await desk.order(order_id)
    assert (order.state, [step.office for step in order.approvals]) == (State.TO_DISPATCH, OFFICES)
    assert order.lines[0].quota is QuotaFinding.NO_DATA
    assert codes(await desk.apply(asset, by=someone("rival", Role.APPLICANT, unit=OTHER))) == ["ASSET_BUSY"]
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    assert await state(desk, order_id) is State.IN_TRANSIT
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["NOTHING_TO_DO"], "it has not arrived"
    await done(desk, BORROWING_KEEPER, Command.ARRIVE, order_id)
    assert await state(desk, order_id) is State.TO_RECEIVE
    await done(desk, CLERK, Command.RECEIVE, order_id)
    order = await desk.order(order_id)
    assert order.state is State.DONE
    (successor,) = order.lines[0].successors
    card = city.assets[successor]
    assert (card["owner"]["uscc"], card["lineageId"], card["predecessorId"]) == (BORROWER, asset, asset)
    assert (city.assets[asset]["status"], city.assets[asset]["successorId"]) == ("DISPOSED", successor)
    assert await balances(desk, asset) == {("330105", "IN_STORE"): 1}


async def test_what_was_reallocated_goes_on_with_its_lineage(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    await done(desk, CLERK, Command.RECEIVE, order_id)
    successor = (await desk.order(order_id)).lines[0].successors[0]
    city.assets[successor] |= {"status": "IDLE", "shareable": True}
    loan = await desk.apply(successor, by=OWNER_CLERK)
    assert codes(loan) == []
    head = someone("head-2", Role.UNIT_OFFICER, unit=OWNER_CLERK.unit)
    officers = (
        head,
        someone("l", Role.REGION_OFFICER, region="330105"),
        someone("b", Role.REGION_OFFICER, region="330106"),
    )
    for officer in officers:
        await done(desk, officer, Command.APPROVE, loan.order_id)
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, loan.order_id)
    assert await balances(desk, asset) == {("330105", "IN_TRANSIT"): 1}, "the first card's ledger"


async def test_inside_a_region_one_card_takes_the_place_of_the_other(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1", region="330105")
    order_id = (await desk.hand_in(Flow.REALLOCATION, CLERK, {"assetId": asset})).order_id
    assert [step.office for step in (await desk.order(order_id)).approvals] == OFFICES[:3], "one region, no finance"
    owner_head = someone("oh", Role.UNIT_OFFICER, unit=OWNER_CLERK.unit)
    for person in (someone("h", Role.UNIT_OFFICER, unit=BORROWER), owner_head, someone("r", Role.REGION_OFFICER)):
        await done(desk, person, Command.APPROVE, order_id)
    for by, command in ((BORROWING_KEEPER, Command.DISPATCH), (CLERK, Command.ARRIVE), (CLERK, Command.RECEIVE)):
        await done(desk, by, command, order_id)
    order = await desk.order(order_id)
    assert order.state is State.DONE
    assert city.assets[order.lines[0].successors[0]]["owner"]["uscc"] == BORROWER
    assert await balances(desk, asset) == {("330105", "IN_STORE"): 1}


async def test_a_batch_is_received_in_parts_and_the_rest_goes_back(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="10", originalValue="1000.00")
    order_id = await arrived(desk, asset, quantity="7")
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, CLERK, Command.RECEIVE, order_id, lines=[{"lineId": line, "quantity": "3"}])
    await done(desk, CLERK, Command.RECEIVE, order_id, lines=[{"lineId": line, "quantity": "2"}])
    assert await state(desk, order_id) is State.TO_RECEIVE
    await done(desk, CLERK, Command.RETURN_TO_OWNER, order_id, reason="规格不符")
    assert await state(desk, order_id) is State.RETURNING
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line, "outcome": "PASSED"}])
    order = await desk.order(order_id)
    cards = [city.assets[one] for one in order.lines[0].successors]
    assert (order.state, [(card["quantity"], card["originalValue"]) for card in cards]) == (
        State.DONE, [("3", "300.00"), ("2", "200.00")],
    )  # fmt: skip
    assert (city.assets[asset]["quantity"], city.assets[asset]["originalValue"]) == ("5", "500.00")
    assert await balances(desk, asset) == {("330105", "IN_STORE"): 5, ("330106", "IN_STORE"): 5}


async def test_a_receivers_store_that_refuses_leaves_the_goods_in_transit(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    unit = city.units.pop(("330105", BORROWER))
    refused = await desk.give(CLERK, Command.RECEIVE, order_id)
    assert codes(refused) == ["UNKNOWN_UNIT"]
    assert await state(desk, order_id) is State.TO_RECEIVE
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 1}
    city.units[("330105", BORROWER)] = unit
    await done(desk, CLERK, Command.RECEIVE, order_id)
    assert await state(desk, order_id) is State.DONE


async def test_an_owners_book_that_refuses_costs_no_second_card(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    (hold,) = city.holds.values()
    city.holds[hold.id] = replace(hold, order_id="another")
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["UNKNOWN_HOLD"]
    assert await state(desk, order_id) is State.TO_RECEIVE
    city.holds[hold.id] = hold
    await done(desk, CLERK, Command.RECEIVE, order_id)
    order = await desk.order(order_id)
    assert (order.state, len(order.lines[0].successors)) == (State.DONE, 1)
    assert await balances(desk, asset) == {("330105", "IN_STORE"): 1}


async def test_what_cannot_be_received_is_sent_back(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    city.units.clear()
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["UNKNOWN_UNIT"]
    assert codes(await desk.give(CLERK, Command.RETURN_TO_OWNER, order_id)) == ["INVALID_TEXT"]
    await done(desk, CLERK, Command.RETURN_TO_OWNER, order_id, reason="无法建卡")
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line, "outcome": "NEEDS_REPAIR"}])
    assert await state(desk, order_id) is State.SENT_BACK
    assert await balances(desk, asset) == {("330106", "DAMAGED"): 1}
    assert city.assets[asset]["status"] == "IN_STORE"


async def test_goods_that_are_lost_on_the_road_are_written_off(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset})
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    await done(desk, CLERK, Command.RETURN_TO_OWNER, order_id, reason="未到货")
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line, "outcome": "LOST"}])
    assert (await state(desk, order_id), await balances(desk, asset)) == (State.SENT_BACK, {("330106", "LOST"): 1})


async def test_the_receiver_is_not_the_owner(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    assert codes(await desk.hand_in(Flow.REALLOCATION, OWNER_CLERK, {"assetId": asset})) == ["RECEIVER_IS_OWNER"]


class TwoLeft:
    async def left(self, region: str, unit: str, class_code: str | None) -> Decimal | None:
        return Decimal(2)


async def test_a_receiver_stays_within_its_quota(url: str, city: City, clock: ManualClock) -> None:
    desk = Desk(url, city, clock)
    desk.circulation = Circulation(desk.database, Custody(city, ISSUER), load_policy(), clock, quota=TwoLeft())
    await desk.database.open()
    one, two = city.add_asset("a", quantity="9"), city.add_asset("b", quantity="9")
    lines = [{"assetId": one, "quantity": "2"}, {"assetId": two, "quantity": "1"}]
    refused = await desk.hand_in(Flow.REALLOCATION, CLERK, *lines)
    assert (codes(refused), refused.problems[0].path) == (["OVER_QUOTA"], ("lines", "1", "quantity"))
    granted = await desk.hand_in(Flow.REALLOCATION, CLERK, lines[0])
    assert (await desk.order(granted.order_id)).lines[0].quota is QuotaFinding.WITHIN
    await desk.circulation.stop()
    await desk.database.close()
