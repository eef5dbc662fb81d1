"""The audit log in the contract."""

from __future__ import annotations

import json
from typing import Any

import strawberry
from strawberry import UNSET

from overlay.api.enums import AuditAction
from overlay.api.inputs import to_plain
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.types import Info, PageInfo
from overlay.audit.queries import audit_page, audit_rights
from overlay.clock import parse_instant, text_of
from subgraphs.kit.errors import Forbidden, Unauthenticated
from subgraphs.kit.scalars import DateTime

__all__ = ["AuditQuery"]

PAGE_MAX = 200


@strawberry.input
class AuditFilter:
    subject: str | None = UNSET
    person: str | None = UNSET
    actions: list[AuditAction] | None = UNSET
    from_: DateTime | None = strawberry.field(name="from", default=UNSET)
    to: DateTime | None = UNSET


@strawberry.type
class AuditEntry:
    at: DateTime
    person: str | None
    unit: str | None
    region_code: strawberry.ID | None
    action: AuditAction
    subject: str
    detail: str


@strawberry.type
class AuditEntryEdge:
    cursor: str
    node: AuditEntry


@strawberry.type
class AuditEntryConnection:
    nodes: list[AuditEntry]
    edges: list[AuditEntryEdge]
    page_info: PageInfo


@strawberry.type
class AuditQuery:
    @strawberry.field
    async def audit_log(
        self, info: Info, filter: AuditFilter | None = UNSET, first: int = 50, after: str | None = UNSET
    ) -> AuditEntryConnection | None:
        context = info.context
        if context.identity.is_anonymous:
            raise Unauthenticated("the audit log is for officers and auditors; send an access token")
        rights = audit_rights(context.identity)
        if rights is None:
            raise Forbidden("the audit log is for officers and auditors")
        wanted = to_plain(filter) if filter else {}
        wanted |= {name: text_of(parse_instant(wanted[name])) for name in ("from", "to") if name in wanted}
        size, place = page_size(first, PAGE_MAX), read_cursor("audit", after or None)
        rows = await audit_page(context.services.database, rights, wanted, size, place)
        context.personal_of.add("audit-log")
        return connection("audit", rows, size, place is not None, lambda row: int(row["seq"]), _row)  # type: ignore[return-value]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("at", "person", "unit", "action", "subject")},
        "region_code": row["region"],
        "detail": json.dumps(row["data"], ensure_ascii=False, sort_keys=True),
    }
