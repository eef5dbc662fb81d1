"""Reading the audit log: who may, and which rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, true

from contract.identity import Identity, Role
from overlay.store.database import Database
from overlay.store.tables import audit_log

__all__ = ["audit_page", "audit_rights"]


def audit_rights(identity: Identity) -> ColumnElement[bool] | None:
    """The whole log for who audits the city; for a region's officer what people of that region did. Else None."""
    if identity.has(Role.AUDITOR, Role.CITY_OFFICER):
        return true()
    if identity.has(Role.REGION_OFFICER) and identity.region is not None:
        return audit_log.c.region == identity.region
    return None


async def audit_page(
    database: Database, rights: ColumnElement[bool], wanted: Mapping[str, Any], first: int, before: int | None
) -> list[dict[str, Any]]:
    """Up to `first` + 1 rows, latest first. `wanted`: subject, person, actions, from, to (instants)."""
    table = audit_log
    query = select(table).where(rights)
    if before is not None:
        query = query.where(table.c.seq < before)
    for name in ("subject", "person"):
        if name in wanted:
            query = query.where(table.c[name] == wanted[name])
    if "actions" in wanted:
        query = query.where(table.c.action.in_(wanted["actions"]))
    if "from" in wanted:
        query = query.where(table.c.at >= wanted["from"])
    if "to" in wanted:
        query = query.where(table.c.at < wanted["to"])
    async with database.read() as connection:
        rows = (await connection.execute(query.order_by(table.c.seq.desc()).limit(first + 1))).mappings()
        return [dict(row) for row in rows]
