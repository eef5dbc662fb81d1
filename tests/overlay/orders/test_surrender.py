"""上缴: appraised, then stored; only with a ground and a clear title."""

from __future__ import annotations

from typing import Any

import pytest

from overlay.orders.model import Command, Flow, HoldState, State
from tests.overlay.city import CLERK, KEEPER, OWNER_CLERK, City, ManualClock
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import approved, balances, codes, done, lent, state, surrender


async def test_what_is_surrendered_is_appraised_and_stored(desk: Desk, city: City) -> None:
    one, two = city.add_asset("a", status="IDLE", quantity="4"), city.add_asset("b", status="IDLE")
    lines = [{"assetId": one, "quantity": "4"}, {"assetId": two}]
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, *lines, **surrender())
    order = await desk.order(order_id)
    assert [step.office for step in order.approvals] == ["OWNER_UNIT", "DEPARTMENT", "WAREHOUSE"]
    assert order.state is State.TO_APPRAISE
    found = [
        {"lineId": order.lines[0].id, "outcome": "PASSED", "finding": "完好"},
        {"lineId": order.lines[1].id, "outcome": "REFUSED", "finding": "无使用价值"},
    ]
    await done(desk, KEEPER, Command.APPRAISE, order_id, lines=found)
    assert await state(desk, order_id) is State.TO_STORE
    part = [{"lineId": order.lines[0].id, "quantity": "1"}]
    await done(desk, KEEPER, Command.STORE, order_id, lines=part)
    assert await balances(desk, one) == {("330106", "IN_TRANSIT"): 3, ("330106", "IN_STORE"): 1}
    await done(desk, KEEPER, Command.STORE, order_id)
    order = await desk.order(order_id)
    assert (order.state, [line.appraisal for line in order.lines]) == (State.DONE, ["完好", "无使用价值"])
    assert {line.hold_state for line in order.lines} == {HoldState.RELEASED}
    assert (city.assets[one]["status"], city.assets[two]["status"]) == ("IN_STORE", "IDLE")
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]
    assert codes(await desk.apply(one)) == [], "it can be lent now"


async def test_a_warehouse_may_refuse_everything(desk: Desk, city: City) -> None:
    order_id = await approved(
        desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": city.add_asset("a", status="IDLE")}, **surrender()
    )
    line = (await desk.order(order_id)).lines[0].id
    wrong = await desk.give(KEEPER, Command.APPRAISE, order_id, lines=[{"lineId": line, "outcome": "LOST"}])
    assert codes(wrong) == ["INVALID_OUTCOME"]
    await done(desk, KEEPER, Command.APPRAISE, order_id, lines=[{"lineId": line, "outcome": "REFUSED"}])
    assert await state(desk, order_id) is State.REJECTED


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"since": "2026-06-02"}, "IDLE_TOO_SHORT"),
        ({"since": None}, "IDLE_TOO_SHORT"),
        ({"titleClear": False}, "TITLE_NOT_CLEAR"),
        ({"ground": "TEMPORARY_BODY_ENDED", "since": "2026-12-02"}, "BODY_NOT_ENDED"),
        ({"purpose": " "}, "INVALID_TEXT"),
        ({"since": "2026-06-01"}, None),
        ({"ground": "TEMPORARY_BODY_ENDED", "since": "2026-12-01"}, None),
        ({"ground": "OVER_STANDARD", "since": None}, None),
    ],
)
async def test_a_surrender_has_a_ground(desk: Desk, city: City, changed: dict[str, Any], code: str | None) -> None:
    answer = await desk.hand_in(
        Flow.SURRENDER, OWNER_CLERK, {"assetId": city.add_asset("a", status="IDLE")}, **surrender() | changed
    )
    assert codes(answer) == ([] if code is None else [code])


async def test_only_what_is_ones_own_and_idle_is_surrendered(desk: Desk, city: City) -> None:
    idle, used = city.add_asset("a", status="IDLE"), city.add_asset("b", status="IN_USE")
    assert codes(await desk.hand_in(Flow.SURRENDER, CLERK, {"assetId": idle}, **surrender())) == ["NOT_OWN_ASSET"]
    refused = await desk.hand_in(Flow.SURRENDER, OWNER_CLERK, {"assetId": used}, **surrender())
    assert codes(refused) == ["ASSET_NOT_AVAILABLE"]
    over = surrender() | {"ground": "OVER_STANDARD"}
    assert codes(await desk.hand_in(Flow.SURRENDER, OWNER_CLERK, {"assetId": used}, **over)) == []
    hidden = city.add_asset("c", status="IDLE", shareable=False)
    assert codes(await desk.hand_in(Flow.SURRENDER, OWNER_CLERK, {"assetId": hidden}, **surrender())) == []


async def test_an_approved_order_whose_goods_never_move_lapses(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = city.add_asset("a", status="IDLE")
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": asset}, **surrender())
    clock.advance(days=15)
    await desk.circulation.tend()
    assert await state(desk, order_id) is State.EXPIRED
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]


async def test_what_came_back_damaged_is_not_taken_for_what_works(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", status="IDLE", quantity="10")
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, await lent(desk, desks, quantity="4"))
    broken = (await desk.order(return_id)).lines[0].id
    await done(desk, KEEPER, Command.INSPECT, return_id, lines=[{"lineId": broken, "outcome": "NEEDS_REPAIR"}])
    whole = {"assetId": desks, "quantity": "10"}
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, whole, **surrender())
    line = (await desk.order(order_id)).lines[0].id
    answer = await desk.give(KEEPER, Command.APPRAISE, order_id, lines=[{"lineId": line, "outcome": "PASSED"}])
    assert (codes(answer), await state(desk, order_id)) == (["GOODS_DAMAGED"], State.TO_APPRAISE)
    assert await balances(desk, desks) == {("330106", "IN_STORE"): 6, ("330106", "DAMAGED"): 4}
    await done(desk, OWNER_CLERK, Command.WITHDRAW, order_id)
