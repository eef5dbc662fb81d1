"""Temporary bodies: teams without a USCC of their own, under a host unit."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from overlay.store.tables.base import Sequence, metadata

__all__ = ["temporary_bodies"]

temporary_bodies = Table(
    "temporary_bodies",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("unit", String(18), nullable=False),
    Column("region", String(6), nullable=False),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("end_day", String(10), nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
    Index("temporary_bodies_by_unit", "unit", "seq"),
    Index("temporary_bodies_by_end", "settled", "end_day"),
)
"""`end_day` is exclusive: the first day without it. `settled`: it has ended, and its orders know."""
