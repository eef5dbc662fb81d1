"""What happens because a day has come: holds lapse, public notices end, goods are overdue.

Each is looked for in the store and done as a command of the overlay's own, some at a time, so it can be repeated at
any moment and by several processes: the command's key is made of the order and its version.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from contract.identity import Identity
from overlay.clock import Clock, shanghai_today, text_of
from overlay.group.custody import SERVICE_IDENTITY
from overlay.notices import outbox
from overlay.notices.outbox import Audience, Topic
from overlay.orders import repository
from overlay.orders.machine import GOODS
from overlay.orders.model import Command, Flow, Order, State
from overlay.orders.policy import Policy
from overlay.store import tables
from overlay.store.database import Database

__all__ = ["Clockwork"]

Submit = Callable[[Identity, str, Command, str, Mapping[str, Any]], Awaitable[Any]]

_AT_ONCE_MAX = 200
_MAY_LAPSE = (State.IN_APPROVAL, State.RETURNED, *sorted(set(GOODS.values())))
_MAY_BE_OUT = (State.TO_DISPATCH, State.IN_TRANSIT, State.LENT, State.EXTENDING, State.RETURNING)


class Clockwork:
    def __init__(self, database: Database, policy: Policy, clock: Clock, submit: Submit) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._submit = submit

    async def expire(self) -> int:
        """End the orders whose holds have lapsed before the goods moved. Returns how many there were."""
        orders = tables.orders
        return await self._give(
            Command.EXPIRE, orders.c.holds_expire_at < text_of(self._clock()), orders.c.state.in_(_MAY_LAPSE)
        )

    async def close_notices(self) -> int:
        """End the public notices that are over. Returns how many there were."""
        orders, today = tables.orders, shanghai_today(self._clock())
        return await self._give(
            Command.CLOSE_NOTICE, orders.c.state == State.PUBLIC_NOTICE, orders.c.notice_until <= today.isoformat()
        )

    async def remind(self) -> int:
        """Tell the borrower and the owner's region of what is overdue, once for each stage. Returns how many orders."""
        today = shanghai_today(self._clock())
        stages = self._policy.limits(Flow.LOAN, today).overdue_days
        orders = tables.orders
        due = [
            and_(orders.c.overdue_stage == n, orders.c.to_day <= _latest(today, day)) for n, day in enumerate(stages)
        ]
        query = (
            select(orders.c.id)
            .where(orders.c.flow == Flow.LOAN, orders.c.state.in_(_MAY_BE_OUT), or_(*due))
            .order_by(orders.c.to_day)
            .limit(_AT_ONCE_MAX)
        )
        if not due:
            return 0
        async with self._database.read() as connection:
            found = list((await connection.execute(query)).scalars())
        return sum([await self._remind_of(order_id, today, stages) for order_id in found])

    async def _remind_of(self, order_id: str, today: date, stages: tuple[int, ...]) -> bool:
        at = text_of(self._clock())
        async with self._database.write() as connection:
            order = await repository.load_order(connection, order_id, lock=True)
            days = 0 if order is None else order.days_overdue(today)
            stage = sum(days >= one for one in stages)
            if order is None or stage <= order.overdue_stage:
                return False
            await repository.update_order(connection, order_id, at, overdue_stage=stage)
            data = {"number": order.number, "days": days, "stage": stage}
            for audience in _concerned(order):
                await outbox.put(connection, at, Topic.ORDER_OVERDUE, order_id, audience, data)
        return True

    async def _give(self, command: Command, *conditions: ColumnElement[bool]) -> int:
        orders = tables.orders
        query = (
            select(orders.c.id, orders.c.version)
            .where(*conditions, orders.c.command_id.is_(None))
            .order_by(orders.c.seq)
            .limit(_AT_ONCE_MAX)
        )
        async with self._database.read() as connection:
            found = list(await connection.execute(query))
        for row in found:
            key = f"{command.lower()}:{row.id}:{row.version}"
            await self._submit(SERVICE_IDENTITY, key, command, row.id, {})
        return len(found)


def _latest(today: date, days: int) -> str:
    """The day after the last one of what is overdue for so many days today."""
    return (today - timedelta(days=days - 1)).isoformat()


def _concerned(order: Order) -> list[Audience]:
    applicant = order.applicant
    return [
        Audience(region=applicant.region, unit=applicant.unit, person=applicant.person),
        *(Audience(region=region) for region in order.lending_regions),
    ]
