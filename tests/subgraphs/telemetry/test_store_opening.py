"""Processes that start together on one empty PostgreSQL database all come up."""

from __future__ import annotations

import asyncio

from subgraphs.telemetry.store import TelemetryStore


async def test_stores_opened_at_once_make_the_tables_once(postgres_database: str) -> None:
    url = postgres_database.replace("postgresql://", "postgresql+asyncpg://")
    stores = [TelemetryStore(url) for _ in range(6)]
    try:
        await asyncio.gather(*(store.open() for store in stores))
    finally:
        await asyncio.gather(*(store.close() for store in stores))
