"""Reconciliation: every card that the ledger has goods on, held against its store and custody book, region by region.

A run is written when it begins and when it ends, so one that a crash cut off shows as FAILED and never as clean. Each
region is read in pages, a few regions at a time. Nothing stands still meanwhile: a card with a command under way, or that
moved between the reading of the ledger and the answer of its store, is looked at once more, and then counted as under
way. A region that does not answer costs its own cards only, and is named: figures say how many cards there are, how
many were compared and how many of these agree.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from contract.regions import REGIONS
from overlay.clock import Clock, shanghai_today, text_of
from overlay.group.custody import Custody
from overlay.group.facts import Unavailable
from overlay.ledger.cards import card_ids, count_cards, last_places, read_cards, under_way, unwritten
from overlay.ledger.compare import Cause, Difference, Tally, compare
from overlay.ledger.heads import snapshot
from overlay.ledger.rights import may_reconcile
from overlay.messages import problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.store.database import Database
from overlay.store.once import Answer, Once
from overlay.store.tables import ledger_differences, ledger_runs
from subgraphs.kit.tasks import end_tasks

__all__ = ["Reconciliation"]

_log = structlog.get_logger(__name__)
PAGE_SIZE = 200
REGIONS_AT_ONCE = 4
LOOKS = 2
LEASE = timedelta(hours=1)
"""A run that began longer ago than this and has not ended was cut off."""

_Found = tuple[str | None, Difference]


class Reconciliation:
    def __init__(self, database: Database, custody: Custody, clock: Clock) -> None:
        self._database, self._custody, self._clock = database, custody, clock
        self._once = Once(database, clock)
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, identity: Identity, key: str) -> Answer:
        """Begin a run on demand; while one is under way it is that one."""
        begun: list[str] = []

        async def act(connection: AsyncConnection, _at: str) -> Answer:
            if not may_reconcile(identity):
                return Answer(None, (problem("FORBIDDEN", command="RECONCILE", roles="CITY_OFFICER, AUDITOR"),))
            run_id = await self._open_run(connection)
            if run_id is None:
                run_id = await self._insert(connection, f"run:{uuid.uuid4().hex}")
                begun.append(run_id)
            return Answer(run_id)

        answer = await self._once.run(identity, key, "RECONCILE", {}, act)
        if answer.id in begun:
            self._spawn(str(answer.id))
        return answer

    async def run_daily(self) -> None:
        """Begin the day's run, unless some process has; one that was cut off begins anew."""
        run_id = f"run:{shanghai_today(self._clock()).isoformat()}"
        try:
            async with self._database.write() as connection:
                await self._insert(connection, run_id)
        except IntegrityError:
            if not await self._take_up(run_id):
                return
        self._spawn(run_id)

    async def _take_up(self, run_id: str) -> bool:
        table, now = ledger_runs, self._clock()
        over = or_(table.c.state == "FAILED", (table.c.state == "RUNNING") & self._cut_off())
        async with self._database.write() as connection:
            again = update(table).where(table.c.id == run_id, over).values(state="RUNNING", started_at=text_of(now))
            if (await connection.execute(again)).rowcount != 1:
                return False
            await connection.execute(delete(ledger_differences).where(ledger_differences.c.run_id == run_id))
        return True

    def _cut_off(self) -> ColumnElement[bool]:
        return ledger_runs.c.started_at < text_of(self._clock() - LEASE)

    async def settled(self) -> None:
        """Until no run of this process is under way."""
        while self._running:
            await asyncio.gather(*self._running)

    async def stop(self) -> None:
        await end_tasks(*self._running)

    async def _open_run(self, connection: AsyncConnection) -> str | None:
        table = ledger_runs
        ended = update(table).where(table.c.state == "RUNNING", self._cut_off())
        await connection.execute(ended.values(state="FAILED"))
        found = await connection.execute(select(table.c.id).where(table.c.state == "RUNNING").limit(1))
        return found.scalar()

    async def _insert(self, connection: AsyncConnection, run_id: str) -> str:
        now = self._clock()
        row = {"id": run_id, "day": shanghai_today(now).isoformat(), "started_at": text_of(now)}
        await connection.execute(insert(ledger_runs).values(**row, state="RUNNING", figures={}))
        return run_id

    def _spawn(self, run_id: str) -> None:
        task = asyncio.create_task(self._run(run_id), name=f"reconciliation {run_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, run_id: str) -> None:
        state, tallies = "FAILED", dict[str, Tally]()
        try:
            gate = asyncio.Semaphore(REGIONS_AT_ONCE)
            found = await asyncio.gather(*(self._region(gate, run_id, region) for region in REGIONS))
            tallies = {region: one for region, one in zip(REGIONS, found, strict=True) if one.assets}
            state = "DONE"
        except Exception:
            _log.exception("reconciliation_failed", run=run_id)
        await self._end(run_id, state, tallies)

    async def _end(self, run_id: str, state: str, tallies: Mapping[str, Tally]) -> None:
        now = text_of(self._clock())
        async with self._database.write() as connection:
            figures = {region: tally.to_json() for region, tally in tallies.items()}
            ended = update(ledger_runs).where(ledger_runs.c.id == run_id)
            await connection.execute(ended.values(state=state, finished_at=now, figures=figures))
            for region, tally in tallies.items():
                if tally.codes:
                    told = {"region": region, **tally.to_json()}
                    await put(connection, now, Topic.LEDGER_DIFFERENCE, run_id, Audience(region=region), told)

    async def _region(self, gate: asyncio.Semaphore, run_id: str, region: str) -> Tally:
        async with gate:
            tally, after = Tally(), ""
            async with self._database.read() as connection:
                tally.assets = await count_cards(connection, region)
            while not tally.is_missing:
                async with self._database.read() as connection:
                    asset_ids = await card_ids(connection, region, after, PAGE_SIZE)
                if not asset_ids:
                    break
                await self._keep(run_id, region, await self._page(region, asset_ids, tally))
                after = asset_ids[-1]
            return tally

    async def _page(self, region: str, asset_ids: Sequence[str], tally: Tally) -> list[_Found]:
        found: list[_Found] = []
        waiting = list(asset_ids)
        for _ in range(LOOKS):
            look = await self._look(region, waiting)
            if isinstance(look, Unavailable):
                tally.miss()
                left = str(tally.assets - tally.compared - tally.under_way)
                return [*found, (None, Difference(Cause.REGION_UNAVAILABLE, left, None))]
            for asset_id, differences in look.items():
                tally.count(differences)
                found += [(asset_id, one) for one in differences]
            waiting = [one for one in waiting if one not in look]
            if not waiting:
                break
        tally.under_way += len(waiting)
        return found

    async def _look(self, region: str, asset_ids: Sequence[str]) -> dict[str, list[Difference]] | Unavailable:
        """Differences of the cards that stood still; the others are absent."""
        async with self._database.read() as connection:
            await snapshot(connection)
            places = await last_places(connection, asset_ids)
            cards = await read_cards(connection, asset_ids)
        states = await self._custody.states(region, asset_ids, shanghai_today(self._clock()))
        if isinstance(states, Unavailable):
            return states
        async with self._database.read() as connection:
            moved = await last_places(connection, asset_ids)
            open_, unsent = await under_way(connection, asset_ids), await unwritten(connection, asset_ids)
        still = [card for card in cards if card.asset_id not in open_ and moved[card.asset_id] == places[card.asset_id]]
        return {
            card.asset_id: compare(card, states.get(card.asset_id), is_written=card.asset_id not in unsent)
            for card in still
        }

    async def _keep(self, run_id: str, region: str, found: Sequence[_Found]) -> None:
        rows = [
            {
                "run_id": run_id,
                "region": region,
                "asset_id": asset_id,
                "code": one.cause.value,
                "in_ledger": one.in_ledger,
                "in_store": one.in_store,
            }
            for asset_id, one in found
        ]
        if rows:
            async with self._database.write() as connection:
                await connection.execute(insert(ledger_differences), rows)
