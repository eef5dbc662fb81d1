"""借用: extension, overdue, parts, compensation and loss."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from contract.identity import Role
from overlay.orders import repository
from overlay.orders.model import Command, ExtensionState, Flow, HoldState, Order, State
from overlay.orders.rights import inbox_condition
from overlay.store.tables import outbox
from tests.overlay.city import (
    BORROWER,
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    LENDING_FINANCE,
    OTHER,
    City,
    ManualClock,
    days,
    someone,
)
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import balances, codes, done, lent, state

RIVAL = someone("rival", Role.APPLICANT, unit=OTHER, region="330109")


async def test_a_loan_is_extended_by_its_own_chain(desk: Desk, city: City) -> None:
    order_id = await lent(desk, city.add_asset("p1"))
    until = days(1, 20)["to"]
    await done(desk, CLERK, Command.EXTEND, order_id, to=until, reason="会期延长")
    order = await desk.order(order_id)
    assert order.state is State.EXTENDING
    assert [step.office for step in order.approvals if step.extension == 1] == ["UNIT_HEAD", "LENDING_REGION"]
    assert codes(await desk.give(CLERK, Command.APPROVE, order_id)) == ["FORBIDDEN"]
    city.assets["asset:330106:p1"]["condition"] = "NEEDS_REPAIR"
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["ASSET_CHANGED"]
    city.assets["asset:330106:p1"]["condition"] = "GOOD"
    await desk.approve_all(order_id)
    order = await desk.order(order_id)
    assert (order.state, order.to_day, order.extensions[0].state) == (
        State.LENT, date.fromisoformat(until), ExtensionState.GRANTED,
    )  # fmt: skip
    assert [hold.to_day for hold in city.holds.values()] == [until]


async def test_extensions_are_limited_in_number_and_in_days(desk: Desk, city: City) -> None:
    order_id = await lent(desk, city.add_asset("p1"))
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to=days(1, 7)["to"])) == ["INVALID_RANGE"]
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to=days(1, 181)["to"])) == ["LOAN_TOO_LONG"]
    for length in (20, 30):
        assert Command.EXTEND in await desk.allowed(CLERK, order_id)
        await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, length)["to"])
        await desk.approve_all(order_id)
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to=days(1, 40)["to"])) == ["TOO_MANY_EXTENSIONS"]
    assert await state(desk, order_id) is State.LENT
    assert await desk.allowed(CLERK, order_id) == [Command.RETURN_GOODS]


async def test_no_extension_is_offered_that_leaves_no_day_to_ask_for(
    desk: Desk, city: City, clock: ManualClock
) -> None:
    whole, short = city.add_asset("whole"), city.add_asset("short")
    longest = await lent(desk, whole, window=days(1, 180))
    assert Command.EXTEND not in await desk.allowed(CLERK, longest)
    order_id = await lent(desk, short)
    clock.advance(days=180)
    assert Command.EXTEND in await desk.allowed(CLERK, order_id), "overdue, and a day is left"
    clock.advance(days=1)
    assert Command.EXTEND not in await desk.allowed(CLERK, order_id)
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to=days(1, 181)["to"])) == ["LOAN_TOO_LONG"]


async def test_days_that_are_promised_to_others_are_not_granted(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await lent(desk, asset)
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 9)["to"])
    later = await desk.apply(asset, by=RIVAL, window=days(12, 3))
    assert codes(later) == []
    await desk.approve_all(order_id)
    refused = await desk.give(CLERK, Command.EXTEND, order_id, to=days(1, 11)["to"])
    assert codes(refused) == ["ASSET_BUSY"], "a day must lie between the two loans"
    assert (await desk.order(order_id)).to_day == date.fromisoformat(days(1, 9)["to"])


async def test_a_batch_is_extended_as_far_as_it_suffices(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    order_id = await lent(desk, desks, quantity="4")
    assert codes(await desk.apply(desks, by=RIVAL, window=days(9, 5), quantity="6")) == []
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 20)["to"])
    await desk.approve_all(order_id)
    assert (await desk.order(order_id)).extensions[0].state is ExtensionState.GRANTED
    assert codes(await desk.apply(desks, by=RIVAL, window=days(11, 2), quantity="1")) == ["ASSET_BUSY"]


async def test_an_owner_that_refuses_at_last_leaves_the_extension_undecided(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await lent(desk, asset)
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 20)["to"])
    await done(desk, HEAD, Command.APPROVE, order_id)
    assert codes(await desk.apply(asset, by=RIVAL, window=days(10, 3))) == []
    assert codes(await desk.give(LENDING, Command.APPROVE, order_id)) == ["ASSET_BUSY"]
    assert await state(desk, order_id) is State.EXTENDING
    await done(desk, LENDING, Command.REJECT, order_id, reason="已被他人预约")
    order = await desk.order(order_id)
    assert (order.state, order.extensions[0].state) == (State.LENT, ExtensionState.REFUSED)


async def test_goods_that_all_go_back_need_no_extension(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    order_id = await lent(desk, desks, quantity="4")
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 20)["to"])
    line = (await desk.order(order_id)).lines[0].id
    await done(desk, CLERK, Command.RETURN_GOODS, order_id, lines=[{"lineId": line, "quantity": "1"}])
    assert await state(desk, order_id) is State.EXTENDING
    await done(desk, CLERK, Command.RETURN_GOODS, order_id)
    order = await desk.order(order_id)
    assert (order.state, order.extensions[0].state) == (State.RETURNING, ExtensionState.WITHDRAWN)
    assert order.current_step is None


async def test_the_applicant_takes_an_extension_back(desk: Desk, city: City) -> None:
    order_id = await lent(desk, city.add_asset("p1"))
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 20)["to"])
    await done(desk, CLERK, Command.WITHDRAW, order_id)
    assert await state(desk, order_id) is State.LENT
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 15)["to"])
    await desk.approve_all(order_id)
    assert [one.state for one in (await desk.order(order_id)).extensions] == ["WITHDRAWN", "GRANTED"]


async def overdue_notices(desk: Desk) -> list[tuple[int, object]]:
    async with desk.database.read() as connection:
        query = select(outbox).where(outbox.c.topic == "order.overdue").order_by(outbox.c.seq)
        rows = (await connection.execute(query)).mappings().all()
    return [(row["data"]["days"], row["audience"].get("unit")) for row in rows]


async def test_what_is_overdue_is_told_once_for_each_stage(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = await lent(desk, city.add_asset("p1"))
    await desk.circulation.tend()
    assert await overdue_notices(desk) == []
    clock.advance(days=8)
    await asyncio.gather(desk.circulation.remind(), desk.circulation.remind())
    assert await overdue_notices(desk) == [(1, BORROWER), (1, None)], "the borrower and the owner's region"
    clock.advance(days=7)
    for _ in range(2):
        await desk.circulation.tend()
    assert [days_ for days_, unit in await overdue_notices(desk) if unit is None] == [1, 8]
    order = await desk.order(order_id)
    assert (order.overdue_stage, order.is_overdue(date(2026, 12, 16))) == (2, True)


async def test_an_overdue_loan_waits_for_its_applicant(desk: Desk, city: City, clock: ManualClock) -> None:
    async def inbox() -> list[str]:
        async with desk.database.read() as connection:
            query = repository.select_orders(inbox_condition(CLERK))
            return [order.id for order in await repository.load_orders(connection, query)]

    order_id = await lent(desk, city.add_asset("p1"))
    assert await inbox() == []
    clock.advance(days=8)
    await desk.circulation.remind()
    assert await inbox() == [order_id]
    await done(desk, CLERK, Command.RETURN_GOODS, order_id)
    assert await inbox() == [], "it is on its way"


async def test_lines_that_are_not_to_be_had_are_dropped_where_a_part_is_accepted(desk: Desk, city: City) -> None:
    busy, free = city.add_asset("busy"), city.add_asset("free")
    await desk.apply(busy)
    whole = await desk.hand_in(Flow.LOAN, CLERK, {"assetId": busy}, {"assetId": free}, range=days(2, 3))
    assert (whole.order_id, codes(whole)) == (None, ["ASSET_BUSY"])
    part = await desk.hand_in(
        Flow.LOAN, CLERK, {"assetId": busy}, {"assetId": free}, range=days(2, 3), acceptPartial=True
    )
    assert codes(part) == []
    lines = {line.asset_id: line for line in (await desk.order(part.order_id)).lines}
    assert [(lines[one].asked, lines[one].quantity, lines[one].refusal) for one in (busy, free)] == [
        (1, 0, "ASSET_BUSY"), (1, 1, None),
    ]  # fmt: skip
    await desk.approve_all(part.order_id)
    await done(desk, KEEPER, Command.DISPATCH, part.order_id)
    assert await state(desk, part.order_id) is State.IN_TRANSIT
    nothing = await desk.hand_in(Flow.LOAN, CLERK, {"assetId": busy}, range=days(2, 3), acceptPartial=True)
    assert (nothing.order_id, codes(nothing)) == (None, ["ASSET_BUSY"])


async def test_a_quantity_is_reduced_to_what_the_owner_has(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="30")
    await desk.apply(desks, quantity="20")
    assert codes(await desk.apply(desks, quantity="20")) == ["ASSET_BUSY"]
    line = {"assetId": desks, "quantity": "20", "acceptPartial": True}
    part = await desk.hand_in(Flow.LOAN, CLERK, line, range=days(2, 3))
    found = (await desk.order(part.order_id)).lines[0]
    assert (found.asked, found.quantity, found.refusal) == (20, 10, "ASSET_BUSY")


async def test_an_owner_that_refuses_after_all_costs_its_own_line_only(desk: Desk, city: City) -> None:
    """The calendar was free when it was looked at; the book decides when the hold is placed."""
    one, two = city.add_asset("a"), city.add_asset("b")
    city.faults.append("lost_before")
    unknown = await desk.hand_in(
        Flow.LOAN, CLERK, {"assetId": one}, {"assetId": two}, range=days(2, 3), acceptPartial=True
    )
    assert codes(unknown) == ["OUTCOME_UNKNOWN"]
    assert codes(await desk.apply(one, by=RIVAL, window=days(2, 3))) == []
    await desk.circulation.resume()
    order = await desk.order(unknown.order_id)
    assert order.state is State.IN_APPROVAL
    assert {line.asset_id: line.quantity for line in order.lines} == {one: 0, two: 1}


async def test_what_a_calendar_that_filled_meanwhile_still_has_is_tried_once_more(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    line = {"assetId": desks, "quantity": "6", "acceptPartial": True}
    city.faults.append("lost_before")
    waiting = await desk.hand_in(Flow.LOAN, CLERK, line, range=days(2, 3))
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="7")) == []
    await desk.circulation.resume()
    found = (await desk.order(waiting.order_id)).lines[0]
    assert (found.asked, found.quantity, found.refusal, found.hold_state) == (6, 3, "ASSET_BUSY", HoldState.ACTIVE)
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="1")) == ["ASSET_BUSY"]


async def outrun_twice(desk: Desk, city: City, desks: str, *others: str) -> Order:
    """An application whose goods others take before it is placed, and what it tries then before that is."""
    lines = [{"assetId": desks, "quantity": "6", "acceptPartial": True}, *({"assetId": one} for one in others)]
    city.faults.append("lost_before")
    waiting = await desk.hand_in(Flow.LOAN, CLERK, *lines, key="slow", range=days(2, 3))
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="7")) == []
    city.faults.extend([*["ok"] * len(lines), "lost_before"])
    await desk.circulation.resume()
    assert (await desk.order(waiting.order_id)).lines[0].quantity == 3
    assert codes(await desk.apply(desks, by=RIVAL, window=days(2, 3), quantity="1")) == []
    await desk.circulation.resume()
    return await desk.order(waiting.order_id)


async def test_a_part_is_tried_once_and_the_other_lines_go_on(desk: Desk, city: City) -> None:
    order = await outrun_twice(desk, city, city.add_asset("desks", quantity="10"), city.add_asset("lamp"))
    assert (order.state, [line.quantity for line in order.lines]) == (State.IN_APPROVAL, [0, 1])


async def test_a_part_that_is_refused_too_is_told_once(desk: Desk, city: City) -> None:
    desks = city.add_asset("desks", quantity="10")
    order = await outrun_twice(desk, city, desks)
    line = {"assetId": desks, "quantity": "6", "acceptPartial": True}
    told = await desk.hand_in(Flow.LOAN, CLERK, line, key="slow", range=days(2, 3))
    assert (order.state, codes(told)) == (State.REJECTED, ["ASSET_BUSY"])


async def returned(desk: Desk, order_id: str, *outcomes: dict[str, str]) -> str:
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, order_id)
    lines = (await desk.order(return_id)).lines
    found = [{"lineId": line.id, **outcome} for line, outcome in zip(lines, outcomes, strict=True)]
    await done(desk, KEEPER, Command.INSPECT, return_id, lines=found)
    return return_id


async def test_damage_is_compensated_by_agreement(desk: Desk, city: City) -> None:
    one, two = city.add_asset("p1"), city.add_asset("p2")
    order_id = await lent(desk, one, two)
    return_id = await returned(desk, order_id, {"outcome": "COMPENSATION", "amount": "800"}, {"outcome": "LOST"})
    await done(desk, LENDING, Command.APPROVE, return_id)
    assert await state(desk, return_id) is State.TO_COMPENSATE
    assert codes(await desk.give(HEAD, Command.AGREE_COMPENSATION, return_id)) == ["NO_AMOUNT"]
    lost = (await desk.order(return_id)).lines[1].id
    wrong = await desk.give(
        LENDING, Command.PROPOSE_COMPENSATION, return_id, lines=[{"lineId": lost, "amount": "0.001"}]
    )
    assert codes(wrong) == ["INVALID_AMOUNT"]
    await done(desk, LENDING, Command.PROPOSE_COMPENSATION, return_id, lines=[{"lineId": lost, "amount": "4999.00"}])
    early = await desk.give(LENDING_FINANCE, Command.SETTLE_COMPENSATION, return_id, reference="凭证 1")
    assert codes(early) == ["NOT_AGREED"]
    assert codes(await desk.give(LENDING, Command.AGREE_COMPENSATION, return_id)) == ["FORBIDDEN"]
    await done(desk, HEAD, Command.AGREE_COMPENSATION, return_id)
    await done(desk, LENDING_FINANCE, Command.SETTLE_COMPENSATION, return_id, reference="凭证 1")
    order = await desk.order(return_id)
    paid = [line.compensation for line in order.lines]
    assert order.state is State.DONE
    assert [(one.amount, one.agreed_by, one.reference) for one in paid if one is not None] == [
        (Decimal(800), "head", "凭证 1"), (Decimal(4999), "head", "凭证 1"),
    ]  # fmt: skip
    assert await state(desk, order_id) is State.DONE
    assert await balances(desk, one) == {("330106", "DAMAGED"): 1}
    assert await balances(desk, two) == {("330106", "LOST"): 1}
    assert city.assets[two]["status"] == "DISPOSED", "what is lost is nobody's to lend"


async def test_an_amount_that_is_changed_is_agreed_to_anew(desk: Desk, city: City) -> None:
    return_id = await returned(
        desk, await lent(desk, city.add_asset("p1")), {"outcome": "COMPENSATION", "amount": "800"}
    )
    await done(desk, LENDING, Command.APPROVE, return_id)
    await done(desk, HEAD, Command.AGREE_COMPENSATION, return_id)
    line = (await desk.order(return_id)).lines[0].id
    await done(desk, LENDING, Command.PROPOSE_COMPENSATION, return_id, lines=[{"lineId": line, "amount": "900"}])
    refused = await desk.give(LENDING_FINANCE, Command.SETTLE_COMPENSATION, return_id, reference="凭证")
    assert codes(refused) == ["NOT_AGREED"]
