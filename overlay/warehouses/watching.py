"""Standing queries: who follows a view is told when something new matches it.

    follow ──▶ watch row (view, sight) ──▶ evaluated when due, by one process under a lease ──▶ log ──▶ every follower

The districts publish no changes: legacy stores are written by programs that know nothing of us, so asking again is the
only way that misses nothing. A watch is evaluated every `every_s`, but never for more than one part in `COST_SHARE` of
the time: a view that takes two seconds to read is read every forty. One process evaluates one watch at a time. A read
is a page of 500 ids for each 500 assets, about 20 ms each through the group endpoint.

A watch is wanted while somebody follows it (a heartbeat says so), or while its warehouse asks for notices. It sleeps
when nobody does, and what it knows is kept for `KEPT_S`: who subscribes again in time, after their cursor, is told what
came in between. The first event comes when the watch has been evaluated, and has a cursor even if it has no news.

A region that does not answer ends nothing: events say which are silent, one comes when that changes, and what came to
match there meanwhile is told when the region answers again, once.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from contract.identity import Identity
from overlay.clock import Clock, text_of
from overlay.group.views import ViewReader, ViewTooLarge
from overlay.notices.outbox import Audience, Topic, put
from overlay.store.database import Database
from overlay.store.tables import virtual_warehouses, warehouse_watches
from overlay.warehouses import matches
from overlay.warehouses.matches import MatchBatch, Watch, watch_of
from overlay.warehouses.model import Warehouse, warehouse_of
from overlay.warehouses.service import Warehouses
from overlay.warehouses.sight import sight_of
from overlay.warehouses.views import ViewId, format_view_id
from subgraphs.kit.errors import BadInput, CodedError

__all__ = ["TICK_S", "WatchSettings", "Watching"]

ASSETS_MAX = 50_000
"""Of a watched view: nearly twice the city's 29,000."""
WATCHES_MAX = 200
"""Wanted at a time: all of them read in turn take a process about as long as `every_s`."""
COST_SHARE = 20
TICK_S = 2.0
WANTED_S = 60
"""How long a heartbeat lasts."""
KEPT_S = 24 * 3600
LEASE_S = 120
NAMED_IN_NOTICE_MAX = 100
_NOT_FOUND, _TOO_LARGE = "WAREHOUSE_NOT_FOUND", "VIEW_TOO_LARGE"
_FAULTS = {
    _NOT_FOUND: "there is no such virtual warehouse, or you may not see it",
    _TOO_LARGE: f"the view shows more than {ASSETS_MAX} assets; narrow it",
}


@dataclass(frozen=True, slots=True)
class WatchSettings:
    every_s: float = 30.0
    tick_s: float = TICK_S
    """How often due watches and the logs of followed ones are looked at."""


class Watching:
    def __init__(
        self, database: Database, warehouses: Warehouses, reader: ViewReader, clock: Clock, settings: WatchSettings
    ) -> None:
        self._database = database
        self._warehouses = warehouses
        self._reader = reader
        self._clock = clock
        self._settings = settings
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._told: dict[str, Any] = {}
        """By watch: what its followers have been woken for."""
        self._beaten_at: datetime | None = None
        self._nudged = asyncio.Event()

    # --- following ----------------------------------------------------------------------------------------------------

    async def follow(self, identity: Identity, view: ViewId, after: str | None) -> AsyncIterator[MatchBatch]:
        """Batches from now on, or from after a cursor. Ends with an error when the warehouse is no longer visible.

        Raises `WAREHOUSE_NOT_FOUND`, `TOO_MANY_WATCHES`, `VIEW_TOO_LARGE`, `BAD_USER_INPUT`.
        """
        await self._check_visible(identity, view)
        id_ = matches.watch_id(view, sight_of(identity))
        start = None if after is None else matches.read_cursor(id_, after)
        if after is not None and start is None:
            raise BadInput("the cursor belongs to another view or to other rights; subscribe again without it")
        await self._want(view, sight_of(identity))
        with self._following(id_) as woken:
            self._nudged.set()
            watch = await self._first_look(id_, woken)
            place = await self._last_place(watch) if start is None else matches.place_in(watch, *start)
            batch = await self._next(watch, place) or matches.without_news(watch, place)
            while True:
                await self._check_visible(identity, view)
                yield batch
                while (following := await self._news(id_, batch, woken)) is None:
                    await woken.wait()
                batch = following

    @contextmanager
    def _following(self, id_: str) -> Any:
        woken = asyncio.Event()
        self._followers.setdefault(id_, set()).add(woken)
        try:
            yield woken
        finally:
            self._followers[id_].discard(woken)
            if not self._followers[id_]:
                del self._followers[id_]
                self._told.pop(id_, None)

    async def _check_visible(self, identity: Identity, view: ViewId) -> None:
        if view.warehouse_id not in await self._warehouses.by_ids(identity, [view.warehouse_id]):
            raise CodedError(_FAULTS[_NOT_FOUND], code=_NOT_FOUND)

    async def _first_look(self, id_: str, woken: asyncio.Event) -> Watch:
        """The watch once it has been evaluated since it was wanted."""
        while True:
            woken.clear()
            row = await self._row(id_)
            if row.evaluated_at is not None:
                return watch_of(row)
            await woken.wait()

    async def _news(self, id_: str, last: MatchBatch, woken: asyncio.Event) -> MatchBatch | None:
        """What follows the last batch: matches, or that other regions are silent than it said."""
        woken.clear()
        watch = watch_of(await self._row(id_))
        found = await self._next(watch, last.place)
        return matches.without_news(watch, last.place) if found is None and watch.silent != last.silent else found

    async def _row(self, id_: str) -> Any:
        table = warehouse_watches
        async with self._database.read() as connection:
            row = (await connection.execute(select(table).where(table.c.id == id_))).one_or_none()
        if row is None:
            raise CodedError("the standing query has ended; subscribe again", code="SUBSCRIPTION_LOST")
        if row.fault is not None:
            raise CodedError(_FAULTS[row.fault], code=row.fault)
        return row

    async def _last_place(self, watch: Watch) -> int:
        async with self._database.read() as connection:
            return (await matches.last_places(connection, [watch.id])).get(watch.id, watch.floor_seq)

    async def _next(self, watch: Watch, place: int) -> MatchBatch | None:
        async with self._database.read() as connection:
            return await matches.next_batch(connection, watch, place)

    # --- wanting ------------------------------------------------------------------------------------------------------

    async def _want(self, view: ViewId, sight: Identity) -> None:
        """Have the view watched from now on. A watch that slept is evaluated anew before anybody is told anything."""
        table, now = warehouse_watches, self._clock()
        values = matches.watch_values(view, sight)
        at, until = text_of(now), text_of(now + timedelta(seconds=WANTED_S))
        awake = table.c.wanted_until >= at
        try:
            async with self._database.write() as connection:
                mine = table.c.id == values["id"]
                if (await connection.execute(update(table).where(mine, awake).values(wanted_until=until))).rowcount:
                    return
                wanted = await connection.execute(select(func.count()).select_from(table).where(awake))
                if wanted.scalar_one() >= WATCHES_MAX:
                    raise CodedError("too many standing queries are open; try again later", code="TOO_MANY_WATCHES")
                awoken = {"wanted_until": until, "due_at": at, "evaluated_at": None, "fault": None}
                if (await connection.execute(update(table).where(mine).values(**awoken))).rowcount:
                    return
                new = {"regions": [], "epoch": uuid.uuid4().hex[:16], "floor_seq": 0}
                await connection.execute(insert(table).values(**values, **awoken, **new))
        except IntegrityError:  # another process has just made the same watch
            await self._want(view, sight)

    async def _beat(self, now: datetime) -> None:
        """Say that what is followed here, and what asks for notices, is wanted; drop what has long not been."""
        if self._beaten_at is not None and now - self._beaten_at < timedelta(seconds=WANTED_S / 3):
            return
        self._beaten_at = now
        table = warehouse_watches
        until = text_of(now + timedelta(seconds=WANTED_S))
        followed = list(self._followers)
        async with self._database.write() as connection:
            if followed:
                await connection.execute(update(table).where(table.c.id.in_(followed)).values(wanted_until=until))
            await matches.forget(connection, text_of(now - timedelta(seconds=KEPT_S)))
        for warehouse in await self._notifying():
            await self._want(ViewId(warehouse.id, None), _sight_of_notices(warehouse))

    async def _notifying(self) -> list[Warehouse]:
        table = virtual_warehouses
        query = select(table).where(table.c.notify, table.c.retired_at.is_(None)).limit(WATCHES_MAX)
        async with self._database.read() as connection:
            return [warehouse_of(row) for row in (await connection.execute(query)).mappings()]

    # --- evaluating ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Rounds for ever; the caller guards it."""
        while True:
            await self.round()
            try:
                async with asyncio.timeout(self._settings.tick_s):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()

    async def round(self) -> None:
        """Evaluate what is due, and wake the followers of whatever has news, wherever it was evaluated."""
        await self._beat(self._clock())
        for id_ in await self._due():
            lease = await self._lease(id_)
            if lease is not None:
                await self._evaluate(id_, lease)
        await self._wake()

    async def _due(self) -> Sequence[str]:
        table, at = warehouse_watches, text_of(self._clock())
        due = select(table.c.id).where(table.c.wanted_until >= at, table.c.due_at <= at, _free(at))
        async with self._database.read() as connection:
            return (await connection.execute(due.order_by(table.c.due_at).limit(WATCHES_MAX))).scalars().all()

    async def _lease(self, id_: str) -> str | None:
        table, now, lease = warehouse_watches, self._clock(), uuid.uuid4().hex
        until = text_of(now + timedelta(seconds=LEASE_S))
        take = update(table).where(table.c.id == id_, _free(text_of(now))).values(lease=lease, lease_until=until)
        async with self._database.write() as connection:
            return lease if (await connection.execute(take)).rowcount else None

    async def _evaluate(self, id_: str, lease: str) -> None:
        started = time.monotonic()
        watch, warehouse = await self._watched(id_)
        values: dict[str, Any] = {}
        filter_, seen = None, None
        if warehouse is None:
            values["fault"] = _NOT_FOUND
        else:
            filter_ = await self._warehouses.filter_of(warehouse)
            signed = self._warehouses.signed(filter_, watch.view)
            try:
                seen = await self._reader.read(format_view_id(watch.view), signed, watch.sight, ASSETS_MAX)
                if seen is None:
                    values["silent"] = sorted(watch.regions)
            except ViewTooLarge:
                values["fault"] = _TOO_LARGE
        now = self._clock()
        pause = max(self._settings.every_s, COST_SHARE * (time.monotonic() - started))
        values |= {"lease": None, "lease_until": None, "due_at": text_of(now + timedelta(seconds=pause))}
        async with self._database.write() as connection:
            if not await matches.write_under(connection, id_, lease, values):
                return  # it took longer than the lease, and another process has taken over
            if seen is None or filter_ is None or warehouse is None:
                return
            at = text_of(now)
            news, learnt = await matches.learn(connection, watch, matches.rule_hash(filter_), seen, at)
            learnt |= {"evaluated_at": at, "fault": None}
            table = warehouse_watches
            await connection.execute(update(table).where(table.c.id == id_).values(**learnt))
            if news and warehouse.notify and id_ == _notice_watch(warehouse):
                await put(
                    connection, at, Topic.ASSET_MATCHED, warehouse.id, _audience(warehouse), _notice(warehouse, news)
                )

    async def _watched(self, id_: str) -> tuple[Watch, Warehouse | None]:
        table, of = warehouse_watches, virtual_warehouses
        async with self._database.read() as connection:
            watch = watch_of((await connection.execute(select(table).where(table.c.id == id_))).one())
            query = select(of).where(of.c.id == watch.view.warehouse_id, of.c.retired_at.is_(None))
            row = (await connection.execute(query)).mappings().one_or_none()
        return watch, None if row is None else warehouse_of(row)

    async def _wake(self) -> None:
        if not self._followers:
            return
        table, ids = warehouse_watches, list(self._followers)
        columns = (table.c.id, table.c.evaluated_at, table.c.fault, table.c.floor_seq, table.c.silent)
        async with self._database.read() as connection:
            rows = (await connection.execute(select(*columns).where(table.c.id.in_(ids)))).all()
            places = await matches.last_places(connection, ids)
        for row in rows:
            state = (row.evaluated_at is not None, row.fault, row.floor_seq, row.silent, places.get(row.id))
            if self._told.get(row.id) != state:
                self._told[row.id] = state
                for woken in self._followers.get(row.id, ()):
                    woken.set()


def _free(at: str) -> Any:
    table = warehouse_watches
    return or_(table.c.lease_until.is_(None), table.c.lease_until < at)


def _sight_of_notices(warehouse: Warehouse) -> Identity:
    """What anybody of the owner's unit may see: a notice tells no more than that, whatever its maker's roles."""
    return sight_of(Identity("owner", warehouse.owner_unit))


def _notice_watch(warehouse: Warehouse) -> str:
    return matches.watch_id(ViewId(warehouse.id, None), _sight_of_notices(warehouse))


def _audience(warehouse: Warehouse) -> Audience:
    return Audience(region=warehouse.owner_region, unit=warehouse.owner_unit)


def _notice(warehouse: Warehouse, news: Sequence[str]) -> dict[str, Any]:
    return {"name": warehouse.name, "count": len(news), "assetIds": list(news[:NAMED_IN_NOTICE_MAX])}
