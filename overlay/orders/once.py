"""A command that is one transaction of the overlay's own store, carried out once for its idempotency key.

Nothing is asked of an owner, so there is nothing to resume: the change and the record that the key was used are
committed together. What the change answered is kept with the record; a repeated key answers it again. A refusal undoes
the change and keeps only its record, unless it came by chance.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.audit.log import Action, record
from overlay.clock import Clock, text_of
from overlay.messages import Problem, problem
from overlay.orders.saga import FINISHED
from overlay.orders.service import check_key, input_hash
from overlay.store.database import Database
from overlay.store.tables import commands

__all__ = ["Answer", "Counter", "Refused"]

Change = Callable[[AsyncConnection, str], Awaitable[Mapping[str, Any]]]
"""Changes the store within a transaction, at an instant; answers what is to be kept. Raises `Refused`."""


class Refused(Exception):
    """Undoes the change that raises it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Answer:
    result: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    repeated: bool = False
    """Whether the key had been used before: nothing was done now."""


@dataclass(frozen=True, slots=True)
class Counter:
    database: Database
    clock: Clock

    async def run(self, identity: Identity, key: str, name: str, body: Mapping[str, Any], change: Change) -> Answer:
        refusal = problem("SIGN_IN_REQUIRED") if identity.is_anonymous else check_key(key)
        if refusal is not None:
            return Answer(problems=(refusal,))
        digest = input_hash(name, None, body)
        replayed = await self._replay(identity, key, digest)
        if replayed is not None:
            return replayed
        at = text_of(self.clock())
        problems: tuple[Problem, ...] = ()
        result: dict[str, Any] = {}
        try:
            async with self.database.write() as connection:
                try:
                    async with connection.begin_nested():
                        result = dict(await change(connection, at))
                except Refused as refused:
                    problems = refused.problems
                if not any(item.transient for item in problems):
                    await _insert(connection, at, identity, key, name, digest, result, problems)
        except IntegrityError:
            replayed = await self._replay(identity, key, digest)
            if replayed is None:
                raise
            return replayed
        return Answer(result, problems)

    async def _replay(self, identity: Identity, key: str, digest: str) -> Answer | None:
        query = select(commands).where(commands.c.actor == _actor(identity), commands.c.key == key)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        if row["input_hash"] != digest:
            return Answer(problems=(problem("IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),))
        return Answer(row["body"], tuple(Problem.from_json(item) for item in row["problems"]), repeated=True)


async def _insert(
    connection: AsyncConnection,
    at: str,
    identity: Identity,
    key: str,
    name: str,
    digest: str,
    result: Mapping[str, Any],
    problems: Sequence[Problem],
) -> None:
    await connection.execute(
        insert(commands).values(
            id=uuid.uuid4().hex,
            actor=_actor(identity),
            key=key,
            name=name,
            input_hash=digest,
            order_id=result.get("order"),
            state=FINISHED,
            problems=[item.to_json() for item in problems],
            body=dict(result),
            person=identity.person,
            unit=identity.unit,
            region=identity.region,
            created_at=at,
        )
    )
    action = Action.REFUSED if problems else Action.COMMAND
    subject = str(result.get("order") or result.get("id") or "")
    await record(connection, at, identity, action, subject, {"command": name, "codes": [one.code for one in problems]})


def _actor(identity: Identity) -> str:
    return str(identity.person)[:256]
