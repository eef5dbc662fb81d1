"""临时机构: a team for a conference, a census, an emergency. It has no USCC, so a host unit answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.messages import Problem, problem
from overlay.store.tables import temporary_bodies

__all__ = ["TemporaryBody", "body_of", "body_to_borrow", "refusal_of_extension"]


@dataclass(frozen=True, slots=True)
class TemporaryBody:
    seq: int
    id: str
    unit: str
    """The host unit's USCC."""
    region: str
    name: str
    document: str
    """The document that founded it, by its number."""
    end_day: date
    """The first day without it."""
    created_at: str

    def told(self) -> dict[str, str]:
        """As an order keeps it: what it was called when it applied."""
        return {"id": self.id, "name": self.name, "document": self.document}


async def body_to_borrow(
    connection: AsyncConnection, id_: str, applicant: Identity, until: date
) -> TemporaryBody | Problem:
    """The body for which somebody of its host unit asks for goods up to a day (exclusive), or why not."""
    query = select(temporary_bodies).where(temporary_bodies.c.id == id_)
    row = (await connection.execute(query)).mappings().first()
    if row is None or row["unit"] != applicant.unit:
        return problem("BODY_NOT_FOUND", "temporaryBody")
    body = body_of(dict(row))
    return body if until <= body.end_day else problem("BODY_ENDS_BEFORE", "range", end=body.end_day.isoformat())


async def refusal_of_extension(connection: AsyncConnection, body_id: str | None, until: date) -> Problem | None:
    """Why a body's loan may not last until a day, or None; no other loan is refused."""
    if body_id is None:
        return None
    query = select(temporary_bodies.c.end_day).where(temporary_bodies.c.id == body_id)
    end = date.fromisoformat(str((await connection.execute(query)).scalar_one()))
    return None if until <= end else problem("BODY_ENDS_BEFORE", "to", end=end.isoformat())


def body_of(row: Mapping[str, Any]) -> TemporaryBody:
    return TemporaryBody(
        seq=row["seq"],
        id=row["id"],
        unit=row["unit"],
        region=row["region"],
        name=row["name"],
        document=row["document"],
        end_day=date.fromisoformat(row["end_day"]),
        created_at=row["created_at"],
    )
