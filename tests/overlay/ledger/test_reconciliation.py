"""The ledger beside every store: what differs is listed by cause; who does not answer is named and nothing is guessed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select, update

from contract.identity import Identity
from overlay.group.custody import Custody
from overlay.ledger.reconciliation import Reconciliation
from overlay.ledger.runs import find_run, read_differences
from overlay.orders.model import Command
from overlay.store import tables
from tests.overlay.city import AUDITOR, CITY_KEEPER, CLERK, KEEPER, City, ManualClock
from tests.overlay.city import CITY as CITY_OFFICER
from tests.overlay.conftest import ISSUER, OFFICERS, Desk

Difference = tuple[str, str | None, str | None, str | None]


@pytest.fixture
async def reconciliation(desk: Desk, city: City, clock: ManualClock) -> AsyncIterator[Reconciliation]:
    opened = Reconciliation(desk.database, Custody(city, ISSUER), clock)
    yield opened
    await opened.stop()


async def lent(desk: Desk, asset: str, keeper: Identity = KEEPER) -> str:
    order = (await desk.apply(asset)).order_id
    while (step := (await desk.order(order)).current_step) is not None:
        officer = CITY_OFFICER if step.region == CITY_OFFICER.region else OFFICERS[step.office]
        assert (await desk.give(officer, Command.APPROVE, order)).problems == ()
    await desk.give(keeper, Command.DISPATCH, order)
    answer = await desk.give(CLERK, Command.RECEIVE, order)
    assert answer.problems == ()
    assert order is not None
    return order


async def reconciled(desk: Desk, reconciliation: Reconciliation) -> tuple[dict[str, Any], list[Difference]]:
    answer = await reconciliation.start(AUDITOR, desk.key())
    await reconciliation.settled()
    run = await find_run(desk.database, answer.id, None)
    assert run is not None
    rows = await read_differences(desk.database, run["id"], None, None, 0, 1000)
    return run, [(row["code"], row["asset_id"], row["in_ledger"], row["in_store"]) for row in rows]


async def test_what_was_lent_by_the_books_agrees(desk: Desk, city: City, reconciliation: Reconciliation) -> None:
    one, batch = city.add_asset("a"), city.add_asset("b", quantity="5")
    await lent(desk, one)
    await lent(desk, batch)
    city.add_asset("never-moved")
    run, differences = await reconciled(desk, reconciliation)
    assert differences == []
    assert (run["state"], run["assets"], run["compared"], run["matched"]) == ("DONE", 2, 2, 2)
    assert run["regions_missing"] == []


async def test_each_difference_is_found_and_told_to_its_region(
    desk: Desk, city: City, reconciliation: Reconciliation
) -> None:
    read_only, free, gone, grown = (city.add_asset(name) for name in ("ro", "free", "gone", "grown"))
    city.read_only.add(read_only)
    for asset in (read_only, free, gone, grown):
        await lent(desk, asset)
    for hold in [hold for hold in city.holds.values() if hold.asset == free]:
        city.holds[hold.id] = dataclasses.replace(hold, state="RELEASED")
    del city.assets[gone]
    city.assets[grown] |= {"quantity": "2", "status": "IDLE"}
    run, differences = await reconciled(desk, reconciliation)
    assert set(differences) == {
        ("STORE_NOT_WRITTEN", read_only, "LENT", "IN_STORE"),
        ("HOLD_MISSING", free, "1", "0"),
        ("ASSET_GONE", gone, "1", None),
        ("QUANTITY_DIFFERS", grown, "1", "2"),
        ("STATUS_DIFFERS", grown, "LENT", "IDLE"),
    }
    assert (run["assets"], run["compared"], run["matched"]) == (4, 4, 0)
    async with desk.database.read() as connection:
        query = select(tables.outbox).where(tables.outbox.c.topic == "ledger.difference")
        notices = (await connection.execute(query)).all()
    assert [(one.audience, one.data["codes"]["STORE_NOT_WRITTEN"]) for one in notices] == [({"region": "330106"}, 1)]


async def test_a_region_that_does_not_answer_costs_its_own_cards_only(
    desk: Desk, city: City, reconciliation: Reconciliation
) -> None:
    here, there = city.add_asset("a"), city.add_asset("b", region="330100")
    await lent(desk, here)
    await lent(desk, there, CITY_KEEPER)
    city.down.add("330100")
    run, differences = await reconciled(desk, reconciliation)
    assert differences == [("REGION_UNAVAILABLE", None, "1", None)]
    assert (run["assets"], run["compared"], run["matched"]) == (2, 1, 1)
    assert run["regions_missing"] == ["330100"]


async def test_a_card_with_a_command_under_way_is_not_judged(
    desk: Desk, city: City, reconciliation: Reconciliation
) -> None:
    asset = city.add_asset("a")
    order = (await desk.apply(asset)).order_id
    await desk.approve_all(order)
    await desk.give(KEEPER, Command.DISPATCH, order)
    city.faults.append("lost_after")
    await desk.give(CLERK, Command.RECEIVE, order)
    run, differences = await reconciled(desk, reconciliation)
    assert differences == []
    assert (run["assets"], run["compared"], run["under_way"]) == (1, 0, 1)


async def test_a_repeated_key_is_the_same_run_and_one_under_way_is_joined(
    desk: Desk, city: City, reconciliation: Reconciliation
) -> None:
    first = await reconciliation.start(AUDITOR, "key")
    assert (await reconciliation.start(AUDITOR, "other-key")).id == first.id
    await reconciliation.settled()
    assert (await reconciliation.start(AUDITOR, "key")).id == first.id
    assert (await reconciliation.start(AUDITOR, "third-key")).id != first.id


async def test_the_day_has_one_run_by_itself(desk: Desk, reconciliation: Reconciliation, clock: ManualClock) -> None:
    for _ in range(2):
        await reconciliation.run_daily()
    clock.advance(days=1)
    await reconciliation.run_daily()
    await reconciliation.settled()
    async with desk.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(tables.ledger_runs))).scalar() == 2


async def test_a_run_that_a_crash_cut_off_never_passes_for_a_clean_one(
    desk: Desk, reconciliation: Reconciliation, clock: ManualClock
) -> None:
    first = await reconciliation.start(AUDITOR, "key")
    await reconciliation.settled()
    async with desk.database.write() as connection:
        await connection.execute(update(tables.ledger_runs).values(state="RUNNING", finished_at=None))
    clock.advance(hours=2)
    second = await reconciliation.start(AUDITOR, "key-2")
    assert second.id != first.id
    cut_off = await find_run(desk.database, first.id, None)
    assert cut_off is not None
    assert (cut_off["state"], cut_off["compared"]) == ("FAILED", None)


async def test_the_days_run_that_was_cut_off_begins_anew(
    desk: Desk, city: City, reconciliation: Reconciliation, clock: ManualClock
) -> None:
    asset = city.add_asset("a")
    await lent(desk, asset)
    city.assets[asset]["status"] = "IDLE"
    await reconciliation.run_daily()
    await reconciliation.settled()
    async with desk.database.write() as connection:
        await connection.execute(update(tables.ledger_runs).values(state="RUNNING", finished_at=None))
    await reconciliation.run_daily()
    await reconciliation.settled()
    run = await find_run(desk.database, None, None)
    assert run is not None
    assert run["state"] == "RUNNING", "it may be another process's"
    clock.advance(hours=2)
    await reconciliation.run_daily()
    await reconciliation.settled()
    run = await find_run(desk.database, None, None)
    assert run is not None
    assert (run["state"], run["compared"]) == ("DONE", 1)
    assert len(await read_differences(desk.database, run["id"], None, None, 0, 10)) == 1
