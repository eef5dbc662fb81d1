"""提醒: what those who work on an order should know before it is too late.

Who must act is told before a hold lapses, once for each instant at which it would. And whoever looks at an order reads
what threatens it: holds that lapse soon, goods that were lost or damaged since they were booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.clock import parse_instant, shanghai_time, shanghai_today, text_of
from overlay.messages import Problem, problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.orders import repository
from overlay.orders.machine import GOODS
from overlay.orders.model import ENDED, Order, State
from overlay.orders.shortages import shortages
from overlay.store import tables
from overlay.store.database import Database

__all__ = ["WARNED_BEFORE", "warn_of_lapsing", "warnings_of"]

WARNED_BEFORE = timedelta(days=2)
"""Two working days or a weekend: enough to decide a step, and not so early that it is forgotten again."""
_AT_ONCE_MAX = 200
_MAY_LAPSE = (State.IN_APPROVAL, State.RETURNED, *GOODS.values())


async def warnings_of(connection: AsyncConnection, orders: Sequence[Order], now: datetime) -> list[list[Problem]]:
    """What threatens each of the orders as it stands."""
    assets = [line.asset_id for order in orders if order.state not in ENDED for line in order.live_lines]
    short = await shortages(connection, assets, shanghai_today(now))
    return [
        [*_lapsing(order, now), *(short[line.id].told() for line in order.lines if line.id in short)]
        for order in orders
    ]


def _lapsing(order: Order, now: datetime) -> list[Problem]:
    if order.holds_expire_at is None or order.state not in _MAY_LAPSE:
        return []
    lapses = parse_instant(order.holds_expire_at)
    if not now < lapses <= now + WARNED_BEFORE:
        return []
    return [problem("HOLD_LAPSING", "holdsExpireAt", at=shanghai_time(lapses))]


async def warn_of_lapsing(database: Database, now: datetime) -> int:
    """Tell of the orders whose holds lapse soon. Returns how many were told of."""
    orders = tables.orders
    query = select(orders.c.id).where(
        orders.c.holds_expire_at > text_of(now),
        orders.c.holds_expire_at <= text_of(now + WARNED_BEFORE),
        or_(orders.c.warned_of.is_(None), orders.c.warned_of != orders.c.holds_expire_at),
        orders.c.state.in_(_MAY_LAPSE),
    )
    async with database.read() as connection:
        lapsing = list((await connection.execute(query.limit(_AT_ONCE_MAX))).scalars())
    told = 0
    for order_id in lapsing:
        async with database.write() as connection:
            told += await _warn(connection, order_id, text_of(now))
    return told


async def _warn(connection: AsyncConnection, order_id: str, at: str) -> bool:
    order = await repository.load_order(connection, order_id, lock=True)
    if order is None or order.holds_expire_at is None:
        return False
    orders = tables.orders
    marked = await connection.execute(
        update(orders)
        .where(
            orders.c.id == order_id,
            or_(orders.c.warned_of.is_(None), orders.c.warned_of != order.holds_expire_at),
        )
        .values(warned_of=order.holds_expire_at)
    )
    if marked.rowcount != 1:
        return False  # another process was first
    for audience in _who_must_act(order):
        data = {"number": order.number, "state": order.state, "lapsesAt": order.holds_expire_at}
        await put(connection, at, Topic.HOLD_LAPSING, order.id, audience, data)
    return True


def _who_must_act(order: Order) -> list[Audience]:
    """The office whose turn it is, or the keepers of the lending regions; and always the applicant."""
    applicant = Audience(order.applicant.region, order.applicant.unit, order.applicant.person)
    step = order.current_step
    if order.state is State.IN_APPROVAL and step is not None:
        return [Audience(step.region, step.unit, office=step.office), applicant]
    if order.state in GOODS.values():
        return [*(Audience(region, office="WAREHOUSE") for region in order.lending_regions), applicant]
    return [applicant]
