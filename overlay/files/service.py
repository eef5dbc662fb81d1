"""Attachments of orders: asked for, sent, attached, fetched, removed, swept.

An attachment is a row with a state; its content lies in the store of blobs, under its digest.

    REQUESTED ──upload──▶ UPLOADED ──attach──▶ ATTACHED ──remove──▶ REMOVED
        └───────── not in time ────────┴──▶ (the row is deleted)

The order's room is taken when an upload is asked for, so that it cannot be asked for twice. Content that no row names
any more is swept. A removed attachment keeps its row: the papers of an order say what was taken out of them.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.audit.log import Action, record
from overlay.clock import Clock, text_of
from overlay.files import policy
from overlay.files.blobs import Blobs
from overlay.files.sniff import ACCEPTED
from overlay.files.tickets import Link, Ticket, TicketOffice
from overlay.messages import problem
from overlay.orders import repository
from overlay.orders.model import Order
from overlay.orders.rights import visible_orders
from overlay.store.database import Database
from overlay.store.once import Answer, Once, Refused
from overlay.store.tables import attachments, orders

__all__ = ["Attachment", "Attachments"]

REQUESTED, UPLOADED, ATTACHED, REMOVED = "REQUESTED", "UPLOADED", "ATTACHED", "REMOVED"
_HOLDS_ROOM = (REQUESTED, UPLOADED, ATTACHED)
_NAMED = (UPLOADED, ATTACHED)
"""States in which a row keeps its content from being swept."""
_SWEPT_AT_ONCE_MAX = 500


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str
    order_id: str
    name: str
    type: str
    size: int
    digest: str | None
    state: str
    person: str
    unit: str | None
    region: str | None
    at: str


class Attachments:
    def __init__(self, database: Database, blobs: Blobs, tickets: TicketOffice, clock: Clock) -> None:
        self.blobs, self.tickets = blobs, tickets
        self._database, self._clock = database, clock
        self._once = Once(database, clock)

    async def open(self) -> None:
        await asyncio.to_thread(self.blobs.open)

    async def request(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """Take room for one file of an order. Answers `id`, to upload to."""

        async def change(connection: AsyncConnection, at: str) -> Answer:
            order = await _workable(connection, identity, body["orderId"])
            _check_wish(body)
            await _check_room(connection, order, int(body["size"]))
            id_ = uuid.uuid4().hex
            await connection.execute(
                insert(attachments).values(
                    id=id_,
                    order_id=order.id,
                    name=_plain_name(body["name"]),
                    type=body["type"],
                    size=int(body["size"]),
                    state=REQUESTED,
                    person=identity.person,
                    unit=identity.unit,
                    region=identity.region,
                    at=at,
                    expires_at=text_of(self._clock() + policy.UPLOAD_LIFE),
                )
            )
            return Answer(id_, audited={"order": order.id})

        return await self._once.run(identity, key, "REQUEST_UPLOAD", body, change)

    async def attach(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        async def change(connection: AsyncConnection, at: str) -> Answer:
            row = await _locked(connection, body["uploadId"], "uploadId")
            order = await _workable(connection, identity, row["order_id"])
            if row["person"] != identity.person:
                raise Refused(problem("UNKNOWN_FILE", "uploadId"))
            if row["state"] == REQUESTED:
                raise Refused(problem("UPLOAD_MISSING", "uploadId"))
            if row["state"] != ATTACHED:
                await _set(connection, row["id"], state=ATTACHED, at=at, expires_at=None)
            return Answer(row["id"], audited={"order": order.id})

        return await self._once.run(identity, key, "ATTACH_FILE", body, change)

    async def remove(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        async def change(connection: AsyncConnection, _at: str) -> Answer:
            row = await _locked(connection, body["attachmentId"], "attachmentId")
            order = await _visible(connection, identity, row["order_id"])
            if order is None or row["state"] != ATTACHED:
                raise Refused(problem("UNKNOWN_FILE", "attachmentId"))
            if not policy.may_remove(identity, order, row["person"]):
                raise Refused(problem("MAY_NOT_REMOVE_FILE", "attachmentId"))
            await _set(connection, row["id"], state=REMOVED)
            return Answer(row["id"], audited={"order": order.id})

        return await self._once.run(identity, key, "REMOVE_ATTACHMENT", body, change)

    def upload_link(self, identity: Identity, id_: str) -> Link:
        return self.tickets.link(id_, Ticket("PUT", id_, identity), policy.UPLOAD_LIFE)

    def download_link(self, identity: Identity, id_: str) -> Link:
        """For somebody who was shown the attachment: its order was read by their rights."""
        return self.tickets.link(id_, Ticket("GET", id_, identity), policy.DOWNLOAD_LIFE)

    async def of_orders(self, order_ids: Sequence[str]) -> dict[str, list[Attachment]]:
        found: dict[str, list[Attachment]] = {order_id: [] for order_id in order_ids}
        query = select(attachments).where(attachments.c.order_id.in_(order_ids), attachments.c.state == ATTACHED)
        async with self._database.read() as connection:
            for row in (await connection.execute(query.order_by(attachments.c.seq))).mappings():
                found[row["order_id"]].append(_attachment(row))
        return found

    async def order_of(self, id_: str) -> str | None:
        query = select(attachments.c.order_id).where(attachments.c.id == id_)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar()

    async def awaited(self, id_: str) -> Attachment | None:
        """The upload that this id stands for, if its time has not passed."""
        query = select(attachments).where(attachments.c.id == id_, attachments.c.state.in_((REQUESTED, UPLOADED)))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else _attachment(row)

    async def received(self, id_: str, digest: str, size: int) -> bool:
        """Record that the content is in the store. False when the upload is no longer awaited."""
        async with self._database.write() as connection:
            row = (await connection.execute(_lock(id_))).mappings().first()
            if row is None or row["state"] not in (REQUESTED, UPLOADED) or row["digest"] not in (None, digest):
                return False
            expires = text_of(self._clock() + policy.ORPHAN_AGE)
            await _set(connection, id_, state=UPLOADED, digest=digest, size=size, expires_at=expires)
        return True

    async def readable(self, identity: Identity, id_: str) -> Attachment | None:
        """An attachment that this person may fetch now; the read is in the audit log."""
        async with self._database.write() as connection:
            row = (await connection.execute(select(attachments).where(attachments.c.id == id_))).mappings().first()
            if row is None or row["state"] != ATTACHED:
                return None
            if await _visible(connection, identity, row["order_id"]) is None:
                return None
            at = text_of(self._clock())
            await record(connection, at, identity, Action.READ_PERSONAL, row["order_id"], {"attachment": id_})
        return _attachment(row)

    async def sweep(self) -> int:
        """Forget uploads that were never sent or never attached, and content that no row names."""
        now = text_of(self._clock())
        late = (attachments.c.state.in_((REQUESTED, UPLOADED)), attachments.c.expires_at < now)
        async with self._database.write() as connection:
            await connection.execute(delete(attachments).where(*late))
        before = time.time() - policy.ORPHAN_AGE.total_seconds()
        old = (await asyncio.to_thread(self.blobs.stale, before))[:_SWEPT_AT_ONCE_MAX]
        orphans = set(old) - await self._named(old)
        return await asyncio.to_thread(self.blobs.sweep, orphans, before)

    async def _named(self, digests: Collection[str]) -> set[str]:
        query = select(attachments.c.digest).where(attachments.c.digest.in_(digests), attachments.c.state.in_(_NAMED))
        async with self._database.read() as connection:
            return set((await connection.execute(query)).scalars())


def _check_wish(body: Mapping[str, Any]) -> None:
    name = _plain_name(body["name"])
    if not 1 <= len(name) <= policy.NAME_LENGTH_MAX:
        raise Refused(problem("INVALID_TEXT", "name", max=str(policy.NAME_LENGTH_MAX)))
    if body["type"] not in ACCEPTED:
        raise Refused(problem("FILE_TYPE_REFUSED", "type", types=", ".join(sorted(ACCEPTED))))
    if not 1 <= int(body["size"]) <= policy.FILE_BYTES_MAX:
        raise Refused(problem("FILE_TOO_LARGE", "size", max=_mebibytes(policy.FILE_BYTES_MAX)))


async def _check_room(connection: AsyncConnection, order: Order, size: int) -> None:
    query = select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(
        attachments.c.order_id == order.id, attachments.c.state.in_(_HOLDS_ROOM)
    )
    count, total = (await connection.execute(query)).one()
    if count >= policy.FILES_OF_ORDER_MAX or total + size > policy.ORDER_BYTES_MAX:
        numbers = {"files": str(policy.FILES_OF_ORDER_MAX), "max": _mebibytes(policy.ORDER_BYTES_MAX)}
        raise Refused(problem("ORDER_FILES_FULL", "orderId", **numbers))


async def _workable(connection: AsyncConnection, identity: Identity, order_id: str) -> Order:
    """The order, locked so that its room is counted by one at a time."""
    await connection.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update())
    order = await _visible(connection, identity, order_id)
    if order is None:
        raise Refused(problem("NOT_FOUND", "orderId"))
    if not policy.may_attach(identity, order):
        raise Refused(problem("MAY_NOT_ATTACH", "orderId"))
    return order


async def _visible(connection: AsyncConnection, identity: Identity, order_id: str) -> Order | None:
    query = repository.select_orders(orders.c.id == order_id, visible_orders(identity))
    found = await repository.load_orders(connection, query)
    return found[0] if found else None


async def _locked(connection: AsyncConnection, id_: str, path: str) -> RowMapping:
    row = (await connection.execute(_lock(id_))).mappings().first()
    if row is None:
        raise Refused(problem("UNKNOWN_FILE", path))
    return row


def _lock(id_: str) -> Any:
    return select(attachments).where(attachments.c.id == id_).with_for_update()


async def _set(connection: AsyncConnection, id_: str, **values: Any) -> None:
    condition: ColumnElement[bool] = attachments.c.id == id_
    await connection.execute(update(attachments).where(condition).values(**values))


def _plain_name(name: str) -> str:
    """The last part of a path, without what no file system or header takes."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip(" .")


def _mebibytes(count: int) -> str:
    return f"{count >> 20} MiB"


def _attachment(row: RowMapping) -> Attachment:
    return Attachment(**{name: row[name] for name in Attachment.__slots__})
