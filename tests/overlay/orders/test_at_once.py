"""What is recorded at the same moment, of one card: nobody decides by what another is about to change. (PostgreSQL: on
SQLite one transaction writes at a time.)"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from overlay.ledger.entries import hold, lineage_of
from overlay.orders.model import Command, Flow
from tests.overlay.city import BORROWING_KEEPER, CLERK, KEEPER, OWNER_CLERK, City, ManualClock, days
from tests.overlay.conftest import Desk, opened_desk
from tests.overlay.orders.steps import approved, balances, codes, done, lent, reallocated, repair
from tests.overlay.orders.test_lag import LATER, judged, lent_on, return_that_is_not_recorded, settled
from tests.overlay.orders.test_shortages import brought_back

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
async def desk(postgres_database: str, city: City, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_desk(postgres_database, city, clock) as opened:
        yield opened


async def waiting(desk: Desk, number: int) -> None:
    """Until so many wait for a lock. (Tests have a time limit of their own.)"""
    while True:
        async with desk.database.read() as connection:
            if (await connection.execute(_WAITING)).scalar_one() >= number:
                return
        await asyncio.sleep(0.005)


@asynccontextmanager
async def held(desk: Desk, asset: str) -> AsyncIterator[None]:
    """Whoever records something of the asset's lineage waits, in the order in which they came."""
    async with desk.database.write() as connection:
        await hold(connection, await lineage_of(connection, asset))
        yield


async def test_a_repair_is_recorded_beside_the_damage(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1", status="IDLE")
    returned = await return_that_is_not_recorded(desk, city, await lent(desk, asset), "NEEDS_REPAIR")
    order_id = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(asset))
    async with held(desk, asset):
        damage = asyncio.create_task(desk.circulation.resume())
        await waiting(desk, 1)
        sent = asyncio.create_task(judged(desk, Command.DIAGNOSE, order_id, "NEEDS_REPAIR", cost="500"))
        await waiting(desk, 2)
    await asyncio.gather(damage, sent)
    await settled(desk)
    assert (await desk.order(returned)).lines[0].outcome == "NEEDS_REPAIR"
    assert await balances(desk, asset) == {("330106", "IN_REPAIR"): 1}


async def test_two_dispatches_are_recorded_beside_the_damage(desk: Desk, city: City) -> None:
    """Ten, of which five are out; they come back damaged, while all leave again."""
    asset = city.add_asset("desks", quantity="10")
    loan = await lent(desk, asset, quantity="5")
    one, two = [
        await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "5"}, range=LATER) for _ in range(2)
    ]
    await return_that_is_not_recorded(desk, city, loan, "NEEDS_REPAIR")
    async with held(desk, asset):
        first = asyncio.create_task(desk.give(KEEPER, Command.DISPATCH, one))
        await waiting(desk, 1)
        damage = asyncio.create_task(desk.circulation.resume())
        await waiting(desk, 2)
        second = asyncio.create_task(desk.give(KEEPER, Command.DISPATCH, two))
        await waiting(desk, 3)
    await asyncio.gather(first, damage, second)
    await settled(desk)
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 10}


async def test_good_ones_that_are_leaving_are_not_promised_twice(desk: Desk, city: City) -> None:
    """Six good ones and four damaged: while the six are being recorded as left, nobody takes them for there."""
    asset = city.add_asset("desks", quantity="10")
    await brought_back(desk, await lent(desk, asset, quantity="4"), "NEEDS_REPAIR")
    one = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "6"}, range=days(1, 3))
    two = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "4"}, range=LATER)
    city.faults.append("lost_after")
    assert codes(await desk.give(KEEPER, Command.DISPATCH, one)) == ["OUTCOME_UNKNOWN"]
    async with held(desk, asset):
        recorded = asyncio.create_task(desk.circulation.resume())
        await waiting(desk, 1)
        second = asyncio.create_task(desk.give(KEEPER, Command.DISPATCH, two))
        await waiting(desk, 2)
    await recorded
    assert codes(await second) == ["GOODS_DAMAGED"]


async def test_many_dispatch_a_batch_of_which_one_is_damaged(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="100")
    await brought_back(desk, await lent(desk, asset, quantity="1"), "NEEDS_REPAIR")
    loans = [
        await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "2"}, range=days(1, 3)) for _ in range(16)
    ]
    answers = await asyncio.gather(*(desk.give(KEEPER, Command.DISPATCH, one) for one in loans))
    assert [codes(one) for one in answers] == [[]] * 16
    assert await balances(desk, asset) == {
        ("330106", "IN_STORE"): 67, ("330106", "DAMAGED"): 1, ("330106", "IN_TRANSIT"): 32,
    }  # fmt: skip


async def test_two_hand_in_the_same_goods_each_in_an_order_of_its_own(desk: Desk, city: City) -> None:
    assets = [city.add_asset(f"desks{n}", quantity="10") for n in range(6)]
    loans = [await lent(desk, *assets, window=days(1, 7), quantity="2") for _ in range(4)]
    tasks = []
    for number, loan in enumerate(loans):
        lines = [{"lineId": line.id} for line in (await desk.order(loan)).lines]
        given = lines if number % 2 else lines[::-1]
        tasks.append(desk.give(CLERK, Command.RETURN_GOODS, loan, lines=given))
    assert [codes(one) for one in await asyncio.gather(*tasks)] == [[]] * 4


async def test_goods_of_several_returns_are_refused_each_in_an_order_of_its_own(desk: Desk, city: City) -> None:
    assets = [city.add_asset(f"desks{n}", quantity="10") for n in range(6)]
    loans = [await lent(desk, *assets, window=days(1, 7), quantity="2") for _ in range(4)]
    tasks = []
    for number, loan in enumerate(loans):
        returned = await done(desk, CLERK, Command.RETURN_GOODS, loan)
        lines = [{"lineId": line.id, "outcome": "REFUSED"} for line in (await desk.order(returned)).lines]
        given = lines if number % 2 else lines[::-1]
        tasks.append(desk.give(KEEPER, Command.INSPECT, returned, lines=given))
    assert [codes(one) for one in await asyncio.gather(*tasks)] == [[]] * 4


async def test_two_successors_are_given_up_while_damage_to_one_is_recorded(desk: Desk, city: City) -> None:
    """Both are of one lineage: goods are locked before it is, all of them. The first to come may yet be damaged ones."""
    asset = city.add_asset("desks", quantity="10")
    made = [await reallocated(desk, asset, quantity="3") for _ in range(2)]
    for one in made:
        city.assets[one] |= {"status": "IDLE", "shareable": True}
    first, second = sorted(made)
    loan = await lent_on(desk, second, quantity="1")
    await done(desk, BORROWING_KEEPER, Command.DISPATCH, loan)
    await done(desk, OWNER_CLERK, Command.RECEIVE, loan)
    returned = await done(desk, OWNER_CLERK, Command.RETURN_GOODS, loan)
    both = [repair(one, quantity="1", estimate="200") for one in (first, second)]
    given_up = await approved(desk, Flow.REPAIR, CLERK, *both)
    lines = [{"lineId": line.id, "outcome": "SCRAP"} for line in (await desk.order(given_up)).lines]
    async with held(desk, first):
        scrap = asyncio.create_task(desk.give(BORROWING_KEEPER, Command.DIAGNOSE, given_up, lines=lines))
        await waiting(desk, 1)
        damage = asyncio.create_task(judged(desk, Command.INSPECT, returned, "NEEDS_REPAIR", BORROWING_KEEPER))
        await waiting(desk, 2)
    assert [codes(one) for one in await asyncio.gather(scrap, damage)] == [["GOODS_UNDER_WAY"], []]
