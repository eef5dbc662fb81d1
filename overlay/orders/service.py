"""The counter at which commands on orders are handed in.

Every command passes the same five checks in the same order: who asks, the idempotency key, whether the order is
there for them, whether its state and their rights allow it, and what the owners say. A refusal changes nothing but
the record that the command was refused, so that a repeated key answers the first result. Refusals by chance (a store
that does not answer, an order that is busy) are not recorded: the same key may try again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import RowMapping, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity, Role
from contract.regions import REGIONS
from overlay.approvals.delegations import Delegations
from overlay.audit.log import Action, record
from overlay.clock import Clock
from overlay.group.custody import Custody
from overlay.ledger.entries import NegativeBalance
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.clockwork import Clockwork
from overlay.orders.commands import EXTENSION, HANDLERS, handler_for
from overlay.orders.commands.apply import Apply
from overlay.orders.commands.base import CommandRow, Desk, Work
from overlay.orders.commands.checks import check_lengths
from overlay.orders.commands.draft import Draft
from overlay.orders.commands.drafters import DRAFTERS
from overlay.orders.commands.rows import new_order_id
from overlay.orders.machine import transition_for
from overlay.orders.model import FINISHED, RUNNING, Command, Flow, Order, Settlement, State
from overlay.orders.policy import Policy
from overlay.orders.quota import NO_QUOTA, Quota
from overlay.orders.rights import check_command, visible_order
from overlay.orders.saga import Saga, Turn
from overlay.store import tables
from overlay.store.database import Database
from overlay.store.once import actor_of, check_key, input_hash
from overlay.store.statements import add
from subgraphs.kit.prepared import kept

__all__ = ["Circulation", "CommandAnswer"]

T = TypeVar("T")

_RESUMED_TOGETHER = 8
_ON_EXTENSIONS = frozenset({Command.APPROVE, Command.REJECT, Command.WITHDRAW})
"""Commands that concern the request, where a loan waits for an extension."""
_COMMANDS, _ORDERS = tables.commands, tables.orders
_BY_KEY = kept(
    select(_COMMANDS).where(_COMMANDS.c.actor == bindparam("of_actor"), _COMMANDS.c.key == bindparam("by_key"))
)
_WITH_ORDER = kept(
    select(_COMMANDS, _ORDERS.c.state.label("order_state"), _ORDERS.c.settlement)
    .outerjoin(_ORDERS, _ORDERS.c.id == _COMMANDS.c.order_id)
    .where(_COMMANDS.c.id == bindparam("command_id"))
)
"""A command with what its answer needs of its order."""


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    order_id: str | None
    problems: tuple[Problem, ...]


class _Refusal(Exception):
    """Undoes a transaction: the command was refused within it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class Circulation:
    def __init__(
        self,
        database: Database,
        custody: Custody,
        policy: Policy,
        clock: Clock,
        resumed_together: int = _RESUMED_TOGETHER,
        quota: Quota = NO_QUOTA,
    ) -> None:
        self._database = database
        self._custody = custody
        self._policy = policy
        self._clock = clock
        self._quota = quota
        self._saga = Saga(database, custody, policy, clock)
        self._clockwork = Clockwork(database, policy, clock, self.submit)
        self._resumed_together = resumed_together
        self._delegations = Delegations(database, clock)
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def apply(self, flow: Flow, identity: Identity, key: str, body: Mapping[str, Any]) -> CommandAnswer:
        """Hand in an application of any flow that has one."""
        refusal = _check_caller(identity, key) or _check_applicant(flow, identity)
        if refusal is not None:
            return CommandAnswer(None, (refusal,))
        digest = input_hash(Command.APPLY, flow, body)
        replayed = await self._replay(identity, key, digest)
        if replayed is not None:
            return replayed
        draft = await DRAFTERS[flow].draft(self._desk(identity, dict(body)))
        if isinstance(draft, list):
            return await self._refuse(identity, key, Command.APPLY, digest, None, draft)
        return await self._begin_application(identity, key, digest, draft, body)

    async def submit(
        self, identity: Identity, key: str, command: Command, order_id: str, body: Mapping[str, Any]
    ) -> CommandAnswer:
        """Give a command on an order that exists."""
        refusal = _check_caller(identity, key)
        if refusal is not None:
            return CommandAnswer(None, (refusal,))
        digest = input_hash(command, order_id, body)
        replayed = await self._replay(identity, key, digest)
        if replayed is not None:
            return replayed
        acting = await self._acting(identity, body)
        if acting is None:
            return await self._refuse(identity, key, command, digest, None, [problem("NOT_DELEGATED", "onBehalfOf")])
        order = await self._visible(acting, order_id)
        if order is None:
            unknown = problem("NOT_FOUND", "orderId")
            return await self._refuse(identity, key, command, digest, None, [unknown])
        given = dict(body)
        if command is Command.RETURN_GOODS:
            given["returnId"] = new_order_id()
        if order.state is State.EXTENDING and order.asked_extension is not None and command in _ON_EXTENSIONS:
            given[EXTENSION] = order.asked_extension.number
        problems = list(_check_order(acting, order, command)) or check_lengths(given)
        if not problems and body.get("onBehalfOf") == order.applicant.person:
            problems = [problem("OWN_ORDER", "orderId")]
        if not problems:
            handler = handler_for(order.flow, command, given)
            problems = list(await handler.prepare(self._desk(acting, given), order))
        if problems:
            return await self._refuse(identity, key, command, digest, order_id, problems)
        return await self._begin(acting, key, digest, command, order, given)

    async def resume(self) -> int:
        """Take up every command that is not finished. Returns how many there were."""
        commands = await self._saga.open_commands()
        gate = asyncio.Semaphore(self._resumed_together)

        async def one(command_id: str) -> None:
            async with gate:
                await self._settle(command_id)

        await asyncio.gather(*(one(command_id) for command_id in commands))
        return len(commands)

    async def tend(self) -> None:
        """What the calendar asks for: holds that lapsed, notices that are over, goods that are overdue."""
        await self._clockwork.expire()
        await self._clockwork.close_notices()
        await self._clockwork.remind()

    async def expire(self) -> int:
        return await self._clockwork.expire()

    async def close_notices(self) -> int:
        return await self._clockwork.close_notices()

    async def remind(self) -> int:
        return await self._clockwork.remind()

    async def start(self) -> None:
        if self._database.is_sqlite:
            await self._saga.drop_leases()

    async def stop(self) -> None:
        """Wait for what is under way; a process that is killed instead loses nothing."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _desk(self, identity: Identity, body: dict[str, Any]) -> Desk:
        return Desk(self._custody, self._policy, self._clock(), identity, body, self._quota)

    async def _begin_application(
        self, identity: Identity, key: str, digest: str, draft: Draft, body: Mapping[str, Any]
    ) -> CommandAnswer:
        order_id = new_order_id()
        command = _command_row(Command.APPLY, order_id, identity, body)

        async def begin() -> Turn | None:
            async with self._database.write(is_short=True) as connection:
                work = Work(connection, self._policy, self._clock(), command)
                await _insert_command(work, key, digest, RUNNING, lease=self._saga.lease())
                handler = HANDLERS[(draft.flow, Command.APPLY)]
                assert isinstance(handler, Apply)
                problems = await handler.create(work, order_id, draft, identity)
                if problems:
                    raise _Refusal(problems)
                return await self._saga.first_turn(work)

        return await self._carry_out(command, key, digest, None, begin)

    async def _begin(
        self, identity: Identity, key: str, digest: str, command: Command, seen: Order, body: Mapping[str, Any]
    ) -> CommandAnswer:
        row = _command_row(command, seen.id, identity, body)

        async def begin() -> Turn | None:
            async with self._database.write(is_short=True) as connection:
                work = Work(connection, self._policy, self._clock(), row)
                order = await work.reload(seen.id)
                if order.version != seen.version:
                    raise _Refusal([problem("ORDER_CHANGED", "orderId")])
                await _insert_command(work, key, digest, RUNNING, lease=self._saga.lease())
                problems = await handler_for(order.flow, command, body).begin(work, order)
                if problems:
                    raise _Refusal(problems)
                held: dict[str, Any] = {"command_id": row.id, "settlement": Settlement.PENDING}
                await repository.update_order(connection, order.id, work.at, **held)
                return await self._saga.first_turn(work)

        return await self._carry_out(row, key, digest, seen.id, begin)

    async def _carry_out(
        self,
        command: CommandRow,
        key: str,
        digest: str,
        order_id: str | None,
        begin: Callable[[], Awaitable[Turn | None]],
    ) -> CommandAnswer:
        """Begin a command and carry it on, apart from this request: who hangs up does not stop what has begun.
        `order_id`: of the order that a refusal is about, if there is one yet."""

        async def carried() -> CommandAnswer:
            try:
                turn = await begin()
            except _Refusal as refusal:
                return await self._refuse(command.actor, key, command.name, digest, order_id, refusal.problems)
            except NegativeBalance as early:
                told = [problem("GOODS_UNDER_WAY", "orderId", id=early.asset_id)]
                return await self._refuse(command.actor, key, command.name, digest, order_id, told)
            except IntegrityError:
                return await self._replay_certainly(command.actor, key, digest)
            if turn is not None:
                await self._saga.go_on(turn)
            return await self._answer(command.id)

        return await asyncio.shield(self._apart(command.id, carried()))

    async def _settle(self, command_id: str) -> None:
        """Take a command up, or wait for who runs it here."""
        task = self._running.get(command_id)
        await asyncio.shield(task or self._apart(command_id, self._saga.run(command_id)))

    def _apart(self, command_id: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=f"saga {command_id}")
        self._running[command_id] = task
        task.add_done_callback(lambda done: self._forget(command_id, done))
        return task

    def _forget(self, command_id: str, task: asyncio.Task[Any]) -> None:
        if self._running.get(command_id) is task:
            del self._running[command_id]

    async def _acting(self, identity: Identity, body: Mapping[str, Any]) -> Identity | None:
        """Who acts: the caller, or the caller in the office of whoever lent it; None where nobody did."""
        lender = body.get("onBehalfOf")
        if lender is None:
            return identity
        lent = await self._delegations.in_force(identity)
        return next((one.acting() for one in lent if one.person == lender), None)

    async def _visible(self, identity: Identity, order_id: str) -> Order | None:
        async with self._database.read(is_short=True) as connection:
            query, who = visible_order(identity)
            found = await repository.load_orders(connection, query, {"id": order_id, **who})
        return found[0] if found else None

    async def _replay(self, identity: Identity, key: str, digest: str) -> CommandAnswer | None:
        """The first result of this key, or that it was used for something else, or None when it is new."""
        async with self._database.read(is_short=True) as connection:
            row = await _command_by_key(connection, actor_of(identity), key)
        if row is None:
            return None
        if row["input_hash"] != digest:
            return CommandAnswer(None, (problem("IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),))
        if row["state"] != FINISHED:
            await self._settle(row["id"])
        return await self._answer(row["id"])

    async def _replay_certainly(self, identity: Identity, key: str, digest: str) -> CommandAnswer:
        answer = await self._replay(identity, key, digest)
        if answer is None:
            raise RuntimeError("the store refused a command that it does not know")
        return answer

    async def _refuse(
        self,
        identity: Identity,
        key: str,
        command: Command,
        digest: str,
        order_id: str | None,
        problems: Sequence[Problem],
    ) -> CommandAnswer:
        if any(item.transient for item in problems):
            return CommandAnswer(order_id, tuple(problems))
        row = _command_row(command, order_id or "", identity, {})
        try:
            async with self._database.write(is_short=True) as connection:
                work = Work(connection, self._policy, self._clock(), row)
                await _insert_command(work, key, digest, FINISHED, problems)
        except IntegrityError:
            return await self._replay_certainly(identity, key, digest)
        return CommandAnswer(order_id, tuple(problems))

    async def _answer(self, command_id: str) -> CommandAnswer:
        async with self._database.read(is_short=True) as connection:
            row = (await connection.execute(_WITH_ORDER, {"command_id": command_id})).mappings().one()
        problems = tuple(Problem.from_json(item) for item in row["problems"])
        if row["state"] != FINISHED:
            problems = (problem("OUTCOME_UNKNOWN", "orderId"),)
        if row["order_state"] is None:
            return CommandAnswer(None, problems)
        is_refused = row["name"] == Command.APPLY and problems and row["settlement"] == Settlement.SETTLED
        if is_refused and row["order_state"] == State.DRAFT:
            return CommandAnswer(None, problems)
        made_return = row["name"] == Command.RETURN_GOODS and not problems
        return CommandAnswer(str(row["body"]["returnId"]) if made_return else row["order_id"], problems)


def _check_caller(identity: Identity, key: str) -> Problem | None:
    if identity.is_anonymous:
        return problem("SIGN_IN_REQUIRED")
    return check_key(key)


def _check_applicant(flow: Flow, identity: Identity) -> Problem | None:
    row = transition_for(flow, None, Command.APPLY)
    assert row is not None
    keeps = flow is Flow.REPAIR and identity.has(Role.KEEPER)
    belongs = (identity.unit is not None or keeps) and identity.region in REGIONS
    if not belongs or not identity.roles & row.roles:
        roles = ", ".join(sorted(row.roles))
        return problem("FORBIDDEN", command=Command.APPLY, roles=roles)
    return None


def _check_order(identity: Identity, order: Order, command: Command) -> Sequence[Problem]:
    refusal = check_command(identity, order, command)
    if refusal is None and order.command_id is not None:
        refusal = problem("COMMAND_IN_PROGRESS", "orderId")
    return [] if refusal is None else [refusal]


def _command_row(command: Command, order_id: str, identity: Identity, body: Mapping[str, Any]) -> CommandRow:
    return CommandRow(uuid.uuid4().hex, command, order_id, body, identity, RUNNING)


async def _insert_command(
    work: Work, key: str, digest: str, state: str, problems: Sequence[Problem] = (), lease: str | None = None
) -> None:
    command, actor = work.command, work.command.actor
    row = {
        "id": command.id,
        "actor": actor_of(actor),
        "key": key,
        "name": command.name,
        "input_hash": digest,
        "order_id": command.order_id or None,
        "state": state,
        "problems": [item.to_json() for item in problems],
        "body": dict(command.body),
        "person": actor.person,
        "unit": actor.unit,
        "region": actor.region,
        "lease_until": lease,
        "created_at": work.at,
    }
    await add(work.connection, tables.commands, [row])
    action = Action.REFUSED if problems else Action.COMMAND
    told: dict[str, Any] = {"command": command.name}
    if problems:
        told["codes"] = [item.code for item in problems]
    if command.body.get("onBehalfOf") is not None:
        told["onBehalfOf"] = command.body["onBehalfOf"]
    await record(work.connection, work.at, actor, action, command.order_id or "-", told)


async def _command_by_key(connection: AsyncConnection, actor: str, key: str) -> RowMapping | None:
    return (await connection.execute(_BY_KEY, {"of_actor": actor, "by_key": key})).mappings().first()
