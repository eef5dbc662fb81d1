"""SQLite for an event loop: nothing of it is lost by changing threads seldom."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kit.sqlite import WRITING, Connection, create_engine, short

ROWS = 1_201
"""More than two calls fetch."""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(make_url(f"sqlite:///{tmp_path}/store.sqlite"), execution_options=WRITING)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY)"))
    yield engine
    await engine.dispose()


async def _add(connection: AsyncConnection, *ids: int) -> None:
    await connection.execute(text("INSERT INTO things VALUES (:id)"), [{"id": id_} for id_ in ids])


async def _ids(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT id FROM things ORDER BY id"))).scalars())


async def test_all_rows_come_however_many(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await _add(connection, *range(ROWS))
    assert await _ids(engine) == list(range(ROWS))
    async with engine.connect() as connection:
        streamed = await connection.stream(text("SELECT id FROM things ORDER BY id"))
        assert [row.id async for row in streamed] == list(range(ROWS))


async def test_what_is_undone_is_not_there_and_what_is_committed_is(engine: AsyncEngine) -> None:
    async def add_twice() -> None:
        async with engine.connect() as connection, short(connection), connection.begin():
            await _add(connection, 1)
            await _add(connection, 1)

    with pytest.raises(IntegrityError):
        await add_twice()
    async with engine.connect() as connection, short(connection), connection.begin():
        await _add(connection, 2)
    assert await _ids(engine) == [2]


async def _others_turns(connection: AsyncConnection) -> list[str]:
    turns: list[str] = []
    async with connection.begin():
        asyncio.get_running_loop().call_soon(turns.append, "another's")
        await _add(connection, 1)
        await connection.execute(text("SELECT id FROM things"))
        found = list(turns)
        await connection.execute(text("DELETE FROM things"))
    return found


async def test_nobody_gets_a_turn_within_a_short_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        async with short(connection):
            assert await _others_turns(connection) == []
        assert await _others_turns(connection) == ["another's"]


async def test_calls_are_carried_out_in_order_though_a_caller_has_gone(tmp_path: Path) -> None:
    connection = await Connection.open(str(tmp_path / "store.sqlite"))
    connection.is_short = True
    entered, go_on, order = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        entered.set()
        go_on.wait()
        order.append("first")

    task = asyncio.create_task(connection.run(first))
    await asyncio.to_thread(entered.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = asyncio.create_task(connection.run(lambda: order.append("second"), at_once=True))
    await asyncio.sleep(0)
    go_on.set()
    await second
    assert order == ["first", "second"]
    await connection.close()


async def test_who_waits_for_another_process_stops_nobody(engine: AsyncEngine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with engine.connect() as connection, short(connection), connection.begin():
            await _add(connection, 1)

    waiting = asyncio.create_task(write())
    asyncio.get_running_loop().call_soon(other.execute, "COMMIT")
    await waiting
    assert await _ids(engine) == [1]
    other.close()


async def test_a_new_file_gets_its_log_though_another_process_is_at_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "new.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    refused = threading.Event()

    class Watched(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            try:
                return super().execute(*arguments)
            except sqlite3.OperationalError:
                refused.set()
                raise

    opening = asyncio.create_task(Connection.open(str(tmp_path / "new.sqlite"), timeout=0, factory=Watched))
    await asyncio.to_thread(refused.wait)
    other.execute("COMMIT")
    connection = await opening
    cursor = await connection.execute("PRAGMA journal_mode")
    assert await cursor.fetchall() == [("wal",)]
    await connection.close()
    other.close()
