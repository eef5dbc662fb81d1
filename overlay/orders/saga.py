"""The saga: carries out a command's steps at the owners, whatever dies in between.

Everything it needs stands in the store: the command, its steps, their results. A step is written before it is sent
and is sent with its own id as idempotency key, so sending it again after a crash is harmless. The three results:
- done: recorded together with what it means for the order, in one transaction;
- refused: recorded; an application gives back the holds it already has (compensation) or, where its applicant accepts
  a part, goes on without the line; a movement goes on;
- unknown: recorded and shown as unknown; the saga stops there, asks the owner's book later and goes on. So it is too
  where the book is ahead of the ledger: goods have left again whose coming another command still has to record.

A command begins with the lease of who begins it; the last step's result and the command's end are one transaction, and
so are the beginning and the end of a command that has no steps.

A command is run by one runner at a time: it holds a lease in the store, renewed with each step, which a crash leaves
to lapse. A runner that outlives its lease does no harm: each step's result is recorded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import RowMapping, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.clock import Clock, text_of
from overlay.group.custody import CommandResult, Custody, Done, Refused, Unknown
from overlay.ledger.entries import NegativeBalance
from overlay.messages import OWNER_CODES, Problem, problem
from overlay.orders.commands import handler_for
from overlay.orders.commands.base import SETTLED, CommandRow, Handler, Step, Work
from overlay.orders.model import FINISHED, OPEN_STEPS, RUNNING, Command, HoldState, Line, Order, Settlement
from overlay.orders.policy import Policy
from overlay.orders.repository import update_line, update_order
from overlay.store import tables
from overlay.store.database import Database
from overlay.store.statements import change
from subgraphs.kit.prepared import kept, one_of

__all__ = ["Saga", "Turn"]

_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than one step may take."""
_RESUMED_AT_ONCE_MAX = 500
_STEPS_OF_COMMAND = kept(
    select(tables.steps).where(tables.steps.c.command_id == bindparam("command_id")).order_by(tables.steps.c.position)
)
_SET_STEP = kept(
    update(tables.steps)
    .where(tables.steps.c.id == bindparam("step_id"), one_of(tables.steps.c.state, OPEN_STEPS))
    .values(
        state=bindparam("new_state"),
        result=bindparam("new_result", type_=tables.steps.c.result.type),
        problems=bindparam("new_problems", type_=tables.steps.c.problems.type),
        attempts=tables.steps.c.attempts + 1,
        updated_at=bindparam("at"),
    )
)
"""Once only: a step that has its result is left alone."""
_CLOSE = kept(
    update(tables.commands)
    .where(tables.commands.c.id == bindparam("command_id"), tables.commands.c.state != FINISHED)
    .values(
        state=FINISHED,
        lease_until=None,
        problems=bindparam("new_problems", type_=tables.commands.c.problems.type),
    )
)
_Row = RowMapping | Mapping[str, Any]
_STEP_COLUMNS = tuple(item.name for item in fields(Step))


class Turn(NamedTuple):
    """A command and the step that is to be carried out next. Whoever has it has the command's lease."""

    command: CommandRow
    step: Step
    is_taken_up: bool = False
    """Whoever had it before may have sent the step, and died before it was recorded."""


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
            .where(commands.c.state == RUNNING)
            .order_by(commands.c.created_at)
            .limit(_RESUMED_AT_ONCE_MAX)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def drop_leases(self) -> None:
        """At the start of the only process on this store: whoever held a lease is gone."""
        commands = tables.commands
        async with self._database.write() as connection:
            await connection.execute(
                update(commands)
                .where(commands.c.state == RUNNING, commands.c.lease_until.is_not(None))
                .values(lease_until=None)
            )

    def lease(self) -> str:
        """Until when a runner that begins now has the command."""
        return text_of(self._clock() + LEASE)

    async def run(self, command_id: str) -> None:
        """Carry the command as far as it goes now. Returns at once when somebody else is running it."""
        turn = await self._take(command_id)
        if turn is not None:
            await self.go_on(turn)

    async def go_on(self, turn: Turn) -> None:
        """Carry on a command whose lease the caller has."""
        following: Turn | None = turn
        while (at := following) is not None:
            result = await self._send(at.step, was_sent=at.is_taken_up or at.step.attempts > 0)
            try:
                following = await self._record(at, result)
            except NegativeBalance as early:
                following = await self._record(at, Unknown(str(early)))

    async def first_turn(self, work: Work) -> Turn | None:
        """The `next_turn` of a command within the transaction that has written it."""
        return await self._turn(work, work.steps)

    async def next_turn(self, work: Work) -> Turn | None:
        """The command's next step, within the transaction that the work is; finishes the command where none is left."""
        return await self._turn(work, await _steps(work))

    async def _turn(self, work: Work, steps: Sequence[_Row]) -> Turn | None:
        waiting = next((row for row in steps if row["state"] in OPEN_STEPS), None)
        if waiting is not None:
            return Turn(work.command, Step(**{name: waiting[name] for name in _STEP_COLUMNS}))
        await self._finish(work, steps)
        return None

    async def _take(self, command_id: str) -> Turn | None:
        """Take the lease, in the same breath as finding out whether there is anything to do."""
        commands, now = tables.commands, self._clock()
        free = or_(commands.c.lease_until.is_(None), commands.c.lease_until < text_of(now))
        async with self._database.write(is_short=True) as connection:
            taken = await connection.execute(
                update(commands)
                .where(commands.c.id == command_id, commands.c.state != FINISHED, free)
                .values(lease_until=text_of(now + LEASE))
            )
            if taken.rowcount != 1:
                return None
            command = await _load_command(connection, command_id)
            turn = await self.next_turn(Work(connection, self._policy, now, command))
            return None if turn is None else turn._replace(is_taken_up=True)

    async def _send(self, step: Step, *, was_sent: bool) -> CommandResult:
        """`was_sent`: maybe, before now. Then who is not even let in may have been the first time."""
        if was_sent and step.action == "PLACE":
            status = await self._custody.status(step.id, step.asset_id)
            if status is not None and status["known"] and status.get("hold") is not None:
                return Done({"hold": status["hold"]})
        result = await self._custody.send(step.action, step.id, step.asset_id, step.input)
        if was_sent and isinstance(result, Refused) and not result.by_book:
            status = await self._custody.status(step.id, step.asset_id)
            if status is None or status["known"]:
                return Unknown("not let in now; it may have been done before")
        return result

    async def _record(self, turn: Turn, result: CommandResult) -> Turn | None:
        """Record a step's result with what it means for the order, and give the next step or finish the command."""
        command, step = turn.command, turn.step
        async with self._database.write(is_short=True) as connection:
            work = Work(connection, self._policy, self._clock(), command)
            order = await work.reload(command.order_id)
            match result:
                case Done(data):
                    is_mine = await _set_step(work, step, "DONE", data)
                    if is_mine:
                        await _handler(command, order).step_done(work, order, step, data)
                case Refused(problems):
                    is_mine = await _set_step(work, step, "REFUSED", None, problems)
                    if is_mine:
                        await _handler(command, order).step_refused(work, order, step, problems)
                case Unknown(reason):
                    _log.warning("step_unknown", order=order.id, step=step.id, action=step.action, reason=reason)
                    await _set_step(work, step, "UNKNOWN", None)
                    await _show_unknown(work, order, step)
                    await _set_lease(connection, command.id, None)
                    return None
            after = await self.next_turn(work)
            if after is not None and is_mine:
                await _set_lease(connection, command.id, self.lease())
            return after

    async def _finish(self, work: Work, steps: Sequence[_Row]) -> None:
        connection, command = work.connection, work.command
        order = await work.reload(command.order_id)
        problems = _problems(command, order, steps)
        if not await _close(connection, command.id, problems):
            return
        work.moved = [row["id"] for row in steps if row["state"] == "DONE"]
        await _handler(command, order).finish(work, order, problems)
        if not work.is_settled:
            await work.set_order(order, **SETTLED)


async def _load_command(connection: AsyncConnection, command_id: str) -> CommandRow:
    query = select(tables.commands).where(tables.commands.c.id == command_id)
    row = (await connection.execute(query)).mappings().one()
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


async def _steps(work: Work) -> Sequence[RowMapping]:
    """All steps of the command, in the order in which they are carried out."""
    found = await work.connection.execute(_STEPS_OF_COMMAND, {"command_id": work.command.id})
    return found.mappings().all()


async def _set_step(
    work: Work, step: Step, state: str, data: Mapping[str, Any] | None, problems: Sequence[Problem] = ()
) -> bool:
    new = {
        "step_id": step.id,
        "new_state": state,
        "new_result": None if data is None else dict(data),
        "new_problems": [item.to_json() for item in problems],
        "at": work.at,
    }
    return (await work.connection.execute(_SET_STEP, new)).rowcount == 1


async def _show_unknown(work: Work, order: Order, step: Step) -> None:
    await update_order(work.connection, order.id, work.at, settlement=Settlement.UNKNOWN, listed=True)
    if step.action == "PLACE":
        await update_line(work.connection, step.line_id, hold_state=HoldState.UNKNOWN)


async def _set_lease(connection: AsyncConnection, command_id: str, until: str | None) -> None:
    await change(connection, tables.commands, {"id": command_id}, {"lease_until": until})


async def _close(connection: AsyncConnection, command_id: str, problems: Sequence[Problem]) -> bool:
    told = [item.to_json() for item in problems]
    closed = await connection.execute(_CLOSE, {"command_id": command_id, "new_problems": told})
    return closed.rowcount == 1


def _problems(command: CommandRow, order: Order, steps: Sequence[_Row]) -> list[Problem]:
    """What the owners refused, with the line it is about. A refused release harms nobody and is not told, nor what the
    applicant does without, unless nothing is left."""
    told = ["REFUSED"] if order.live_lines else ["REFUSED", "DROPPED"]
    positions = {line.id: _position(command, line) for line in order.lines}
    problems: list[Problem] = []
    for row in steps:
        if row["state"] not in told or row["action"] == "RELEASE":
            continue
        path = ("lines", positions[row["line_id"]])
        for data in row["problems"]:
            item = Problem.from_json(data)
            if item.code in OWNER_CODES:
                problems.append(problem(item.code, *path, id=row["asset_id"]))
            else:
                problems.append(Problem(item.code, path, item.params, item.message, item.remedy))
    return problems


def _position(command: CommandRow, line: Line) -> str:
    """Where the input names the line; where it names none, the line's place in the order."""
    for index, item in enumerate(command.body.get("lines") or ()):
        if item.get("lineId") == line.id or item.get("assetId") == line.asset_id:
            return str(index)
    return str(line.position)
