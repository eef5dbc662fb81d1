"""Empty stores, made quickly: each walk begins with one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from overlay.store import tables
from overlay.store.database import Database
from tests.stores import SqliteStores, migrate

__all__ = ["NewStore", "postgres_stores", "sqlite_stores"]

NewStore = Callable[[], str]


def sqlite_stores(folder: Path) -> NewStore:
    """Copies of a file that was migrated once."""
    stores, numbers = SqliteStores(folder), itertools.count(1)
    return lambda: stores.copy(Database, folder / f"{next(numbers)}.sqlite")


def postgres_stores(url: str) -> NewStore:
    """The same database, emptied."""
    asyncio.run(migrate(Database, url))

    def new() -> str:
        asyncio.run(_empty(url))
        return url

    return new


async def _empty(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    await engine.dispose()
