"""Webhooks and dead letters, as the city officer sees and changes them."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity, Role
from contract.regions import REGIONS
from overlay.clock import Clock
from overlay.messages import problem
from overlay.notices.courier import DEAD, DISABLED
from overlay.notices.outbox import Topic
from overlay.notices.routing import ENABLED, PENDING
from overlay.notices.sender import AddressGuard, url_fault
from overlay.notices.signing import InvalidSecret, new_secret, sign
from overlay.store.database import Database
from overlay.store.once import Answer, Once, Refused
from overlay.store.tables import deliveries, outbox, webhooks

__all__ = ["DeadLetter", "Webhook", "Webhooks", "may_configure", "secret_of"]

WEBHOOKS_MAX = 50
"""Bounds the sendings under way: each webhook has a few of its own."""
RESENT_AT_ONCE_MAX = 100
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)
_SECRET_VARIABLE = "GWC_WEBHOOK_SECRET_"


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    url: str
    topics: list[str]
    region: str | None
    state: str
    reason: str | None
    created_at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    """Its deliveries by state."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    seq: int
    id: str
    webhook_id: str
    topic: str
    subject: str
    at: str
    attempts: int
    last_status: int | None
    last_error: str | None


def may_configure(identity: Identity) -> bool:
    return identity.has(Role.CITY_OFFICER)


def secret_of(webhook: RowMapping) -> str:
    """From the environment where the webhook names a variable, else from the store. `KeyError` when it is not set."""
    name = webhook["secret_name"]
    return str(webhook["secret"]) if name is None else os.environ[_SECRET_VARIABLE + name]


class Webhooks:
    def __init__(self, database: Database, guard: AddressGuard, clock: Clock) -> None:
        self._database, self._guard = database, guard
        self._once = Once(database, clock)

    async def create(self, identity: Identity, key: str, body: Mapping[str, Any]) -> tuple[Answer, str | None]:
        """The answer, and the new secret: it is told this once, and not when the key is repeated."""
        id_, name = uuid.uuid4().hex, body.get("secretName")
        secret = new_secret() if name is None else None
        told: list[str | None] = []

        async def change(connection: AsyncConnection, at: str) -> Answer:
            _check_officer(identity)
            self._check(body)
            count = (await connection.execute(select(func.count()).select_from(webhooks))).scalar_one()
            if count >= WEBHOOKS_MAX:
                raise Refused(problem("TOO_MANY_WEBHOOKS", max=str(WEBHOOKS_MAX)))
            await connection.execute(
                insert(webhooks).values(
                    id=id_,
                    url=body["url"],
                    topics=list(body.get("topics") or ()),
                    region=body.get("region"),
                    secret=secret,
                    secret_name=name,
                    state=ENABLED,
                    person=identity.person,
                    created_at=at,
                    updated_at=at,
                )
            )
            told.append(secret)
            return Answer(id_)

        answer = await self._once.run(identity, key, "CREATE_WEBHOOK", body, change)
        return answer, told[0] if told and answer.id == id_ else None

    async def change(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """Enable or disable. What was put while it was disabled is not sent afterwards."""

        async def change(connection: AsyncConnection, at: str) -> Answer:
            _check_officer(identity)
            state = {"state": ENABLED if body["enabled"] else DISABLED, "reason": None, "updated_at": at}
            changed = await connection.execute(
                update(webhooks).where(webhooks.c.id == body["webhookId"]).values(**state).returning(webhooks.c.id)
            )
            if changed.first() is None:
                raise Refused(problem("UNKNOWN_WEBHOOK", "webhookId"))
            return Answer(body["webhookId"])

        return await self._once.run(identity, key, "CHANGE_WEBHOOK", body, change)

    async def resend(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """Put dead letters back, as if they had never been tried. The answer's id is how many there were."""

        async def change(connection: AsyncConnection, at: str) -> Answer:
            _check_officer(identity)
            ids = list(body["ids"])
            if not 1 <= len(ids) <= RESENT_AT_ONCE_MAX:
                raise Refused(problem("TOO_MANY_LETTERS", "ids", max=str(RESENT_AT_ONCE_MAX)))
            enabled = select(webhooks.c.id).where(webhooks.c.state == ENABLED)
            revived = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(ids), deliveries.c.state == DEAD, deliveries.c.webhook_id.in_(enabled))
                .values(state=PENDING, attempts=0, next_at=at, lease_until=None, updated_at=at)
                .returning(deliveries.c.id)
            )
            return Answer(str(len(revived.all())))

        return await self._once.run(identity, key, "RESEND_LETTERS", body, change)

    async def all(self) -> list[Webhook]:
        counted = select(deliveries.c.webhook_id, deliveries.c.state, func.count().label("number")).where(
            deliveries.c.state.in_((PENDING, DEAD))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(select(webhooks).order_by(webhooks.c.seq))).mappings().all()
            counts: dict[str, dict[str, int]] = {row["id"]: {} for row in rows}
            for row in await connection.execute(counted.group_by(deliveries.c.webhook_id, deliveries.c.state)):
                counts[row.webhook_id][row.state] = row.number
        return [_webhook(row, counts[row["id"]]) for row in rows]

    async def dead_letters(self, first: int, after: int) -> list[DeadLetter]:
        """`first` + 1 at most, the oldest first."""
        query = (
            select(deliveries, outbox.c.topic, outbox.c.at)
            .join(outbox, outbox.c.id == deliveries.c.notice_id)
            .where(deliveries.c.state == DEAD, deliveries.c.seq > after)
            .order_by(deliveries.c.seq)
            .limit(first + 1)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [DeadLetter(**{name: row[name] for name in DeadLetter.__slots__}) for row in rows]

    def _check(self, body: Mapping[str, Any]) -> None:
        fault = url_fault(body["url"], self._guard)
        if fault is not None:
            raise Refused(problem("WEBHOOK_" + fault, "url"))
        unknown = [topic for topic in body.get("topics") or () if topic not in set(Topic)]
        if unknown:
            raise Refused(problem("UNKNOWN_TOPIC", "topics", topics=", ".join(sorted(Topic))))
        if body.get("region") not in (None, *REGIONS):
            raise Refused(problem("UNKNOWN_REGION", "region"))
        name = body.get("secretName")
        if name is not None and not _is_set(name):
            raise Refused(problem("SECRET_NOT_SET", "secretName", variable=_SECRET_VARIABLE))


def _is_set(name: str) -> bool:
    """Whether the variable is there and holds a secret. Only variables made for this may be named."""
    if not _SECRET_NAME.fullmatch(name):
        return False
    try:
        sign(os.environ[_SECRET_VARIABLE + name], "", 0, b"")
    except (KeyError, InvalidSecret):
        return False
    return True


def _check_officer(identity: Identity) -> None:
    if not may_configure(identity):
        raise Refused(problem("FORBIDDEN", command="WEBHOOKS", roles=Role.CITY_OFFICER))


def _webhook(row: RowMapping, counts: Mapping[str, int]) -> Webhook:
    names = ("id", "url", "topics", "region", "state", "reason", "created_at")
    return Webhook(**{name: row[name] for name in names}, counts=counts)
