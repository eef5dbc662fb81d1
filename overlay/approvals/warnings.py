"""到期提醒: who must act is told before a hold lapses, once for each instant at which it would."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.clock import text_of
from overlay.notices.outbox import Audience, Topic, put
from overlay.orders import repository
from overlay.orders.machine import GOODS
from overlay.orders.model import Order, State
from overlay.store import tables
from overlay.store.database import Database

__all__ = ["WARNED_BEFORE", "warn_of_lapsing"]

WARNED_BEFORE = timedelta(days=2)
"""Two working days or a weekend: enough to decide a step, and not so early that it is forgotten again."""
_AT_ONCE_MAX = 200


async def warn_of_lapsing(database: Database, now: datetime) -> int:
    """Tell of the orders whose holds lapse soon. Returns how many were told of."""
    orders = tables.orders
    query = select(orders.c.id).where(
        orders.c.holds_expire_at > text_of(now),
        orders.c.holds_expire_at <= text_of(now + WARNED_BEFORE),
        or_(orders.c.warned_of.is_(None), orders.c.warned_of != orders.c.holds_expire_at),
        orders.c.state.in_((State.IN_APPROVAL, State.RETURNED, *GOODS.values())),
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
