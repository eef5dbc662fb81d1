"""Reading several stores at one moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gwc.backup.stores import Store, engine_of
from gwc.errors import CommandError

__all__ = ["snapshots"]

_WAIT_S = 10
"""For the overlay's writers; each holds on for milliseconds."""


@asynccontextmanager
async def snapshots(stores: Sequence[Store]) -> AsyncIterator[list[AsyncConnection]]:
    """Connections that all see one cut through the stores, the first of which is the overlay's (see the package)."""
    async with AsyncExitStack() as stack:
        async with _held(stores[0]):
            opened = [await stack.enter_async_context(_snapshot(store)) for store in stores]
        yield opened


@asynccontextmanager
async def _held(store: Store) -> AsyncIterator[None]:
    """No other connection writes the store meanwhile."""
    async with _connection(store) as connection:
        try:
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAIT_S * 1000}")
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.exec_driver_sql("BEGIN")
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_S}s'")
                await connection.exec_driver_sql(f"LOCK TABLE {_names(store.metadata)} IN SHARE MODE")
        except DBAPIError as error:
            raise CommandError(f"The overlay's store cannot be held: {error.orig}", "Try again.") from None
        yield
        await connection.exec_driver_sql("ROLLBACK")


@asynccontextmanager
async def _snapshot(store: Store) -> AsyncIterator[AsyncConnection]:
    async with _connection(store) as connection:
        sqlite = connection.dialect.name == "sqlite"
        await connection.exec_driver_sql("BEGIN" if sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await connection.run_sync(store.migrations.revision)  # a snapshot is taken by the first read
        yield connection
        await connection.exec_driver_sql("ROLLBACK")


@asynccontextmanager
async def _connection(store: Store) -> AsyncIterator[AsyncConnection]:
    engine = engine_of(store.url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _names(metadata: MetaData) -> str:
    return ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
