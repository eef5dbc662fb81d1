"""The courier carries deliveries to their webhooks, at least once each, in order for each subject.

A delivery is *claimed* by a lease in the store before it is sent. The lease is longer than a sending may take, so
several processes never send one delivery at the same time, and one that a process died with is sent again when its
lease has run out. Of one subject only the earliest that waits is claimed, so a later notice never overtakes an earlier
one; a dead letter no longer waits, and holds up nobody.

Each webhook has a few sendings at a time of its own. One that is slow fills its own and delays no other.

    PENDING ──2xx──▶ DELIVERED (deleted after a while)
       │  ╲─410─▶ DEAD, with all that waits for that webhook, which is disabled
       └──anything else──▶ PENDING, later ──after the last try──▶ DEAD ──resend──▶ PENDING
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.clock import Clock, text_of
from overlay.notices.routing import ENABLED, PENDING, ROUTED, body_of, route
from overlay.notices.sender import SEND_TIMEOUT_S, Reply, Sender, SendFailed
from overlay.notices.signing import InvalidSecret, sign
from overlay.store.database import Database
from overlay.store.tables import deliveries, outbox, webhooks
from subgraphs.kit.tasks import end_tasks

__all__ = ["ATTEMPTS_MAX", "DEAD", "DELIVERED", "DISABLED", "Courier", "delay_after"]

_log = structlog.get_logger(__name__)

DELIVERED, DEAD, DISABLED = "DELIVERED", "DEAD", "DISABLED"
ATTEMPTS_MAX = 10
"""With the delays below about a day and a half: an endpoint that is mended the next morning misses nothing."""
_FIRST_DELAY_S, _DELAY_FACTOR, _DELAY_S_MAX = 5.0, 4.0, 12 * 3600.0
_JITTER = 0.25
"""Delays differ by up to this share, so that what failed together does not come back together."""
_RETRY_AFTER_S_MAX = 24 * 3600.0
_SENDINGS_OF_WEBHOOK_MAX = 4
_LEASE = timedelta(seconds=6 * SEND_TIMEOUT_S)
_KEPT = timedelta(days=30)
_PRUNED_AT_ONCE_MAX = 5_000
_GONE = 410

SecretOf = Callable[[RowMapping], str]


@dataclass(frozen=True, slots=True)
class _Claim:
    delivery: RowMapping
    lease: str


def delay_after(attempts: int, retry_after_s: float | None, jitter: Callable[[], float]) -> float:
    """Seconds until the next try. `jitter` gives 0 to 1. An endpoint that says when is believed, within a day."""
    grown = min(_FIRST_DELAY_S * _DELAY_FACTOR ** (attempts - 1), _DELAY_S_MAX)
    delay = grown * (1 + _JITTER * (2 * jitter() - 1))
    return max(delay, min(retry_after_s or 0.0, _RETRY_AFTER_S_MAX))


class Courier:
    def __init__(
        self,
        database: Database,
        sender: Sender,
        secret_of: SecretOf,
        clock: Clock,
        *,
        every_s: float = 1.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`secret_of`: the secret of a webhook's row; raises `KeyError` when it is not to be had."""
        self._database, self._sender, self._secret_of, self._clock = database, sender, secret_of, clock
        self._every_s, self._jitter = every_s, jitter
        self._sendings: dict[str, set[asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Routes and delivers while the context is open."""
        if self._database.is_sqlite:
            await self._drop_leases()
        carrying = asyncio.create_task(self._run(), name="courier")
        try:
            yield
        finally:
            await end_tasks(carrying)
            await end_tasks(*(task for tasks in self._sendings.values() for task in tasks))
            await self._sender.close()

    async def turn(self) -> int:
        """Route what is new and start what is due. Returns how many sendings were started."""
        now = self._clock()
        await route(self._database, text_of(now))
        started = 0
        for webhook in await self._due(now):
            running = self._sendings.setdefault(webhook["id"], set())
            for claim in await self._claim(webhook["id"], _SENDINGS_OF_WEBHOOK_MAX - len(running), now):
                task = asyncio.create_task(self._carry(webhook, claim), name=f"delivery {claim.delivery['id']}")
                running.add(task)
                task.add_done_callback(running.discard)
                started += 1
        return started

    async def idle(self) -> None:
        """Wait until all that was started has ended."""
        while tasks := [task for running in self._sendings.values() for task in running]:
            await asyncio.gather(*tasks)

    async def prune(self) -> None:
        """Forget what was delivered long ago. Dead letters stay until somebody deals with them."""
        before = text_of(self._clock() - _KEPT)
        delivered = select(deliveries.c.id).where(deliveries.c.state == DELIVERED, deliveries.c.updated_at < before)
        told = select(outbox.c.id).where(
            outbox.c.state == ROUTED, outbox.c.at < before, ~exists().where(deliveries.c.notice_id == outbox.c.id)
        )
        async with self._database.write() as connection:
            old = delivered.limit(_PRUNED_AT_ONCE_MAX)
            await connection.execute(delete(deliveries).where(deliveries.c.id.in_(old)))
            await connection.execute(delete(outbox).where(outbox.c.id.in_(told.limit(_PRUNED_AT_ONCE_MAX))))

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.turn()
            except Exception:
                _log.exception("courier_failed")
            try:
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _due(self, now: datetime) -> list[RowMapping]:
        waiting = select(deliveries.c.webhook_id).where(_claimable(now))
        query = select(webhooks).where(webhooks.c.state == ENABLED, webhooks.c.id.in_(waiting))
        async with self._database.read() as connection:
            return list((await connection.execute(query)).mappings())

    async def _claim(self, webhook_id: str, free: int, now: datetime) -> list[_Claim]:
        if free <= 0:
            return []
        earlier = deliveries.alias("earlier")
        overtakes = exists().where(
            earlier.c.webhook_id == deliveries.c.webhook_id,
            earlier.c.subject == deliveries.c.subject,
            earlier.c.state == PENDING,
            earlier.c.seq < deliveries.c.seq,
        )
        query = (
            select(deliveries)
            .where(deliveries.c.webhook_id == webhook_id, _claimable(now), ~overtakes)
            .order_by(deliveries.c.seq)
            .limit(free)
            .with_for_update(skip_locked=True, of=deliveries)
        )
        lease = text_of(now + _LEASE)
        async with self._database.write() as connection:
            rows = (await connection.execute(query)).mappings().all()
            ids = [row["id"] for row in rows]
            await connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(lease_until=lease))
        return [_Claim(row, lease) for row in rows]

    async def _carry(self, webhook: RowMapping, claim: _Claim) -> None:
        try:
            reply: Reply | SendFailed = await self._send(webhook, claim.delivery)
        except SendFailed as failure:
            reply = failure
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(claim, lease_until=None))
            raise
        except Exception:
            _log.exception("delivery_failed", delivery=claim.delivery["id"])
            return
        await self._record(webhook, claim, reply)
        self._wake.set()

    async def _send(self, webhook: RowMapping, delivery: RowMapping) -> Reply:
        query = select(outbox).where(outbox.c.id == delivery["notice_id"])
        async with self._database.read() as connection:
            notice = (await connection.execute(query)).mappings().one()
        body = orjson.dumps(body_of(notice, webhook["region"]))
        try:
            signed = sign(self._secret_of(webhook), notice["id"], int(self._clock().timestamp()), body)
        except (KeyError, InvalidSecret):
            raise SendFailed("SECRET_MISSING") from None
        return await self._sender.send(webhook["url"], {**signed, "content-type": "application/json"}, body)

    async def _record(self, webhook: RowMapping, claim: _Claim, reply: Reply | SendFailed) -> None:
        status, error = (None, reply.reason) if isinstance(reply, SendFailed) else (reply.status, None)
        attempts = claim.delivery["attempts"] + 1
        told: dict[str, Any] = {
            "attempts": attempts, "lease_until": None, "last_status": status, "last_error": error
        }  # fmt: skip
        if status is not None and 200 <= status < 300:
            await self._settle(claim, state=DELIVERED, **told)
        elif status == _GONE:
            await self._disable(webhook["id"], claim, state=DEAD, **told)
        elif attempts >= ATTEMPTS_MAX:
            _log.warning(
                "notice_dead", delivery=claim.delivery["id"], webhook=webhook["id"], status=status, error=error
            )
            await self._settle(claim, state=DEAD, **told)
        else:
            asked = reply.retry_after_s if isinstance(reply, Reply) else None
            delay = timedelta(seconds=delay_after(attempts, asked, self._jitter))
            await self._settle(claim, next_at=text_of(self._clock() + delay), **told)

    async def _settle(self, claim: _Claim, **values: Any) -> None:
        """Record how it went, unless the lease ran out and another has claimed it since."""
        async with self._database.write() as connection:
            await self._set(connection, claim, **values)

    async def _set(self, connection: AsyncConnection, claim: _Claim, **values: Any) -> None:
        held = (deliveries.c.id == claim.delivery["id"], deliveries.c.lease_until == claim.lease)
        at = text_of(self._clock())
        await connection.execute(update(deliveries).where(*held).values(updated_at=at, **values))

    async def _disable(self, webhook_id: str, claim: _Claim, **values: Any) -> None:
        """The endpoint says that it is no more: nothing is sent there until somebody enables it again. With how it went,
        in one transaction: who sees the dead letter sees why."""
        at = text_of(self._clock())
        waiting = (deliveries.c.webhook_id == webhook_id, deliveries.c.state == PENDING)
        _log.warning("webhook_gone", webhook=webhook_id)
        async with self._database.write() as connection:
            await self._set(connection, claim, **values)
            gone = {"state": DISABLED, "reason": "GONE", "updated_at": at}
            await connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**gone))
            dead = {"state": DEAD, "lease_until": None, "last_error": "GONE", "updated_at": at}
            await connection.execute(update(deliveries).where(*waiting).values(**dead))

    async def _drop_leases(self) -> None:
        """A SQLite store has one process: what was leased when it opens was leased by one that died."""
        async with self._database.write() as connection:
            await connection.execute(update(deliveries).values(lease_until=None))


def _claimable(now: datetime) -> ColumnElement[bool]:
    at = text_of(now)
    free = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < at)
    return and_(deliveries.c.state == PENDING, deliveries.c.next_at <= at, free)
