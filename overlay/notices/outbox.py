"""The outbox: what others are to be told, written in the transaction that made it true.

Nothing is sent from here. A notice that is in the outbox is true and will be told, even after a crash; one whose
transaction was undone was never there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.store import tables
from overlay.store.statements import add

__all__ = ["Audience", "Topic", "put"]


class Topic(StrEnum):
    """What a notice is about. A subscriber chooses by it, so the words are stable."""

    ORDER_CHANGED = "order.changed"
    STEP_WAITING = "order.step_waiting"
    HOLD_LAPSING = "order.hold_lapsing"
    STOCK_SHORT = "order.stock_short"
    ORDER_OVERDUE = "order.overdue"
    BODY_ENDED = "order.body_ended"
    REPAIR_OFFERED = "order.repair_offered"
    ASSET_MATCHED = "warehouse.asset_matched"
    LEDGER_ANCHORED = "ledger.anchored"
    LEDGER_DIFFERENCE = "ledger.difference"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom it concerns; what is None is not restricted. A person only ever together with their unit or region."""

    region: str | None = None
    unit: str | None = None
    person: str | None = None
    office: str | None = None
    regions: tuple[str, ...] = ()
    """Further regions that it concerns: the owners' of a loan's lines."""


async def put(
    connection: AsyncConnection, at: str, topic: Topic, subject: str, audience: Audience, data: Mapping[str, Any]
) -> None:
    """Add one notice, within the caller's transaction. `subject` is the global id of what it is about.

    `data` holds no personal data: it goes to every webhook that the topic and the region concern. A person is named in
    the audience alone, which each webhook sees by its rights. Notices on one subject are told in the order in which they
    were put, if each transaction that puts one holds a lock on the subject.
    """
    concerned: dict[str, Any] = {
        name: value for name in ("region", "unit", "person", "office") if (value := getattr(audience, name)) is not None
    }
    if audience.regions:
        concerned["regions"] = list(audience.regions)
    notice = {
        "id": uuid.uuid4().hex,
        "topic": topic,
        "subject": subject,
        "audience": concerned,
        "data": dict(data),
        "at": at,
        "state": "PENDING",
    }
    await add(connection, tables.outbox, [notice])
