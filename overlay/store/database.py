"""Access to the overlay's store: SQLite in one file, or PostgreSQL when the URL says so.

Two kinds of transaction, and code must say which it means: `read()` sees one snapshot; `write()` is durable when it
returns. SQLite has one writer at a time, so its write transactions begin IMMEDIATE (a later upgrade of a read
transaction could fail) and queue in this process before they queue in the file.

Where either `is_short`, few statements, all of them by key, SQLite carries it out without a pause, and commits what is
written by several at the same time at once (`subgraphs.kit.short`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from overlay.store import tables
from subgraphs.kit import sqlite
from subgraphs.kit.migrations import Migrations
from subgraphs.kit.short import ShortTransactions

__all__ = ["MIGRATIONS", "Database"]

_POOL_SIZE = 8
_BUSY_TIMEOUT_MS = 10_000
_PRAGMAS = ("synchronous=FULL", f"busy_timeout={_BUSY_TIMEOUT_MS}", "foreign_keys=ON")
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""Whoever keeps a day says how it is written."""
_MIGRATION_LOCK = 330100_0001
"""Any number that no other program on the server uses: PostgreSQL's advisory lock while a store is migrated."""


MIGRATIONS = Migrations("overlay.store.migrations", "alembic_version", tables.metadata, legacy_table="schema_version")


class Database:
    def __init__(self, url: str, *, only_reads: bool = False) -> None:
        """`only_reads`: for who examines a store, and must leave it as it is."""
        self._engine = _create_engine(url, only_reads)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        self._short = (
            ShortTransactions(self._engine, make_url(url), *_PRAGMAS, json_serializer=_to_json)
            if self.is_sqlite
            else None
        )
        self._only_reads = only_reads

    async def open(self) -> None:
        """Bring the store to this program's revision. Raises `StoreTooNew` when a later program has made it."""
        try:
            async with self.write() as connection:
                if not self.is_sqlite:
                    await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                await connection.run_sync(MIGRATIONS.upgrade)
        except BaseException:
            await self.close()
            raise

    async def open_as_it_is(self) -> None:
        """Change nothing, not even to bring the store to this program's revision. Raises `StoreTooNew`, `StoreBehind`."""
        try:
            async with self.read() as connection:
                await connection.run_sync(MIGRATIONS.check)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        try:
            if self._short is not None:
                await self._short.close()
        finally:
            await self._engine.dispose()

    @asynccontextmanager
    async def read(self, *, is_short: bool = False) -> AsyncIterator[AsyncConnection]:
        short = None if self._only_reads or not is_short else self._short
        if short is None or short.is_reader_taken:
            async with self._engine.connect() as connection:
                yield connection
            return
        async with short.read() as connection:
            yield connection

    @asynccontextmanager
    async def write(self, *, is_short: bool = False) -> AsyncIterator[AsyncConnection]:
        if self._short is None:
            async with self._engine.begin() as connection:
                yield connection
        elif is_short:
            async with self._short.write() as connection:
                yield connection
        else:
            async with self._short.none(), self._engine.connect() as connection:
                await connection.execution_options(**sqlite.WRITING)
                async with connection.begin():
                    yield connection


def _create_engine(url: str, only_reads: bool) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.create_engine(
            parsed, *_PRAGMAS, only_reads=only_reads, pool_size=_POOL_SIZE, json_serializer=_to_json
        )
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        settings = {"default_transaction_read_only": "on"} if only_reads else {}
        return create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_size=_POOL_SIZE,
            pool_pre_ping=True,
            json_serializer=_to_json,
            connect_args={"server_settings": settings},
        )
    raise ValueError("the overlay's store is SQLite or PostgreSQL")


def _to_json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=_PLAIN).decode()
    except TypeError:  # numbers beyond 64 bits, keys that are numbers, half a surrogate pair
        return json.dumps(value)
