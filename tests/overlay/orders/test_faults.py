"""Every command that reaches an owner ends the same way, whatever the owner answers and wherever the process dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from contract.identity import Identity
from overlay.orders.model import Command, Flow, Settlement, State
from overlay.orders.saga import LEASE
from overlay.store.database import Database
from tests.overlay.city import (
    CLERK,
    HEAD,
    KEEPER,
    LENDING,
    LENDING_FINANCE,
    OWNER_CLERK,
    City,
    Crash,
    ManualClock,
    days,
)
from tests.overlay.conftest import Desk, opened_desk
from tests.overlay.orders.steps import approved, arrived, balances, codes, done, lent, repair, surrender
from tests.stores import NewStore

MOMENTS = 40
"""Of an application, one after the other."""
Act = Callable[[Desk, ManualClock], Awaitable[Any]]
Prepare = Callable[[Desk, ManualClock, str], Awaitable[Act]]


@dataclass(frozen=True)
class Case:
    prepare: Prepare
    """Brings an order on this asset to where the command can be given, and gives the command."""
    state: State
    where: str | None
    """Where the goods are in the ledger afterwards; None: nothing has moved."""
    after: int = 0
    """How many of the command's calls go well before the fault."""
    asset: dict[str, Any] | None = None


def given(by: Identity, command: Command, order_id: str, **body: Any) -> Act:
    async def act(desk: Desk, _clock: ManualClock) -> Any:
        return await desk.give(by, command, order_id, **body)

    return act


async def judgement(desk: Desk, command: Command, order_id: str, outcome: str, **more: str) -> Act:
    line = (await desk.order(order_id)).lines[0].id
    return given(KEEPER, command, order_id, lines=[{"lineId": line, "outcome": outcome, **more}])


async def extend(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    order_id = await lent(desk, asset)
    await done(desk, CLERK, Command.EXTEND, order_id, to=days(1, 20)["to"])
    await done(desk, HEAD, Command.APPROVE, order_id)
    return given(LENDING, Command.APPROVE, order_id)


async def lose(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    return_id = await done(desk, CLERK, Command.RETURN_GOODS, await lent(desk, asset))
    return await judgement(desk, Command.INSPECT, return_id, "LOST")


def applying(flow: Flow, by: Identity, **body: Any) -> Prepare:
    async def prepare(_desk: Desk, _clock: ManualClock, asset: str) -> Act:
        async def act(desk: Desk, _: ManualClock) -> Any:
            line = repair(asset) if flow is Flow.REPAIR else {"assetId": asset}
            return await desk.hand_in(flow, by, line, **body)

        return act

    return prepare


async def reallocate(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    return given(KEEPER, Command.DISPATCH, await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset}))


async def take_over(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    return given(CLERK, Command.RECEIVE, await arrived(desk, asset))


async def send_back(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    order_id = await done(desk, CLERK, Command.RETURN_TO_OWNER, await arrived(desk, asset), reason="不符")
    return await judgement(desk, Command.INSPECT, order_id, "PASSED")


async def appraise(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    order_id = await approved(desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": asset}, **surrender())
    return await judgement(desk, Command.APPRAISE, order_id, "PASSED")


async def store(desk: Desk, clock: ManualClock, asset: str) -> Act:
    answer = await (await appraise(desk, clock, asset))(desk, clock)
    return given(KEEPER, Command.STORE, answer.order_id)


async def diagnose(desk: Desk, _clock: ManualClock, asset: str) -> Act:
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset))
    return await judgement(desk, Command.DIAGNOSE, order_id, "NEEDS_REPAIR", cost="900")


async def mend(desk: Desk, clock: ManualClock, asset: str) -> Act:
    answer = await (await diagnose(desk, clock, asset))(desk, clock)
    await done(desk, KEEPER, Command.FINISH_REPAIR, answer.order_id)
    return await judgement(desk, Command.INSPECT, answer.order_id, "PASSED")


async def close(desk: Desk, clock: ManualClock, asset: str) -> Act:
    assert codes(await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": asset})) == []
    clock.advance(days=7)

    async def act(desk: Desk, _: ManualClock) -> None:
        await desk.circulation.close_notices()

    return act


async def ripe(desk: Desk, clock: ManualClock, asset: str) -> str:
    await (await close(desk, clock, asset))(desk, clock)
    order_id = (await desk.orders())[-1].id
    await desk.approve_all(order_id)
    return order_id


async def execute(desk: Desk, clock: ManualClock, asset: str) -> Act:
    return given(KEEPER, Command.EXECUTE, await ripe(desk, clock, asset))


async def write_off(desk: Desk, clock: ManualClock, asset: str) -> Act:
    order_id = await done(desk, KEEPER, Command.EXECUTE, await ripe(desk, clock, asset))
    return given(LENDING_FINANCE, Command.WRITE_OFF, order_id)


BROKEN = {"condition": "BEYOND_REPAIR"}
IDLE = {"status": "IDLE"}
CASES = {
    "extend": Case(extend, State.LENT, "LENT"),
    "lose": Case(lose, State.IN_APPROVAL, "LOST"),
    "apply for a reallocation": Case(applying(Flow.REALLOCATION, CLERK), State.IN_APPROVAL, None),
    "apply for a surrender": Case(
        applying(Flow.SURRENDER, OWNER_CLERK, **surrender()), State.IN_APPROVAL, None, 0, IDLE
    ),
    "apply for a repair": Case(applying(Flow.REPAIR, OWNER_CLERK), State.IN_APPROVAL, None),
    "dispatch for good": Case(reallocate, State.IN_TRANSIT, "IN_TRANSIT"),
    "make the card": Case(take_over, State.DONE, "IN_STORE"),
    "transfer out": Case(take_over, State.DONE, "IN_STORE", after=1),
    "take back": Case(send_back, State.SENT_BACK, "IN_STORE"),
    "appraise": Case(appraise, State.TO_STORE, "IN_TRANSIT", 0, IDLE),
    "store": Case(store, State.DONE, "IN_STORE", 0, IDLE),
    "diagnose": Case(diagnose, State.UNDER_REPAIR, "IN_REPAIR"),
    "take out of repair": Case(mend, State.DONE, "IN_STORE"),
    "close the notice": Case(close, State.IN_APPROVAL, None, 0, BROKEN),
    "execute": Case(execute, State.TO_WRITE_OFF, "DISPOSING", 0, BROKEN),
    "write off": Case(write_off, State.DONE, "DISPOSED", 0, BROKEN),
}


async def check(desk: Desk, city: City, case: Case, asset: str) -> None:
    """Settled, in the state that was meant, the goods in one place, and no card or hold made twice."""
    order = max((one for one in await desk.orders() if one.lines[0].asset_id == asset), key=lambda one: one.seq)
    assert (order.state, order.settlement, order.command_id) == (case.state, Settlement.SETTLED, None)
    found = await balances(desk, asset)
    assert [(custody, quantity) for (_, custody), quantity in found.items()] == (
        [] if case.where is None else [(case.where, Decimal(1))]
    )
    assert len([hold for hold in city.holds.values() if hold.asset == asset]) == 1
    cards = [one for one in city.assets.values() if one["predecessorId"] == asset]
    assert len(cards) == (1 if case.prepare is take_over else 0)


@pytest.mark.parametrize("name", CASES)
async def test_an_outcome_that_is_unknown_is_shown_and_settled(
    desk: Desk, city: City, clock: ManualClock, name: str
) -> None:
    case = CASES[name]
    for fault in ("unreachable", "lost_before", "lost_after"):
        asset = city.add_asset(fault, **(case.asset or {}))
        act = await case.prepare(desk, clock, asset)
        city.faults.extend([*["ok"] * case.after, fault])
        await act(desk, clock)
        unknown = [order for order in await desk.orders() if order.settlement is Settlement.UNKNOWN]
        assert [order.lines[0].asset_id for order in unknown] == [asset]
        assert await desk.circulation.resume() == 1
        await check(desk, city, case, asset)


@pytest.mark.parametrize("name", CASES)
async def test_a_command_is_finished_after_a_crash(url: str, city: City, clock: ManualClock, name: str) -> None:
    case = CASES[name]
    for fault in ("crash_before", "crash_after"):
        asset = city.add_asset(fault, **(case.asset or {}))
        async with opened_desk(url, city, clock) as desk:
            act = await case.prepare(desk, clock, asset)
            city.faults.extend([*["ok"] * case.after, fault])
            with pytest.raises(Crash):
                await act(desk, clock)
        async with opened_desk(url, city, clock) as desk:
            clock.advance(seconds=LEASE.total_seconds() + 1)
            assert await desk.circulation.resume() == 1
            await check(desk, city, case, asset)


async def test_who_hangs_up_at_whatever_moment_stops_nothing_that_has_begun(desk: Desk, city: City) -> None:
    """Nothing is left for whoever looks after open commands, once their lease is over."""
    await desk.apply(city.add_asset("first"))
    started = time.perf_counter()
    await desk.apply(city.add_asset("second"))
    moment_s = (time.perf_counter() - started) / MOMENTS
    for moment in range(MOMENTS):
        applying = asyncio.create_task(desk.apply(city.add_asset(f"p{moment}")))
        await asyncio.wait([applying], timeout=moment * moment_s)
        applying.cancel()
        await asyncio.wait([applying])
        await desk.circulation.stop()
        assert await desk.circulation.resume() == 0
    assert len(await desk.orders()) > 2


async def test_a_result_that_the_store_refuses_is_not_taken_for_a_repeated_key(
    new_store: NewStore, city: City, clock: ManualClock
) -> None:
    async with opened_desk(new_store("sqlite", Database), city, clock) as desk:
        refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON steps BEGIN SELECT RAISE(ABORT, 'refused'); END"
        async with desk.database.write() as connection:
            await connection.execute(text(refuse))
        with pytest.raises(IntegrityError, match="refused"):
            await desk.apply(city.add_asset("p1"))
        async with desk.database.write() as connection:
            await connection.execute(text("DROP TRIGGER refuse"))
        clock.advance(seconds=LEASE.total_seconds() + 1)
        assert await desk.circulation.resume() == 1
        assert [order.state for order in await desk.orders()] == [State.IN_APPROVAL]


async def test_a_key_that_is_repeated_gives_the_first_result(desk: Desk, city: City, clock: ManualClock) -> None:
    asset = city.add_asset("p1")
    order_id = await arrived(desk, asset)
    first = await desk.give(CLERK, Command.RECEIVE, order_id, key="once")
    calls = city.commands
    assert await desk.give(CLERK, Command.RECEIVE, order_id, key="once") == first
    applied = await desk.hand_in(Flow.REPAIR, OWNER_CLERK, repair(city.add_asset("p2")), key="twice")
    again = await desk.hand_in(Flow.REPAIR, OWNER_CLERK, repair("asset:330106:p2"), key="twice")
    assert (again, city.commands) == (applied, calls + 1)
    other = await desk.hand_in(Flow.SURRENDER, OWNER_CLERK, {"assetId": asset}, **surrender(), key="twice")
    assert codes(other) == ["IDEMPOTENCY_KEY_REUSED"]
