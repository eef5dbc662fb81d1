"""JSON in the store is what was put there, also where the quick way of writing it cannot."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from overlay.store.database import Database
from overlay.store.tables import commands

WORDS = {"name": "name", "input_hash": "-", "state": "FINISHED", "problems": [], "created_at": "-", "actor": "-"}


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    yield database
    await database.close()


async def kept(database: Database, body: Any) -> Any:
    id_ = uuid.uuid4().hex
    async with database.write() as connection:
        await connection.execute(insert(commands).values(id=id_, key=id_, body=body, **WORDS))
    async with database.read() as connection:
        return (await connection.execute(select(commands.c.body).where(commands.c.id == id_))).scalar_one()


@pytest.mark.parametrize("body", [{"名": ["投影仪", None, True, 1.5]}, {"n": 2**70}, [], None], ids=str)
async def test_it_is_read_as_it_was_written(database: Database, body: Any) -> None:
    assert await kept(database, body) == body


async def test_keys_are_text(database: Database) -> None:
    assert await kept(database, {1: "one"}) == {"1": "one"}


async def test_a_day_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="not JSON serializable"):
        await kept(database, date(2026, 1, 1))
