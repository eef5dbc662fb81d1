"""What orders tell: the notices that commands put, spelled in one place."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from overlay.notices.outbox import Audience, Topic, put
from overlay.orders.model import Command, Office, Order, State
from overlay.orders.shortages import Shortage

__all__ = ["order_changed", "stock_short"]


async def order_changed(connection: AsyncConnection, at: str, order: Order, command: Command, to: State) -> None:
    """The order went from its state to another."""
    applicant = order.applicant
    audience = Audience(applicant.region, applicant.unit, applicant.person, regions=order.lending_regions)
    data = {"number": order.number, "flow": order.flow, "command": command, "from": order.state, "to": to}
    await put(connection, at, Topic.ORDER_CHANGED, order.id, audience, data)


async def stock_short(connection: AsyncConnection, at: str, shortage: Shortage) -> None:
    """A booking no longer fits what is left: to its applicant, and to the officers and keepers of the goods' region.

    Where the caller works on another order it holds no lock on this one: to wait for it with the goods locked could be
    a deadlock. The notice is true whichever of the order's own notices it comes after."""
    booking, applicant = shortage.booking, shortage.booking.applicant
    data = {
        "number": booking.number,
        "lineId": booking.line_id,
        "assetId": booking.asset_id,
        "quantity": format_decimal(booking.to_leave),
        "short": format_decimal(shortage.short),
    }
    for audience in (
        Audience(applicant.region, applicant.unit, applicant.person),
        *(Audience(booking.lending_region, office=office) for office in (Office.LENDING_REGION, Office.WAREHOUSE)),
    ):
        await put(connection, at, Topic.STOCK_SHORT, booking.order_id, audience, data)
