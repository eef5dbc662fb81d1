"""The saga: carries out a command's steps at the owners, whatever dies in between.

Everything it needs stands in the store: the command, its steps, their results. A step is written before it is sent
and is sent with its own id as idempotency key, so sending it again after a crash is harmless. The three results:
- done: recorded together with what it means for the order, in one transaction;
- refused: recorded; an application gives back the holds it already has (compensation) or, where its applicant accepts
  a part, goes on without the line; a movement goes on;
- unknown: recorded and shown as unknown; the saga stops there, asks the owner's book later and goes on.

A command is run by one runner at a time: it holds a lease in the store, renewed with each step, which a crash leaves
to lapse. A runner that outlives its lease does no harm: each step's result is recorded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.clock import Clock, text_of
from overlay.group.custody import CommandResult, Custody, Done, Refused, Unknown
from overlay.messages import OWNER_CODES, Problem, problem
from overlay.orders.commands import handler_for
from overlay.orders.commands.base import SETTLED, CommandRow, Handler, Step, Work
from overlay.orders.model import Command, HoldState, Line, Order, Settlement
from overlay.orders.policy import Policy
from overlay.orders.repository import update_line, update_order
from overlay.store import tables
from overlay.store.database import Database

__all__ = ["Saga", "load_command"]

_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than one step may take."""
_RESUMED_AT_ONCE_MAX = 500
RUNNING, FINISHED = "RUNNING", "FINISHED"


class Saga:
    def __init__(self, database: Database, custody: Custody, policy: Policy, clock: Clock) -> None:
        self._database = database
        self._custody = custody
        self._policy = policy
        self._clock = clock

    async def open_commands(self) -> list[str]:
        """The commands that are not finished, oldest first."""
        commands = tables.commands
        query = (
            select(commands.c.id)
            .where(commands.c.state != FINISHED)
            .order_by(commands.c.created_at)
            .limit(_RESUMED_AT_ONCE_MAX)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def drop_leases(self) -> None:
        """At the start of the only process on this store: whoever held a lease is gone."""
        async with self._database.write(is_short=True) as connection:
            await connection.execute(update(tables.commands).values(lease_until=None))

    async def run(self, command_id: str) -> None:
        """Carry the command as far as it goes now. Returns at once when somebody else is running it."""
        if not await self._take_lease(command_id):
            return
        while True:
            async with self._database.read() as connection:
                command = await load_command(connection, command_id)
                step = await _next_step(connection, command_id)
            if command is None:
                return
            if step is None:
                await self._finish(command)
                return
            result = await self._send(step)
            await self._record(command, step, result)
            if isinstance(result, Unknown):
                return

    async def _take_lease(self, command_id: str) -> bool:
        """Take the lease, in the same breath as finding out whether there is anything to do."""
        commands, now = tables.commands, self._clock()
        free = or_(commands.c.lease_until.is_(None), commands.c.lease_until < text_of(now))
        async with self._database.write(is_short=True) as connection:
            taken = await connection.execute(
                update(commands)
                .where(commands.c.id == command_id, commands.c.state != FINISHED, free)
                .values(lease_until=text_of(now + LEASE))
            )
            return taken.rowcount == 1

    async def _send(self, step: Step) -> CommandResult:
        if step.attempts > 0 and step.action == "PLACE":
            status = await self._custody.status(step.id, step.asset_id)
            if status is not None and status.get("hold") is not None:
                return Done({"hold": status["hold"]})
        return await self._custody.send(step.action, step.id, step.asset_id, step.input)

    async def _record(self, command: CommandRow, step: Step, result: CommandResult) -> None:
        async with self._database.write(is_short=True) as connection:
            work = Work(connection, self._policy, self._clock(), command)
            order = await work.reload(command.order_id)
            match result:
                case Done(data):
                    if not await _set_step(work, step, "DONE", data):
                        return  # a runner that had stalled: its lease lapsed and another has recorded this step
                    await _handler(command, order).step_done(work, order, step, data)
                case Refused(problems):
                    if not await _set_step(work, step, "REFUSED", None, problems):
                        return
                    await _handler(command, order).step_refused(work, order, step, problems)
                case Unknown(reason):
                    _log.warning("step_unknown", order=order.id, step=step.id, action=step.action, reason=reason)
                    await _set_step(work, step, "UNKNOWN", None)
                    await _show_unknown(work, order, step)
            lease = None if isinstance(result, Unknown) else text_of(work.now + LEASE)
            await _set_lease(connection, command.id, lease)

    async def _finish(self, command: CommandRow) -> None:
        async with self._database.write(is_short=True) as connection:
            work = Work(connection, self._policy, self._clock(), command)
            order = await work.reload(command.order_id)
            if not await _close(connection, command.id):
                return
            work.moved = await _done_steps(connection, command.id)
            problems = await _problems(connection, command, order)
            await _handler(command, order).finish(work, order, problems)
            await connection.execute(
                update(tables.commands)
                .where(tables.commands.c.id == command.id)
                .values(problems=[item.to_json() for item in problems])
            )
            await update_order(connection, order.id, work.at, **SETTLED)


async def load_command(connection: AsyncConnection, command_id: str) -> CommandRow | None:
    row = (
        (await connection.execute(select(tables.commands).where(tables.commands.c.id == command_id))).mappings().first()
    )
    if row is None:
        return None
    return CommandRow(
        id=row["id"],
        name=Command(row["name"]),
        order_id=row["order_id"],
        body=row["body"],
        actor=Identity(row["person"], row["unit"], row["region"]),
        state=row["state"],
    )


def _handler(command: CommandRow, order: Order) -> Handler:
    return handler_for(order.flow, command.name, command.body)


async def _next_step(connection: AsyncConnection, command_id: str) -> Step | None:
    steps = tables.steps
    query = (
        select(steps)
        .where(steps.c.command_id == command_id, steps.c.state.in_(("PENDING", "UNKNOWN")))
        .order_by(steps.c.position)
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    names = ("id", "action", "line_id", "asset_id", "input", "state", "attempts", "position")
    return Step(**{name: row[name] for name in names})


async def _set_step(
    work: Work, step: Step, state: str, data: Mapping[str, Any] | None, problems: Sequence[Problem] = ()
) -> bool:
    steps = tables.steps
    changed = await work.connection.execute(
        update(steps)
        .where(steps.c.id == step.id, steps.c.state.in_(("PENDING", "UNKNOWN")))
        .values(
            state=state,
            result=None if data is None else dict(data),
            problems=[item.to_json() for item in problems],
            attempts=steps.c.attempts + 1,
            updated_at=work.at,
        )
    )
    return changed.rowcount == 1


async def _show_unknown(work: Work, order: Order, step: Step) -> None:
    await update_order(work.connection, order.id, work.at, settlement=Settlement.UNKNOWN, listed=True)
    if step.action == "PLACE":
        await update_line(work.connection, step.line_id, hold_state=HoldState.UNKNOWN)


async def _set_lease(connection: AsyncConnection, command_id: str, until: str | None) -> None:
    commands = tables.commands
    await connection.execute(update(commands).where(commands.c.id == command_id).values(lease_until=until))


async def _close(connection: AsyncConnection, command_id: str) -> bool:
    commands = tables.commands
    closed = await connection.execute(
        update(commands)
        .where(commands.c.id == command_id, commands.c.state != FINISHED)
        .values(state=FINISHED, lease_until=None)
    )
    return closed.rowcount == 1


async def _done_steps(connection: AsyncConnection, command_id: str) -> list[str]:
    steps = tables.steps
    query = select(steps.c.id).where(steps.c.command_id == command_id, steps.c.state == "DONE")
    return list((await connection.execute(query)).scalars())


async def _problems(connection: AsyncConnection, command: CommandRow, order: Order) -> list[Problem]:
    """What the owners refused, with the line it is about. A refused release harms nobody and is not told, nor what the
    applicant does without, unless nothing is left."""
    steps = tables.steps
    told = ["REFUSED"] if order.live_lines else ["REFUSED", "DROPPED"]
    query = (
        select(steps.c.line_id, steps.c.asset_id, steps.c.problems)
        .where(steps.c.command_id == command.id, steps.c.state.in_(told), steps.c.action != "RELEASE")
        .order_by(steps.c.position)
    )
    positions = {line.id: _position(command, line) for line in order.lines}
    problems: list[Problem] = []
    for row in await connection.execute(query):
        for data in row.problems:
            item = Problem.from_json(data)
            path = ("lines", positions[row.line_id])
            if item.code in OWNER_CODES:
                problems.append(problem(item.code, *path, id=row.asset_id))
            else:
                problems.append(Problem(item.code, path, item.params, item.message, item.remedy))
    return problems


def _position(command: CommandRow, line: Line) -> str:
    """Where the input names the line; where it names none, the line's place in the order."""
    for index, item in enumerate(command.body.get("lines") or ()):
        if item.get("lineId") == line.id or item.get("assetId") == line.asset_id:
            return str(index)
    return str(line.position)
