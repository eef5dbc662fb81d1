"""Empty stores, made quickly: each walk begins with one."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from overlay.store import tables
from overlay.store.database import Database

__all__ = ["NewStore", "postgres_stores", "sqlite_stores"]

NewStore = Callable[[], str]


def sqlite_stores(folder: Path) -> NewStore:
    """Copies of a file that was migrated once."""
    first = folder / "first.sqlite"
    asyncio.run(_migrate(f"sqlite:///{first}"))
    numbers = itertools.count(1)

    def new() -> str:
        path = folder / f"{next(numbers)}.sqlite"
        shutil.copyfile(first, path)
        return f"sqlite:///{path}"

    return new


def postgres_stores(url: str) -> NewStore:
    """The same database, emptied."""
    asyncio.run(_migrate(url))

    def new() -> str:
        asyncio.run(_empty(url))
        return url

    return new


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.close()


async def _empty(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    await engine.dispose()
