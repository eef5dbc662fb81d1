"""处置与捐赠: offered to all first; what somebody wants is not thrown away, what still works is not scrapped."""

from __future__ import annotations

from contract.identity import Role
from overlay.orders.model import Command, Flow, State
from tests.overlay.city import (
    CLERK,
    HEAD,
    KEEPER,
    LENDING_FINANCE,
    OTHER,
    OWNER_CLERK,
    City,
    ManualClock,
    days,
    someone,
)
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import balances, codes, done, state

RIVAL = someone("rival", Role.APPLICANT, unit=OTHER, region="330109")


def broken(city: City, native: str, **changed: object) -> str:
    return city.add_asset(native, condition="BEYOND_REPAIR", **changed)


async def on_notice(desk: Desk, flow: Flow, *assets: str, quantity: str = "1", **body: str) -> str:
    answer = await desk.hand_in(flow, OWNER_CLERK, *({"assetId": a, "quantity": quantity} for a in assets), **body)
    assert codes(answer) == []
    assert answer.order_id is not None
    return answer.order_id


async def test_nobody_wants_it_and_it_is_disposed_of(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = broken(city, "old", quantity="10")
    order_id = await on_notice(desk, Flow.DISPOSAL, asset, quantity="4")
    order = await desk.order(order_id)
    assert (order.state, str(order.notice_until), city.holds) == (State.PUBLIC_NOTICE, "2026-12-08", {})
    clock.advance(days=6)
    await desk.circulation.tend()
    assert await state(desk, order_id) is State.PUBLIC_NOTICE
    clock.advance(days=1)
    await desk.circulation.tend()
    order = await desk.order(order_id)
    assert (order.state, [step.office for step in order.approvals]) == (State.IN_APPROVAL, ["OWNER_UNIT", "DEPARTMENT"])
    await desk.approve_all(order_id)
    assert await state(desk, order_id) is State.TO_EXECUTE
    line = order.lines[0].id
    await done(desk, KEEPER, Command.EXECUTE, order_id, lines=[{"lineId": line, "quantity": "3"}])
    await done(desk, LENDING_FINANCE, Command.WRITE_OFF, order_id)
    assert await state(desk, order_id) is State.TO_EXECUTE, "one is still to be carried out"
    await done(desk, KEEPER, Command.EXECUTE, order_id)
    assert await state(desk, order_id) is State.TO_WRITE_OFF
    await done(desk, LENDING_FINANCE, Command.WRITE_OFF, order_id)
    assert await state(desk, order_id) is State.DONE
    assert await balances(desk, asset) == {("330106", "DISPOSED"): 4, ("330106", "IN_STORE"): 6}
    assert (city.assets[asset]["quantity"], city.assets[asset]["status"]) == ("6", "IN_STORE")


async def test_a_donation_names_who_receives_it(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = city.add_asset("works")
    nobody = await desk.hand_in(Flow.DONATION, OWNER_CLERK, {"assetId": asset})
    assert codes(nobody) == ["INVALID_TEXT"]
    order_id = await on_notice(desk, Flow.DONATION, asset, recipient="某乡村小学")
    clock.advance(days=7)
    await desk.circulation.tend()
    await desk.approve_all(order_id)
    await done(desk, KEEPER, Command.EXECUTE, order_id)
    await done(desk, LENDING_FINANCE, Command.WRITE_OFF, order_id)
    assert await balances(desk, asset) == {("330106", "DONATED"): 1}
    assert city.assets[asset]["status"] == "DISPOSED"


async def test_whoever_applies_during_the_notice_gets_it(desk: Desk, city: City, clock: ManualClock) -> None:
    one, two = broken(city, "a"), broken(city, "b")
    order_id = await on_notice(desk, Flow.DISPOSAL, one, two)
    assert codes(await desk.apply(one, by=RIVAL)) == []
    order = await desk.order(order_id)
    assert order.state is State.PUBLIC_NOTICE
    assert [(line.quantity, line.refusal) for line in order.lines] == [(0, "TAKEN"), (1, None)]
    wanted = await desk.hand_in(Flow.REALLOCATION, CLERK, {"assetId": two})
    assert codes(wanted) == []
    assert await state(desk, order_id) is State.STOPPED


async def test_an_application_that_is_refused_stops_no_notice(desk: Desk, city: City) -> None:
    one, busy = broken(city, "a"), city.add_asset("b")
    order_id = await on_notice(desk, Flow.DISPOSAL, one)
    await desk.apply(busy)
    assert codes(await desk.apply(one, busy, by=RIVAL)) == ["ASSET_BUSY"]
    assert (await desk.order(order_id)).lines[0].quantity == 1


async def test_what_was_booked_past_the_overlay_drops_out_when_the_notice_ends(
    desk: Desk, city: City, clock: ManualClock
) -> None:
    one, two = broken(city, "a"), broken(city, "b")
    both = await on_notice(desk, Flow.DISPOSAL, one, two)
    alone = await on_notice(desk, Flow.DISPOSAL, broken(city, "c"))
    for native in ("a", "c"):
        city.assets[f"asset:330106:{native}"]["status"] = "LOST"
    clock.advance(days=7)
    await desk.circulation.tend()
    order = await desk.order(both)
    assert (order.state, [line.refusal for line in order.lines]) == (State.IN_APPROVAL, ["NOT_AVAILABLE", None])
    assert await state(desk, alone) is State.STOPPED


async def test_anybody_of_another_unit_may_object(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = await on_notice(desk, Flow.DISPOSAL, broken(city, "a"))
    assert codes(await desk.give(OWNER_CLERK, Command.OBJECT, order_id, reason="x")) == ["FORBIDDEN"]
    assert codes(await desk.give(KEEPER, Command.OBJECT, order_id, reason="x")) == ["FORBIDDEN"]
    assert codes(await desk.give(RIVAL, Command.OBJECT, order_id)) == ["INVALID_TEXT"]
    await done(desk, RIVAL, Command.OBJECT, order_id, reason="仍可修复")
    assert await state(desk, order_id) is State.RETURNED
    clock.advance(days=3)
    await done(desk, OWNER_CLERK, Command.RESUBMIT, order_id)
    order = await desk.order(order_id)
    assert (order.state, str(order.notice_until)) == (State.PUBLIC_NOTICE, "2026-12-11"), "a new notice"


async def test_a_return_for_correction_gives_the_goods_free_and_begins_anew(
    desk: Desk, city: City, clock: ManualClock
) -> None:
    asset = broken(city, "a")
    order_id = await on_notice(desk, Flow.DISPOSAL, asset)
    clock.advance(days=7)
    await desk.circulation.tend()
    await done(desk, someone("oh", Role.UNIT_OFFICER, unit=OWNER_CLERK.unit), Command.RETURN_FOR_CORRECTION, order_id,
               reason="补充鉴定")  # fmt: skip
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]
    await done(desk, OWNER_CLERK, Command.RESUBMIT, order_id)
    clock.advance(days=7)
    await desk.circulation.tend()
    order = await desk.order(order_id)
    assert (order.state, [step.state for step in order.approvals]) == (State.IN_APPROVAL, ["CURRENT", "WAITING"])
    await desk.approve_all(order_id)
    await done(desk, KEEPER, Command.EXECUTE, order_id)


async def test_what_is_not_ripe_for_disposal(desk: Desk, city: City) -> None:
    young = {"acquiredOn": "2024-01-01"}
    works, new = city.add_asset("a"), broken(city, "b", **young)
    booked = broken(city, "c")
    await desk.apply(booked)
    for asset, code in ((works, "STILL_WORKS"), (new, "LIFE_NOT_REACHED"), (booked, "ASSET_BUSY")):
        assert codes(await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": asset})) == [code]
    assert codes(await desk.hand_in(Flow.DISPOSAL, CLERK, {"assetId": works})) == ["NOT_OWN_ASSET"]
    appraised = {"assetId": new, "appraisal": "主板烧毁，无法修复"}
    assert codes(await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, appraised)) == []


async def test_a_public_notice_is_seen_by_everybody_until_it_ends(desk: Desk, city: City) -> None:
    order_id = await on_notice(desk, Flow.DISPOSAL, broken(city, "a"))
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["NOT_ALLOWED_IN_STATE"], "they see it"
    await done(desk, OWNER_CLERK, Command.WITHDRAW, order_id)
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["NOT_FOUND"]


async def test_days_after_the_notice_are_free_for_nobody(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = broken(city, "a")
    order_id = await on_notice(desk, Flow.DISPOSAL, asset)
    clock.advance(days=7)
    await desk.circulation.tend()
    far = await desk.apply(asset, by=RIVAL, window=days(340, 3))
    assert codes(far) == ["ASSET_BUSY"], "what is to go for good is promised to nobody"
    assert await state(desk, order_id) is State.IN_APPROVAL
