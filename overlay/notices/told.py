"""What orders tell: the notices that commands put, spelled in one place."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.notices.outbox import Audience, Topic, put
from overlay.orders.model import Command, Order, State

__all__ = ["order_changed"]


async def order_changed(connection: AsyncConnection, at: str, order: Order, command: Command, to: State) -> None:
    """The order went from its state to another."""
    applicant = order.applicant
    audience = Audience(applicant.region, applicant.unit, applicant.person, regions=order.lending_regions)
    data = {"number": order.number, "flow": order.flow, "command": command, "from": order.state, "to": to}
    await put(connection, at, Topic.ORDER_CHANGED, order.id, audience, data)
