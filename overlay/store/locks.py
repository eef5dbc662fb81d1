"""Locks that need no row: held to the end of the transaction, and whoever asks next waits.

They are PostgreSQL's advisory locks; on SQLite a transaction that writes is alone anyway. What is locked together is
locked by its ids' order, so that two never wait for each other; whoever locks one after another keeps to that order.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["lock_goods"]

_GOODS = 330100 << 32
"""The upper half of the locks' numbers; the lower is the id's checksum: two ids that share one merely queue."""
_LOCK_EACH = text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) AS number")


async def lock_goods(connection: AsyncConnection, asset_ids: Iterable[str]) -> None:
    """From here on nobody else records what there is of these assets for whom, until this transaction is over."""
    numbers = [_GOODS | crc32(asset_id.encode()) for asset_id in sorted(set(asset_ids))]
    if numbers and connection.dialect.name != "sqlite":
        await connection.execute(_LOCK_EACH, {"numbers": numbers})
