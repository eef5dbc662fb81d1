"""SQLite by its own module: read-only, interrupted when given up, long readings beside answers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import oracle, postgresql

from adapters.guest import STORE_CLOSED, Gate
from adapters.mapping.model import Guest, HourSpan, StoreSettings
from adapters.model import StoreUnavailable, StoreUnsupported
from adapters.sql.faults import STORE_READ_ONLY, STORE_TIMEOUT
from adapters.sql.reader import SqliteReader, stored_name
from adapters.sql.store import SqlStore
from adapters.status import HealthState
from tests.adapters.sql.servers import NONE, parametrised, plain, threads_left
from tests.adapters.sql.test_lanes import ENDLESS
from tests.adapters.support import mapping_of, table_of


@asynccontextmanager
async def opened(
    folder: Path, *, writes: bool = False, gate: Gate | None = None, **guest: Any
) -> AsyncIterator[SqliteReader]:
    settings = StoreSettings(engine="sqlite", url=str(folder / "zc.sqlite"), guest=Guest(**guest))
    reader = SqliteReader(settings, lambda connection: None, writes=writes, gate=gate)
    await reader.open()
    try:
        yield reader
    finally:
        await reader.close()
        assert threads_left() == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table_of(tmp_path, [(f"A{n:04}", f"桌{n}") for n in range(1_200)])
    return tmp_path


async def test_nothing_is_written_where_it_is_read(folder: Path) -> None:
    async with opened(folder) as reader:
        for change in ("INSERT INTO zc VALUES ('B', 'b')", "DROP TABLE zc", "PRAGMA query_only = OFF; DELETE FROM zc"):
            with pytest.raises(StoreUnavailable):
                await reader.fetch(plain(change), NONE)
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(plain("DELETE FROM zc"), NONE)
        assert caught.value.code == STORE_READ_ONLY
        with pytest.raises(StoreUnsupported, match="grants no changes"):
            await reader.execute(plain("DELETE FROM zc"), NONE)
        assert await reader.fetch(plain("SELECT count(*) FROM zc"), NONE) == [(1_200,)]


async def test_a_file_that_allows_writing_is_read_only_for_temporary_tables_too(folder: Path) -> None:
    async with opened(folder) as reader:
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(plain("CREATE TEMPORARY TABLE t (id)"), NONE)
        assert caught.value.code == STORE_READ_ONLY


async def test_a_granted_change(folder: Path) -> None:
    async with opened(folder, writes=True) as reader:
        change = parametrised("UPDATE zc SET mc = 'x' WHERE id = ?", id="A0001")
        assert await reader.execute(change, NONE) == 1
        assert await reader.fetch(plain("SELECT id FROM zc WHERE mc = 'x'"), NONE) == [("A0001",)]


async def test_what_is_given_up_is_interrupted(folder: Path) -> None:
    async with opened(folder, statement_timeout_s=600.0) as reader:
        asked = asyncio.ensure_future(reader.fetch(ENDLESS, NONE))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await reader.fetch(plain("SELECT 1"), NONE) == [(1,)]


async def test_what_takes_too_long_is_interrupted(folder: Path) -> None:
    async with opened(folder, statement_timeout_s=0.05) as reader:
        with pytest.raises(StoreUnavailable) as caught:
            await reader.fetch(ENDLESS, NONE)
        assert caught.value.code == STORE_TIMEOUT


async def test_a_long_reading_keeps_no_answer_waiting(folder: Path) -> None:
    slow = plain("SELECT id FROM zc UNION ALL SELECT * FROM (" + ENDLESS.sql + ")")
    async with opened(folder, statement_timeout_s=600.0) as reader:
        rows = reader.stream(slow)
        seen = len(await anext(rows)) + len(await anext(rows))
        rest = asyncio.ensure_future(anext(rows))
        assert await reader.fetch(plain("SELECT count(*) FROM zc"), NONE) == [(1_200,)]
        assert (seen, rest.done()) == (1_000, False)
        rest.cancel()
        await asyncio.wait([rest])


async def test_rows_come_at_the_rate_that_is_allowed(folder: Path) -> None:
    waited: list[float] = []
    time_s = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal time_s
        waited.append(seconds)
        time_s += seconds

    guest = Guest(rows_per_s=100, rows_burst=50)
    async with opened(folder, gate=Gate(guest, sleep=sleep, clock=lambda: time_s)) as reader:
        await reader.fetch(plain("SELECT id FROM zc LIMIT 50"), NONE)
        assert waited == [], "a page within the burst waits for nothing"
        assert sum([len(batch) async for batch in reader.stream(plain("SELECT id FROM zc"))]) == 1_200
        assert sum(waited) == pytest.approx(12.0)


async def test_health_of_a_closed_store_says_when_it_opens(folder: Path) -> None:
    moment = datetime(2026, 1, 1, 23, 0)
    guest, mapping = Guest(hours=(HourSpan(22 * 60, 6 * 60),)), mapping_of(folder)
    gate = Gate(guest, now=lambda: moment)
    store = SqlStore(mapping, SqliteReader(mapping.store, lambda connection: None, gate=gate))
    await store.open()
    try:
        assert (await store.health()).state is HealthState.OK
        moment = datetime(2026, 1, 2, 6, 0)
        found = await store.health()
        assert found.state is HealthState.UNAVAILABLE
        assert found.fault is not None
        assert found.fault.code == STORE_CLOSED
        assert found.fault.message.endswith("it opens at 2026-01-02 22:00")
    finally:
        await store.close()


def test_names_are_as_the_store_spells_them() -> None:
    assert stored_name(oracle.dialect(), "zc_card") == "ZC_CARD"  # type: ignore[no-untyped-call]
    assert stored_name(postgresql.dialect(), "zc_card") == "zc_card"  # type: ignore[no-untyped-call]


async def test_to_open_twice_leaves_no_thread(folder: Path) -> None:
    async with opened(folder) as reader:
        await reader.open()
        assert await reader.fetch(plain("SELECT 1"), NONE) == [(1,)]


async def test_another_file_in_its_place_is_read(folder: Path, tmp_path: Path) -> None:
    async with opened(folder) as reader:
        assert await reader.fetch(plain("SELECT count(*) FROM zc"), NONE) == [(1_200,)]
        (copy := tmp_path / "copy").mkdir()
        table_of(copy, [("A1", "桌")])
        (copy / "zc.sqlite").replace(folder / "zc.sqlite")
        assert await reader.fetch(plain("SELECT count(*) FROM zc"), NONE) == [(1,)]


def test_the_module_knows_its_own_errors_by_name() -> None:
    """`adapters.sql.faults` tells a refused change by it."""
    with sqlite3.connect(":memory:") as db:
        db.execute("PRAGMA query_only = ON")
        with pytest.raises(sqlite3.OperationalError) as caught:
            db.execute("CREATE TABLE t (id)")
    db.close()
    assert caught.value.sqlite_errorname == "SQLITE_READONLY"
