"""The audit log: who changed what, and who read whose personal data. Rows are only ever inserted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.store import tables
from overlay.store.statements import add

__all__ = ["Action", "record", "record_reads"]


class Action(StrEnum):
    COMMAND = "COMMAND"
    REFUSED = "REFUSED"
    READ_PERSONAL = "READ_PERSONAL"
    EXPORT = "EXPORT"
    CONFIGURE = "CONFIGURE"


async def record(
    connection: AsyncConnection, at: str, identity: Identity, action: Action, subject: str, data: Mapping[str, Any]
) -> None:
    """Add one row, within the caller's transaction: what is undone is not in the log. `data` holds no personal data
    beyond the subject."""
    await add(connection, tables.audit_log, [_row(at, identity, action, subject, data)])


async def record_reads(connection: AsyncConnection, at: str, identity: Identity, subjects: Sequence[str]) -> None:
    """That somebody was told personal data of others: a row for each thing that it stood on."""
    rows = [_row(at, identity, Action.READ_PERSONAL, subject, {}) for subject in subjects]
    await add(connection, tables.audit_log, rows)


def _row(at: str, identity: Identity, action: Action, subject: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "at": at,
        "person": identity.person,
        "unit": identity.unit,
        "region": identity.region,
        "action": action,
        "subject": subject,
        "data": dict(data),
    }
