"""A document store is read as the guest may: so many connections, so long a wait, in its hours, and nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from adapters.guest import STORE_CLOSED, Gate
from adapters.mapping.model import Guest, HourSpan
from adapters.model import StoreError, StoreUnavailable
from adapters.mongo.driver import Database
from tests.adapters.mongo.wire import Wire

DOCUMENTS = 1_200
"""More than two batches."""
PATIENT: dict[str, Any] = {"statement_timeout_s": 600.0, "connect_timeout_s": 600.0}
"""What would be waited for longer than any test is."""


@pytest.fixture
async def filled(mongo_database: str) -> str:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_database)
    try:
        await client.get_default_database()["zc"].insert_many([{"_id": f"A{n:04}", "bb": n} for n in range(DOCUMENTS)])
    finally:
        client.close()
    return mongo_database


@asynccontextmanager
async def opened(url: str, gate: Gate | None = None, **guest: Any) -> AsyncIterator[Database]:
    database = Database(url, Guest(**guest), gate)
    try:
        yield database
    finally:
        await database.close()


async def all_of(database: Database) -> int:
    return sum([len(batch) async for batch in database.find("zc", {}, ["_id"])])


@pytest.mark.parametrize("allowed", [2, 3])
async def test_never_more_connections_than_allowed(filled: str, allowed: int) -> None:
    wire = Wire()
    async with wire.to(filled) as url, opened(url, connections_max=allowed) as database:
        found = await asyncio.gather(*(all_of(database) for _ in range(8)))
        assert found == [DOCUMENTS] * 8
        assert wire.open_max == allowed, "those of the driver's own count too"


async def test_the_time_of_a_statement_is_kept_by_the_server(filled: str) -> None:
    wire = Wire()
    async with wire.to(filled) as url, opened(url, statement_timeout_s=7.0) as database:
        assert await database.summary("zc", "bb", None)
        assert [command["maxTimeMS"] for command in wire.asked("aggregate")] == [7_000]


async def test_a_reading_that_is_left_early_leaves_no_cursor(filled: str) -> None:
    wire = Wire()
    async with wire.to(filled) as url, opened(url) as database:
        batches = database.find("zc", {}, ["_id"])
        assert len(await anext(batches)) == 500
        await batches.aclose()  # type: ignore[attr-defined]
        (killed,) = wire.asked("killCursors")
        assert killed["killCursors"] == "zc"


@pytest.mark.parametrize("silent", ["whoever connects", "whoever asks"])
async def test_a_store_that_says_nothing_is_not_waited_for(filled: str, silent: str) -> None:
    wire = Wire()
    time = "connect_timeout_s" if silent == "whoever connects" else "statement_timeout_s"
    async with wire.to(filled) as url, opened(url, **{**PATIENT, time: 0.2}) as database:
        if silent == "whoever asks":
            await database.summary("zc", None, None)
        wire.is_dumb = True
        with pytest.raises(StoreUnavailable, match="did not answer"):
            await database.summary("zc", None, None)


async def test_when_its_hours_end_the_reading_ends(filled: str) -> None:
    moment = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    guest = Guest(hours=(HourSpan(22 * 60, 6 * 60),))
    async with opened(filled, Gate(guest, now=lambda: moment)) as database:
        batches = database.find("zc", {}, ["_id"])
        assert len(await anext(batches)) == 500
        moment = datetime(2026, 1, 2, 6, 0, tzinfo=UTC)
        with pytest.raises(StoreUnavailable, match="it opens at 2026-01-02 22:00") as caught:
            await anext(batches)
        assert caught.value.code == STORE_CLOSED


async def test_no_message_shows_a_password() -> None:
    for place in ("127.0.0.1:1", "127.0.0.1:x", "[::1"):
        with pytest.raises(StoreError) as caught:
            async with opened(f"mongodb://gwc:s3cret@{place}/zc", connect_timeout_s=0.2) as database:
                await database.summary("zc", None, None)
        assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value}", place
