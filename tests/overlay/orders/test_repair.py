"""维修: diagnosed, repaired, inspected; too dear a repair is none."""

from __future__ import annotations

from sqlalchemy import select

from contract.identity import Role
from overlay.orders.model import Command, Flow, State
from overlay.store.tables import outbox
from tests.overlay.city import CLERK, KEEPER, LENDING, OWNER, OWNER_CLERK, City, ManualClock, days, someone
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import approved, balances, codes, done, lent, repair, state


async def offered(desk: Desk) -> list[tuple[str, object]]:
    async with desk.database.read() as connection:
        query = select(outbox).where(outbox.c.topic == "order.repair_offered").order_by(outbox.c.seq)
        rows = (await connection.execute(query)).mappings().all()
    return [(row["data"]["lineId"], row["audience"].get("unit")) for row in rows]


async def test_what_came_back_broken_is_repaired_and_lent_again(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    loan = await lent(desk, desks, quantity="4")
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, loan)
    broken = (await desk.order(return_id)).lines[0].id
    await done(desk, KEEPER, Command.INSPECT, return_id, lines=[{"lineId": broken, "outcome": "NEEDS_REPAIR"}])
    await done(desk, LENDING, Command.APPROVE, return_id)
    assert await offered(desk) == [(broken, OWNER), (broken, None)], "to the owner, and to the warehouse"
    assert codes(await desk.apply(desks, quantity="7", window=days(20, 3))) == ["GOODS_DAMAGED"]
    wrong = repair(desks, quantity="4", returnLineId="nothing", estimate="999.80")
    assert codes(await desk.hand_in(Flow.REPAIR, OWNER_CLERK, wrong)) == ["UNKNOWN_LINE"]
    line = repair(desks, quantity="4", returnLineId=broken, estimate="999.80")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, line)
    assert await state(desk, order_id) is State.TO_DIAGNOSE
    again = await desk.hand_in(Flow.REPAIR, OWNER_CLERK, line | {"quantity": "1", "estimate": "1"})
    assert codes(again) == ["REPAIR_ASKED"]
    line_id = (await desk.order(order_id)).lines[0].id
    found = {"lineId": line_id, "outcome": "NEEDS_REPAIR", "cost": "600.00", "finding": "桌腿松动"}
    await done(desk, KEEPER, Command.DIAGNOSE, order_id, lines=[found])
    assert await balances(desk, desks) == {("330106", "IN_STORE"): 6, ("330106", "IN_REPAIR"): 4}
    await done(desk, KEEPER, Command.FINISH_REPAIR, order_id, lines=[{"lineId": line_id, "quantity": "3"}])
    assert await state(desk, order_id) is State.UNDER_REPAIR
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line_id, "outcome": "PASSED"}])
    await done(desk, KEEPER, Command.FINISH_REPAIR, order_id)
    assert await state(desk, order_id) is State.TO_INSPECT
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line_id, "outcome": "NEEDS_REPAIR"}])
    assert await state(desk, order_id) is State.UNDER_REPAIR, "back to the workshop"
    await done(desk, KEEPER, Command.FINISH_REPAIR, order_id)
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line_id, "outcome": "SCRAP"}])
    order = await desk.order(order_id)
    assert (order.state, order.lines[0].cost, order.lines[0].appraisal) == (State.DONE, 600, "桌腿松动")
    assert await balances(desk, desks) == {("330106", "IN_STORE"): 9, ("330106", "TO_DISPOSE"): 1}
    assert codes(await desk.apply(desks, quantity="10", window=days(30, 3))) == ["GOODS_DAMAGED"]
    assert codes(await desk.apply(desks, quantity="9", window=days(30, 3))) == []


async def test_what_a_diagnosis_gives_up_is_disposed_of(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = city.add_asset("p1")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset))
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, KEEPER, Command.DIAGNOSE, order_id, lines=[{"lineId": line, "outcome": "SCRAP"}])
    assert (await state(desk, order_id), await balances(desk, asset)) == (State.DONE, {("330106", "TO_DISPOSE"): 1})
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]
    assert codes(await desk.apply(asset)) == ["GOODS_DAMAGED"]
    city.assets[asset]["condition"] = "BEYOND_REPAIR"
    disposal = await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": asset})
    clock.advance(days=7)
    await desk.circulation.tend()
    await desk.approve_all(disposal.order_id)
    await done(desk, KEEPER, Command.EXECUTE, disposal.order_id)
    assert await balances(desk, asset) == {("330106", "DISPOSING"): 1}


async def test_a_repair_costs_at_most_half_of_a_replacement(desk: Desk, city: City) -> None:
    asset, unknown = city.add_asset("p1"), city.add_asset("p2", originalValue=None)
    gone = city.add_asset("p3", condition="BEYOND_REPAIR")
    for line, code in (
        (repair(asset, estimate="2499.51"), "REPAIR_TOO_DEAR"),
        (repair(unknown), "VALUE_UNKNOWN"),
        (repair(gone), "BEYOND_REPAIR"),
        (repair(asset, estimate="-1"), "INVALID_AMOUNT"),
    ):
        assert codes(await desk.hand_in(Flow.REPAIR, OWNER_CLERK, line)) == [code]
    assert codes(await desk.hand_in(Flow.REPAIR, CLERK, repair(asset))) == ["NOT_OWN_ASSET"]
    assert codes(await desk.hand_in(Flow.REPAIR, OWNER_CLERK, repair(unknown, replacementValue="2000"))) == []
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset, estimate="2499.50"))
    line_id = (await desk.order(order_id)).lines[0].id
    for cost, code in (("2499.51", "COST_OVER_ESTIMATE"), ("", "INVALID_AMOUNT")):
        found = {"lineId": line_id, "outcome": "NEEDS_REPAIR", "cost": cost}
        assert codes(await desk.give(KEEPER, Command.DIAGNOSE, order_id, lines=[found])) == [code]


async def test_a_keeper_applies_for_what_they_keep_and_another_one_approves(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = (await desk.hand_in(Flow.REPAIR, KEEPER, repair(asset))).order_id
    assert codes(await desk.give(KEEPER, Command.APPROVE, order_id)) == ["OWN_ORDER"]
    await done(desk, someone("second", Role.KEEPER, region="330106"), Command.APPROVE, order_id)
    assert await state(desk, order_id) is State.TO_DIAGNOSE


async def test_what_was_given_up_is_repaired_after_all_or_given_up_again(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    for outcome, cost in (("SCRAP", {}), ("NEEDS_REPAIR", {"cost": "100"})):
        order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(desks, quantity="8", estimate="900"))
        line = (await desk.order(order_id)).lines[0].id
        await done(desk, KEEPER, Command.DIAGNOSE, order_id, lines=[{"lineId": line, "outcome": outcome, **cost}])
    assert await balances(desk, desks) == {("330106", "IN_REPAIR"): 8, ("330106", "IN_STORE"): 2}
    await done(desk, KEEPER, Command.FINISH_REPAIR, order_id)
    await done(desk, KEEPER, Command.INSPECT, order_id, lines=[{"lineId": line, "outcome": "SCRAP"}])
    again = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(desks, quantity="9", estimate="900"))
    line = (await desk.order(again)).lines[0].id
    await done(desk, KEEPER, Command.DIAGNOSE, again, lines=[{"lineId": line, "outcome": "SCRAP"}])
    assert await balances(desk, desks) == {("330106", "TO_DISPOSE"): 9, ("330106", "IN_STORE"): 1}
