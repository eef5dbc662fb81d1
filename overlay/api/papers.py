"""Attachments and prints in the contract: what an order shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import strawberry

from overlay.api.context import Context
from overlay.api.enums import PrintKind
from overlay.api.rows import shown_person
from overlay.clock import text_of
from overlay.files.service import Attachment as FiledAttachment
from overlay.files.tickets import Link
from overlay.orders.model import Order
from overlay.prints.sheet import Kind
from subgraphs.kit.scalars import DateTime

__all__ = ["Attachment", "PrintLink", "attachment_rows", "link_row", "print_row"]

Row = dict[str, Any]


@strawberry.type
class Attachment:
    id: strawberry.ID
    name: str
    type: str
    size: int
    digest: str
    url: str
    url_expires_at: DateTime
    uploaded_by: str | None
    at: DateTime


@strawberry.type
class PrintLink:
    kind: PrintKind
    url: str
    expires_at: DateTime


def attachment_rows(context: Context, found: Sequence[FiledAttachment]) -> list[Row]:
    """For an asker who may see the order: the links are signed for them."""
    return [_attachment_row(context, one) for one in found]


def print_row(context: Context, order: Order, kind: PrintKind) -> Row | None:
    link = context.services.paperwork.prints.link(context.identity, order, Kind(kind.value))
    return None if link is None else {"kind": kind, **link_row(link, "expires_at")}


def _attachment_row(context: Context, one: FiledAttachment) -> Row:
    link = context.services.paperwork.attachments.download_link(context.identity, one.id)
    return {
        **{name: getattr(one, name) for name in ("id", "name", "type", "size", "digest", "at")},
        **link_row(link, "url_expires_at"),
        "uploaded_by": shown_person(context, one.order_id, one.person, one.unit, one.region),
    }


def link_row(link: Link, expiry: str) -> Row:
    return {"url": link.url, expiry: text_of(link.expires_at)}
