"""Commands that are done in one transaction of this store: once for each idempotency key, whatever is repeated.

A command on an order may need the owners and goes its own way (`overlay.orders.service`). Everything else that a
person commands passes here: the first result is kept under the key and given again; the key for another command or
input is refused; a refusal is kept too, and has changed nothing else. Both are in the audit log.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.audit.log import Action, record
from overlay.clock import Clock, text_of
from overlay.messages import Problem, problem
from overlay.store.database import Database
from overlay.store.tables import commands

__all__ = ["Act", "Answer", "Once", "Refused", "actor_of", "check_key", "input_hash"]

_KEY_LENGTH = range(1, 129)
_ACTOR_LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class Answer:
    id: str | None
    """Of what was made or changed; None where the command was refused."""
    problems: tuple[Problem, ...] = ()
    audited: Mapping[str, Any] = field(default_factory=dict)
    """What the audit log says of it beside who, when and which command; no personal data but of the command's subject."""


Act = Callable[[AsyncConnection, str], Awaitable[Answer]]
"""Does the work at an instant (as text), within the transaction that keeps its result."""


class Refused(Exception):
    """Undoes what a refused command had begun. An act may raise it, from however deep, instead of answering problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


class Once:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, identity: Identity, key: str, name: str, body: Mapping[str, Any], act: Act) -> Answer:
        """Carry the command out, or give its first result. `name` has at most 24 characters."""
        refusal = problem("SIGN_IN_REQUIRED") if identity.is_anonymous else check_key(key)
        if refusal is not None:
            return Answer(None, (refusal,))
        digest = input_hash(name, None, body)
        kept = await self._kept_anywhere(identity, key, digest)
        if kept is not None:
            return kept
        try:
            async with self._database.write() as connection:
                at = text_of(self._clock())
                await _claim(connection, identity, key, name, digest, at)
                answer = await act(connection, at)
                if answer.problems:
                    raise Refused(*answer.problems)
                await _settle(connection, identity, key, answer)
                await record(
                    connection, at, identity, Action.COMMAND, answer.id or "-", {"command": name, **answer.audited}
                )
            return answer
        except Refused as refused:
            return await self._keep_refusal(identity, key, name, digest, Answer(None, refused.problems))
        except IntegrityError:
            return await self._kept_certainly(identity, key, digest)

    async def _keep_refusal(self, identity: Identity, key: str, name: str, digest: str, refusal: Answer) -> Answer:
        if any(item.transient for item in refusal.problems):
            return refusal
        try:
            async with self._database.write() as connection:
                at = text_of(self._clock())
                await _claim(connection, identity, key, name, digest, at)
                await _settle(connection, identity, key, refusal)
                codes = [item.code for item in refusal.problems]
                await record(connection, at, identity, Action.REFUSED, "-", {"command": name, "codes": codes})
        except IntegrityError:
            return await self._kept_certainly(identity, key, digest)
        return refusal

    async def _kept_anywhere(self, identity: Identity, key: str, digest: str) -> Answer | None:
        query = select(commands).where(commands.c.actor == actor_of(identity), commands.c.key == key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        if row["input_hash"] != digest:
            return Answer(None, (problem("IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),))
        return Answer(row["body"].get("id"), tuple(Problem.from_json(item) for item in row["problems"]))

    async def _kept_certainly(self, identity: Identity, key: str, digest: str) -> Answer:
        """Another request with the same key was first: it has committed, or this one would not have been refused."""
        kept = await self._kept_anywhere(identity, key, digest)
        if kept is None:
            raise RuntimeError("the store refused a command that it does not know")
        return kept


def input_hash(command: str, order_id: str | None, body: Mapping[str, Any]) -> str:
    material = orjson.dumps([command, order_id, body], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(material).hexdigest()


def check_key(key: str) -> Problem | None:
    if len(key) not in _KEY_LENGTH or not key.isprintable() or " " in key:
        return problem("INVALID_KEY", "idempotencyKey")
    return None


def actor_of(identity: Identity) -> str:
    return str(identity.person)[:_ACTOR_LENGTH_MAX]


async def _claim(connection: AsyncConnection, identity: Identity, key: str, name: str, digest: str, at: str) -> None:
    """Take the key before anything is done: of two requests with the same one, the second waits here and fails."""
    await connection.execute(
        insert(commands).values(
            id=uuid.uuid4().hex,
            actor=actor_of(identity),
            key=key,
            name=name,
            input_hash=digest,
            state="FINISHED",
            problems=[],
            body={},
            person=identity.person,
            unit=identity.unit,
            region=identity.region,
            created_at=at,
        )
    )


async def _settle(connection: AsyncConnection, identity: Identity, key: str, answer: Answer) -> None:
    await connection.execute(
        update(commands)
        .where(commands.c.actor == actor_of(identity), commands.c.key == key)
        .values(body={"id": answer.id}, problems=[item.to_json() for item in answer.problems])
    )
