"""What all tables are made with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

__all__ = ["Sequence", "metadata"]

metadata = MetaData()
Sequence = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key is spelled INTEGER."""
