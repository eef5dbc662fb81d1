"""The courier's process is killed while it sends, over real HTTP: nothing is lost, and what is sent again has its id."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import insert, select

from overlay.clock import text_of, utc_now
from overlay.notices.courier import DELIVERED
from overlay.notices.outbox import Audience, Topic, put
from overlay.notices.signing import new_secret
from overlay.store.database import Database
from overlay.store.tables import deliveries, webhooks
from tests.endpoint import served

ROOT = Path(__file__).parents[3]
SUBJECTS, EACH = 5, 4
KILLED_AFTER = (1, 3, 6)
"""Further requests that each process makes before it is killed: the last of them, and what came with it, unanswered."""
LEASES_LAPSE_S = 120


@dataclass(slots=True)
class Receiver:
    """A webhook's endpoint, which may stop answering."""

    got: list[tuple[str, str, int]] = field(default_factory=list)
    """Id, subject and number of each notice, as they came."""
    stops_at: int | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    def stop_after(self, further: int) -> None:
        self.stops_at = len(self.got) + further
        self.reached, self.goes_on = asyncio.Event(), asyncio.Event()

    def go_on(self) -> None:
        self.stops_at = None
        self.goes_on.set()

    async def take(self, request: web.Request) -> web.Response:
        notice = await request.json()
        self.got.append((request.headers["webhook-id"], notice["subject"], notice["data"]["n"]))
        if self.stops_at is not None and len(self.got) >= self.stops_at:
            self.reached.set()
            await self.goes_on.wait()
        return web.Response(status=204)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with served(web.post("/hook", self.take)) as url:
            try:
                yield f"{url}/hook"
            finally:
                self.go_on()


async def started(url: str, ahead_s: float) -> asyncio.subprocess.Process:
    words = ("-m", "tests.overlay.notices.courier_process", url, str(ahead_s))
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)


async def killed_at(process: asyncio.subprocess.Process, moment: asyncio.Event) -> None:
    ended, reached = asyncio.ensure_future(process.wait()), asyncio.ensure_future(moment.wait())
    await asyncio.wait((ended, reached), return_when=asyncio.FIRST_COMPLETED)
    assert reached.done(), f"the courier ended by itself with {process.returncode}"
    process.kill()
    await ended


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    await opened.open()
    yield opened
    await opened.close()


async def fill(database: Database, endpoint: str) -> None:
    at = text_of(utc_now())
    row = {"id": "a", "url": endpoint, "topics": [], "state": "ENABLED", "secret": new_secret(), "person": "city",
           "created_at": at, "updated_at": at}  # fmt: skip
    async with database.write() as connection:
        await connection.execute(insert(webhooks).values(row))
        for n in range(SUBJECTS * EACH):
            await put(connection, at, Topic.ORDER_CHANGED, f"order:{n % SUBJECTS}", Audience(), {"n": n})


async def test_a_killed_courier_loses_nothing_and_keeps_the_ids(url: str, database: Database) -> None:
    receiver = Receiver()
    async with receiver.listening() as endpoint:
        await fill(database, endpoint)
        for ahead, further in enumerate(KILLED_AFTER):
            receiver.stop_after(further)
            await killed_at(await started(url, ahead * LEASES_LAPSE_S), receiver.reached)
            receiver.go_on()
        assert await (await started(url, len(KILLED_AFTER) * LEASES_LAPSE_S)).wait() == 0
    ids, orders = defaultdict(set), defaultdict(list)
    for id_, subject, n in receiver.got:
        ids[n].add(id_)
        if n not in orders[subject]:
            orders[subject].append(n)
    assert sorted(ids) == list(range(SUBJECTS * EACH)), "each has come"
    assert [len(found) for found in ids.values()] == [1] * len(ids), "what came again came under its own id"
    assert len(set().union(*ids.values())) == len(ids), "which is nobody else's"
    assert len(receiver.got) >= len(ids) + len(KILLED_AFTER), "what was not answered was sent again"
    assert all(order == sorted(order) for order in orders.values()), "in the order of its subject"
    async with database.read() as connection:
        assert set((await connection.execute(select(deliveries.c.state))).scalars()) == {DELIVERED}
