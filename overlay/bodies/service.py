"""Temporary bodies: registered and ended by their host unit's officer; their end calls their goods back.

When the last day is over, or an officer ends a body early, what it has on loan is due at once: the loan's last day
becomes the body's, and whoever must act is told. What has not left the warehouse yet does not leave any more: such
orders expire, and their holds are given back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity, Role
from overlay.bodies.model import TemporaryBody, body_of
from overlay.clock import Clock, shanghai_today, text_of
from overlay.group.custody import SERVICE_IDENTITY
from overlay.messages import Problem, problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.orders.machine import GOODS
from overlay.orders.model import ENDED, Command, Flow, State
from overlay.orders.service import Circulation
from overlay.store.database import Database
from overlay.store.once import Answer, Once
from overlay.store.tables import order_lines, orders, temporary_bodies

__all__ = ["Bodies"]

NAME_MAX = 100
DOCUMENT_MAX = 200
YEARS_MAX = 5
"""What lasts longer is no temporary body."""
_ENDED_AT_ONCE_MAX = 50
_NOT_MOVED = (State.IN_APPROVAL, State.RETURNED, GOODS[Flow.LOAN])


class Bodies:
    def __init__(self, database: Database, circulation: Circulation, clock: Clock) -> None:
        self._database = database
        self._circulation = circulation
        self._clock = clock
        self._once = Once(database, clock)

    async def register(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """`body`: name, document, lastDay."""

        async def act(connection: AsyncConnection, at: str) -> Answer:
            problems = _check(identity, body, shanghai_today(self._clock()))
            if problems:
                return Answer(None, tuple(problems))
            id_ = f"body:{uuid.uuid4().hex}"
            values = {"name": body["name"].strip(), "document": body["document"].strip(), "end_day": _end(body)}
            await connection.execute(
                insert(temporary_bodies).values(
                    id=id_, unit=identity.unit, region=identity.region, settled=False, created_at=at, **values
                )
            )
            return Answer(id_, audited=values)

        return await self._once.run(identity, key, "REGISTER_BODY", body, act)

    async def end(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """`body`: id, lastDay: today or later, and before the last day that it had."""

        async def act(connection: AsyncConnection, _at: str) -> Answer:
            table, today = temporary_bodies, shanghai_today(self._clock())
            if not identity.has(Role.UNIT_OFFICER):
                return Answer(None, (_forbidden("END_BODY"),))
            query = select(table).where(table.c.id == body["id"], table.c.unit == identity.unit)
            row = (await connection.execute(query.with_for_update())).mappings().first()
            if row is None:
                return Answer(None, (problem("BODY_NOT_FOUND", "id"),))
            end = _end(body)
            if not today.isoformat() < end < row["end_day"]:
                return Answer(None, (problem("INVALID_LAST_DAY", "lastDay"),))
            await connection.execute(update(table).where(table.c.id == row["id"]).values(end_day=end, settled=False))
            return Answer(row["id"], audited={"end_day": end})

        return await self._once.run(identity, key, "END_BODY", body, act)

    async def of(self, identity: Identity, first: int, after: int) -> list[TemporaryBody]:
        """`first` + 1 of them at most: the own unit's, a region's for its officer, all for the city."""
        table = temporary_bodies
        query = select(table).where(table.c.seq > after)
        if identity.has(Role.REGION_OFFICER, Role.KEEPER, Role.FINANCE):
            query = query.where(table.c.region == identity.region)
        elif not identity.has(Role.CITY_OFFICER, Role.AUDITOR):
            query = query.where(table.c.unit == identity.unit)
        return await self._load(query.order_by(table.c.seq).limit(first + 1))

    async def by_id(self, identity: Identity, id_: str) -> TemporaryBody | None:
        """One of the own unit's."""
        table = temporary_bodies
        found = await self._load(select(table).where(table.c.id == id_, table.c.unit == identity.unit))
        return found[0] if found else None

    async def _load(self, query: Select[Any]) -> list[TemporaryBody]:
        async with self._database.read() as connection:
            return [body_of(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def tend(self) -> int:
        """Call back the goods of bodies that have ended. Returns how many bodies were settled."""
        table, today = temporary_bodies, shanghai_today(self._clock()).isoformat()
        query = select(table).where(table.c.settled.is_(False), table.c.end_day <= today).limit(_ENDED_AT_ONCE_MAX)
        settled = 0
        for body in await self._load(query):
            settled += await self._call_back(body)
        return settled

    async def _call_back(self, body: TemporaryBody) -> bool:
        if not await self._expire_what_has_not_left(body):
            return False  # an owner's answer is awaited; the body is looked at again
        end = body.end_day.isoformat()
        at = text_of(self._clock())
        async with self._database.write() as connection:
            theirs = select(orders.c.id, orders.c.to_day).where(
                orders.c.body_id == body.id, orders.c.flow == Flow.LOAN, orders.c.state.not_in(ENDED)
            )
            for row in (await connection.execute(theirs.with_for_update())).all():
                later = (order_lines.c.order_id == row.id, order_lines.c.due_day > end)
                await connection.execute(update(order_lines).where(*later).values(due_day=end))
                if row.to_day > end:
                    changed = {"to_day": end, "version": orders.c.version + 1, "updated_at": at}
                    await connection.execute(update(orders).where(orders.c.id == row.id).values(**changed))
                data = {"temporaryBody": body.id, "name": body.name, "endDay": end}
                await put(connection, at, Topic.BODY_ENDED, row.id, Audience(body.region, body.unit), data)
            done = (temporary_bodies.c.id == body.id, temporary_bodies.c.end_day == end)
            await connection.execute(update(temporary_bodies).where(*done).values(settled=True))
        return True

    async def _expire_what_has_not_left(self, body: TemporaryBody) -> bool:
        """Whether nothing of the body's is left that could still leave a warehouse."""
        for order_id, version in await self._waiting(body):
            await self._circulation.submit(SERVICE_IDENTITY, f"end:{order_id}:{version}", Command.EXPIRE, order_id, {})
        return not await self._waiting(body)

    async def _waiting(self, body: TemporaryBody) -> Sequence[tuple[str, int]]:
        moved = select(order_lines.c.order_id).where(
            order_lines.c.order_id == orders.c.id, order_lines.c.dispatched != "0"
        )
        query = select(orders.c.id, orders.c.version).where(
            orders.c.body_id == body.id, orders.c.state.in_(_NOT_MOVED), ~moved.exists()
        )
        async with self._database.read() as connection:
            return [(row.id, row.version) for row in await connection.execute(query)]


def _check(identity: Identity, body: Mapping[str, Any], today: date) -> list[Problem]:
    if not identity.has(Role.UNIT_OFFICER) or identity.unit is None or identity.region is None:
        return [_forbidden("REGISTER_BODY")]
    problems = [
        problem("INVALID_TEXT", name, max=str(most))
        for name, most in (("name", NAME_MAX), ("document", DOCUMENT_MAX))
        if not 1 <= len(body[name].strip()) <= most
    ]
    last = date.fromisoformat(body["lastDay"])
    if not today <= last or (last - today).days > YEARS_MAX * 366:
        problems.append(problem("INVALID_LAST_DAY", "lastDay"))
    return problems


def _forbidden(command: str) -> Problem:
    return problem("FORBIDDEN", command=command, roles=Role.UNIT_OFFICER)


def _end(body: Mapping[str, Any]) -> str:
    """The day after the last one."""
    return date.fromordinal(date.fromisoformat(body["lastDay"]).toordinal() + 1).isoformat()
