"""Prints: made when they are fetched, by the rights of whom the link was signed for, and remembered by their code.

A paper is checked by its code: the overlay says what it printed under it, and whether the order has changed since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from contract.identity import Identity
from overlay.audit.log import Action, record
from overlay.clock import Clock, text_of
from overlay.files.policy import DOWNLOAD_LIFE
from overlay.files.tickets import Link, Ticket, TicketOffice
from overlay.orders import repository
from overlay.orders.model import Order
from overlay.orders.policy import Policy
from overlay.orders.rights import visible_orders
from overlay.prints.pdf import render_pdf
from overlay.prints.sheet import Kind, has_print, make_sheet
from overlay.store.database import Database
from overlay.store.tables import orders, prints

__all__ = ["MadePrint", "PrintCheck", "Prints"]

_RENDERED_TOGETHER_MAX = 1
"""Setting a page is work of the interpreter, which two threads do no faster than one."""


@dataclass(frozen=True, slots=True)
class MadePrint:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PrintCheck:
    """What is known of a paper by its code."""

    number: str
    kind: Kind
    at: str
    summary: Mapping[str, Any]
    is_current: bool
    """Whether the order is still as it was printed."""


class Prints:
    def __init__(self, database: Database, tickets: TicketOffice, policy: Policy, clock: Clock) -> None:
        self.tickets = tickets
        self._database, self._policy, self._clock = database, policy, clock
        self._gate = asyncio.Semaphore(_RENDERED_TOGETHER_MAX)

    def link(self, identity: Identity, order: Order, kind: Kind) -> Link | None:
        """Where this person fetches the print; None when the order has no such one."""
        if identity.is_anonymous or not has_print(order, kind):
            return None
        subject = subject_of(kind, order.id)
        return self.tickets.link(f"prints/{kind}/{order.id}", Ticket("PRINT", subject, identity), DOWNLOAD_LIFE)

    async def make(self, identity: Identity, order_id: str, kind: Kind) -> MadePrint | None:
        """The print as it is now, or None when this person may not see the order or it has no such print."""
        async with self._database.read() as connection:
            query = repository.select_orders(orders.c.id == order_id, visible_orders(identity))
            found = await repository.load_orders(connection, query)
        if not found or not has_print(found[0], kind):
            return None
        order, now = found[0], self._clock()
        sheet = make_sheet(order, kind, identity, self._policy, now)
        async with self._gate:
            content = await asyncio.to_thread(render_pdf, sheet, self._check_text(order.number, sheet.code), now)
        at = text_of(now)
        async with self._database.write() as connection:
            seen = select(prints.c.seq).where(prints.c.code == sheet.code)
            if (await connection.execute(seen)).first() is None:
                await connection.execute(
                    insert(prints).values(
                        code=sheet.code,
                        order_id=order.id,
                        kind=kind,
                        order_version=order.version,
                        summary=sheet.summary,
                        person=identity.person,
                        unit=identity.unit,
                        region=identity.region,
                        at=at,
                    )
                )
            await record(connection, at, identity, Action.READ_PERSONAL, order.id, {"print": sheet.code})
        return MadePrint(f"{sheet.title}_{order.number}.pdf", content)

    async def check(self, code: str) -> PrintCheck | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(prints).where(prints.c.code == code))).mappings().first()
            if row is None:
                return None
            order = await repository.load_order(connection, row["order_id"])
        if order is None:
            return None
        is_current = order.version == row["order_version"]
        return PrintCheck(order.number, Kind(row["kind"]), row["at"], row["summary"], is_current)

    def _check_text(self, number: str, code: str) -> str:
        """What the QR code says: where the paper is checked, or number and code where the city has no public address."""
        public = self.tickets.public_url
        return f"{public}/files/prints/{code}" if public else f"gwc:{number}?print={code}"


def subject_of(kind: Kind, order_id: str) -> str:
    return f"{kind}:{order_id}"
