"""Virtual warehouses over a store and districts in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from contract.identity import Identity
from contract.rules import RuleSigner
from overlay.group.views import ViewReader
from overlay.store import tables
from overlay.store.database import Database
from overlay.warehouses.commands import WarehouseCommands
from overlay.warehouses.model import WarehouseAnswer
from overlay.warehouses.service import Warehouses
from overlay.warehouses.watching import Watching, WatchSettings
from tests.overlay.city import CITY, RULE, ManualClock
from tests.overlay.conftest import ISSUER
from tests.overlay.warehouses.views import Views

EVERY_S = 30.0


class Office:
    """The services over one store, and shorthands for what people do."""

    def __init__(self, url: str, views: Views, clock: ManualClock) -> None:
        self.clock = clock
        self.database = Database(url)
        self.warehouses = Warehouses(self.database, RuleSigner(RULE[0]), clock)
        self.commands = WarehouseCommands(self.database, clock)
        reader = ViewReader(views, ISSUER, 1.0)
        settings = WatchSettings(every_s=EVERY_S)
        self.watching = Watching(self.database, self.warehouses, reader, clock, settings)
        self._keys = itertools.count(1)

    def key(self) -> str:
        return f"key-{next(self._keys)}"

    async def create(self, by: Identity = CITY, scope: str = "ALL", **body: Any) -> str:
        given = {"name": "测试", "scope": scope, "filter": {"status": {"eq": "IDLE"}}, **body}
        answer = await self.commands.create(by, self.key(), given)
        assert answer.problems == () and answer.warehouse_id is not None
        return answer.warehouse_id

    async def change(self, id_: str, expected: int = 1, by: Identity = CITY, **body: Any) -> WarehouseAnswer:
        return await self.commands.change(by, self.key(), id_, {"expectedVersion": expected, **body})

    async def retire(self, id_: str, expected: int = 1, by: Identity = CITY) -> WarehouseAnswer:
        return await self.commands.retire(by, self.key(), id_, {"expectedVersion": expected})

    async def rows(self, table: Any) -> list[Mapping[str, Any]]:
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(select(table))).mappings()]

    async def later(self) -> None:
        """The next evaluation of all that is followed, without the wait."""
        self.clock.advance(seconds=EVERY_S + 1)
        await self.watching.round()

    async def outbox(self) -> list[Mapping[str, Any]]:
        return await self.rows(tables.outbox)


def codes(answer: WarehouseAnswer) -> list[str]:
    return [one.code for one in answer.problems]


class Follower:
    """A subscriber: each `next()` is the asset ids of an event, waited for while rounds go on."""

    def __init__(self, office: Office, stream: AsyncIterator[Any]) -> None:
        self._office, self._stream = office, stream
        self.cursor: str | None = None
        self.gap = False
        self.silent: tuple[str, ...] = ()
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.ensure_future(anext(self._stream))

    async def next(self) -> list[str]:
        """Raises what ends the stream."""
        self.start()
        assert self._task is not None
        while not self._task.done():
            await asyncio.wait([self._task], timeout=0.01)
            await self._office.watching.round()
        batch = self._task.result()
        self._task = None
        self.cursor, self.gap, self.silent = batch.cursor, batch.gap, batch.silent
        return [one.asset_id for one in batch.matches]

    async def is_quiet(self) -> bool:
        """Whether an evaluation from now on brings nothing."""
        self.start()
        assert self._task is not None
        await self._office.later()
        await self._office.watching.round()
        done, _ = await asyncio.wait([self._task], timeout=0.05)
        return not done

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._stream.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def views() -> Views:
    return Views()


@asynccontextmanager
async def opened(url: str, views: Views, clock: ManualClock) -> AsyncIterator[Office]:
    office = Office(url, views, clock)
    await office.database.open()
    await office.warehouses.plant_seeds()
    try:
        yield office
    finally:
        await office.database.close()


@pytest.fixture
async def office(url: str, views: Views, clock: ManualClock) -> AsyncIterator[Office]:
    async with opened(url, views, clock) as office:
        yield office
