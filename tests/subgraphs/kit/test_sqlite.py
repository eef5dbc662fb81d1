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
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kit.sqlite import WRITING, Connection, create_engine

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


async def test_calls_are_carried_out_in_order_though_a_caller_has_gone(tmp_path: Path) -> None:
    connection = await Connection.open(str(tmp_path / "store.sqlite"))
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
