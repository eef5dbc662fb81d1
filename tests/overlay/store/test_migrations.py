"""A store is brought to this program's tables from every revision, and never used by a program it is too new for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.store import tables
from overlay.store.database import MIGRATIONS, Database
from subgraphs.kit.migrations import StoreBehind, StoreTooNew


async def opened(url: str) -> Database:
    database = Database(url)
    await database.open()
    return database


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"version_table": MIGRATIONS.version_table})
    return list(compare_metadata(context, tables.metadata))


async def run(connection: AsyncConnection, statement: str) -> Any:
    return (await connection.execute(text(statement))).scalar()


async def test_the_migrations_make_the_tables_in_code(empty_store: str) -> None:
    database = await opened(empty_store)
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_store_of_before_the_first_revision_keeps_its_rows(empty_store: str) -> None:
    database = Database(empty_store)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: MIGRATIONS.upgrade(sync, "0001"))
        await run_all(
            connection,
            "DROP TABLE alembic_version",
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY)",
            "INSERT INTO schema_version VALUES (1)",
            "INSERT INTO ledger_entries VALUES "
            "('e','asset:330106:a',1,'asset:330106:a','p','OPENING','330106',NULL,'IN_STORE','1',NULL,NULL,'t','0','1')",
        )
    await database.open()
    async with database.read() as connection:
        assert await run(connection, "SELECT count(*) FROM ledger_entries") == 1
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_store_of_a_later_program_is_refused_and_left_alone(empty_store: str) -> None:
    database = await opened(empty_store)
    async with database.write() as connection:
        await run_all(connection, "UPDATE alembic_version SET version_num = '9999'")
    await database.close()
    with pytest.raises(StoreTooNew, match="9999"):
        await opened(empty_store)
    again = Database(empty_store)
    async with again.read() as connection:
        assert await run(connection, "SELECT version_num FROM alembic_version") == "9999"
    await again.close()


async def test_whoever_examines_a_store_brings_it_no_further(empty_store: str) -> None:
    database = Database(empty_store)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: MIGRATIONS.upgrade(sync, "0005"))
    await database.close()
    with pytest.raises(StoreBehind, match="0005"):
        await Database(empty_store, only_reads=True).open_as_it_is()
    again = Database(empty_store)
    async with again.read() as connection:
        assert await run(connection, "SELECT version_num FROM alembic_version") == "0005"
    await again.close()


async def test_whoever_examines_a_store_cannot_write(empty_store: str) -> None:
    await (await opened(empty_store)).close()
    database = Database(empty_store, only_reads=True)
    await database.open_as_it_is()
    with pytest.raises(DBAPIError, match=r"read-?only"):
        async with database.write() as connection:
            await run_all(connection, "DELETE FROM orders")
    await database.close()


async def test_processes_that_open_a_new_store_together_make_it_once(empty_store: str) -> None:
    for database in await asyncio.gather(*(opened(empty_store) for _ in range(3))):
        async with database.read() as connection:
            assert await run(connection, "SELECT count(*) FROM alembic_version") == 1
        await database.close()


async def run_all(connection: AsyncConnection, *statements: str) -> None:
    for statement in statements:
        await connection.execute(text(statement))
