"""A custody book is brought to this program's tables, with its rows; one of a later program is left alone."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from subgraphs.district.custody import tables
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.database import MIGRATIONS, Database
from subgraphs.kit.migrations import StoreTooNew
from tests.subgraphs.district.custody_process import FROM, ONE, REGION, TO, TODAY, hold


def now() -> datetime:
    return datetime(2026, 12, 1, 4, tzinfo=UTC)


def differences(connection: Connection) -> list[Any]:
    """Other tables of the database are none of the book's, and comments are for who reads the code."""
    options = {
        "version_table": MIGRATIONS.version_table,
        "include_name": lambda name, kind, _parents: kind != "table" or str(name).startswith("custody_"),
    }
    found = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    parts = [part for one in found for part in (one if isinstance(one, list) else [one])]
    return [part for part in parts if part[0] != "modify_comment"]


async def test_the_migrations_make_the_tables_in_code(empty_store: str) -> None:
    database = Database(empty_store)
    await database.open()
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_book_of_before_keeps_its_holds_and_knows_its_commands(empty_store: str) -> None:
    """As the first program left it: a version in a table, and holds without days between them."""
    command = hold("first", "one")
    told = {
        "key": "first", "asset": "one", "order_id": "order:1", "from_day": FROM, "to_day": TO, "quantity": "1",
        "life_s": 3600, "expected_version": None,
    }  # fmt: skip
    digest = hashlib.sha256(orjson.dumps(["PlaceHold", told], option=orjson.OPT_SORT_KEYS)).hexdigest()
    database = Database(empty_store)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: MIGRATIONS.upgrade(sync, "0001"))
        for statement in (
            "DROP TABLE custody_alembic_version",
            "CREATE TABLE custody_schema_version (version INTEGER PRIMARY KEY)",
            "INSERT INTO custody_schema_version VALUES (1)",
            f"INSERT INTO custody_holds VALUES ('{REGION}', 'h', 'one', 'order:1', '{FROM}', '{TO}', '1', '0', '0', '0', "
            "'ACTIVE', '2027-01-01T00:00:00.000000Z', NULL, '2026-11-30T00:00:00.000000Z')",
            f"INSERT INTO custody_commands VALUES ('{REGION}', 'first', '{digest}', 'one', 'h', NULL, '[]', 'then')",
        ):
            await connection.execute(sa.text(statement))
    await database.close()
    book = CustodyBook(empty_store, REGION, now)
    await book.open()
    try:
        assert await book.held(FROM, TO, TODAY) == {"one": Decimal(1)}
        again = await book.place(command, ONE, TODAY)
        assert (again.hold is not None and again.hold.id, again.refusals) == ("h", ())
        (refusal,) = (await book.place(hold("second", "one"), ONE, TODAY)).refusals
        assert refusal.code == "ASSET_BUSY"
    finally:
        await book.close()
    database = Database(empty_store)
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_book_of_a_later_program_is_refused(empty_store: str) -> None:
    database = Database(empty_store)
    await database.open()
    async with database.write() as connection:
        await connection.execute(sa.text("UPDATE custody_alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(StoreTooNew, match="9999"):
        await Database(empty_store).open()


async def test_processes_that_open_a_new_book_together_make_it_once(empty_store: str) -> None:
    books = [CustodyBook(empty_store, REGION, now) for _ in range(3)]
    await asyncio.gather(*(book.open() for book in books))
    for book in books:
        assert await book.held(FROM, TO, TODAY) == {}
        await book.close()
