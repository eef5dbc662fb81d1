"""From the outbox to each webhook that wants to know: one delivery for each pair, made exactly once.

Routing is done by one process at a time, in the order of the outbox, so that a subject's deliveries are numbered in the
order in which its notices were put. (Whoever puts notices about one subject from several transactions holds a lock on
the subject, as commands do on their order.)
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.store.database import Database
from overlay.store.tables import deliveries, outbox, webhooks

__all__ = ["ENABLED", "PENDING", "Target", "body_of", "route", "wants"]

ENABLED, PENDING, ROUTED = "ENABLED", "PENDING", "ROUTED"
_ROUTED_AT_ONCE_MAX = 500
_ROUTING_LOCK = 330100_0002
"""PostgreSQL's advisory lock of whoever routes, beside that of migrations."""


@dataclass(frozen=True, slots=True)
class Target:
    """What routing must know of a webhook."""

    id: str
    topics: Sequence[str]
    """None named: all."""
    region: str | None


def wants(target: Target, topic: str, audience: Mapping[str, Any]) -> bool:
    """A webhook of one region is told what concerns that region, and what concerns all."""
    if target.topics and topic not in target.topics:
        return False
    concerned = {audience.get("region"), *audience.get("regions", ())} - {None}
    return target.region is None or not concerned or target.region in concerned


def body_of(notice: RowMapping, region: str | None) -> dict[str, Any]:
    """What is sent to a webhook of `region` (None: the city's). A person is named to the city and to their own region."""
    audience = dict(notice["audience"])
    if region is not None and audience.get("region") != region:
        audience.pop("person", None)
    told = {name: notice[name] for name in ("id", "topic", "at", "subject")}
    return {**told, "audience": audience, "data": notice["data"]}


async def route(database: Database, at: str) -> int:
    """Make the deliveries of what is new in the outbox. Returns how many notices were routed."""
    pending = select(outbox).where(outbox.c.state == PENDING).order_by(outbox.c.seq).limit(_ROUTED_AT_ONCE_MAX)
    async with database.read() as connection:
        if (await connection.execute(pending.with_only_columns(outbox.c.seq).limit(1))).first() is None:
            return 0
    async with database.write() as connection:
        if not database.is_sqlite and not await _locked(connection):
            return 0
        notices = (await connection.execute(pending)).mappings().all()
        targets = await _targets(connection)
        rows = [
            _delivery(target, notice, at)
            for notice in notices
            for target in targets
            if wants(target, notice["topic"], notice["audience"])
        ]
        if rows:
            await connection.execute(insert(deliveries), rows)
        if notices:
            ids = [notice["id"] for notice in notices]
            await connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(state=ROUTED))
        return len(notices)


async def _locked(connection: AsyncConnection) -> bool:
    answer = await connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_ROUTING_LOCK})")
    return bool(answer.scalar_one())


async def _targets(connection: AsyncConnection) -> list[Target]:
    query = select(webhooks.c.id, webhooks.c.topics, webhooks.c.region).where(webhooks.c.state == ENABLED)
    return [Target(row.id, row.topics, row.region) for row in await connection.execute(query)]


def _delivery(target: Target, notice: RowMapping, at: str) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "webhook_id": target.id,
        "notice_id": notice["id"],
        "subject": notice["subject"],
        "state": PENDING,
        "attempts": 0,
        "next_at": at,
        "updated_at": at,
    }
