"""What a walk of pages asks of a store, beside its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.model import And, Compare, PageRequest, Position
from adapters.sql import SqlStore
from adapters.sql.functions import prepare_functions
from adapters.sql.reader import SqliteReader, Statement
from tests.adapters.support import mapping_of, table_of

COLUMNS = "id VARCHAR(9) PRIMARY KEY, mc VARCHAR(20), zt VARCHAR(9)"
IDLE_FROM_A = And((Compare("status", "eq", "IDLE"), Compare("name", "gte", "a")))
"""Its condition has values of its own beside the request's: a text that is empty is none."""


class ListeningReader(SqliteReader):
    """Takes down what is asked beside rows."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings, prepare_functions)
        self.asked: list[str] = []

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        self.asked.append(statement.sql)
        return await super().fetch(statement, values)


async def test_the_rows_of_a_filter_are_counted_once_for_all_its_pages(tmp_path: Path) -> None:
    table_of(tmp_path, [(f"K{at:03}", f"b{at}", ("IDLE", "IN_USE")[at % 2]) for at in range(100)], COLUMNS)
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        db.execute("CREATE INDEX by_zt ON zc (zt)")
    mapping = mapping_of(tmp_path, fields={"name": "mc", "status": "zt"})
    reader = ListeningReader(mapping.store)
    store = SqlStore(mapping, reader)
    await store.open()
    try:
        keys: list[str] = []
        after: Position | None = None
        asked: list[int] = []
        for _ in range(3):
            page = await store.page(PageRequest(IDLE_FROM_A, (), 5, after=after))
            keys += [row["native"] for row in page.rows]
            after = Position((), page.native_values[-1], inclusive=False)
            asked.append(sum("count(*)" in sql and "BINARY" in sql for sql in reader.asked))
    finally:
        await store.close()
    assert keys == [f"K{at:03}" for at in range(0, 30, 2)]
    assert asked == [1, 1, 1]


async def test_an_index_that_serves_filter_and_order_is_walked_alone(tmp_path: Path) -> None:
    """Not that of the order alone, whose rows are mostly passed over, and nothing need be counted."""
    table_of(tmp_path, [(f"K{at:03}", f"b{at}", ("IDLE", "IN_USE")[at % 2]) for at in range(100)], COLUMNS)
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        db.execute("CREATE INDEX by_zt ON zc (zt, id)")
    mapping = mapping_of(tmp_path, fields={"name": "mc", "status": "zt"})
    reader = ListeningReader(mapping.store)
    store = SqlStore(mapping, reader)
    await store.open()
    try:
        request = PageRequest(IDLE_FROM_A, (), 5, after=Position((), ("K010",), inclusive=False))
        rows = [row["native"] for row in (await store.page(request)).rows]
        asked = list(reader.asked)
        statement = (await store.explain(request)).statement
    finally:
        await store.close()
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        prepare_functions(db)
        ((*_, step),) = db.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
    assert rows == ["K012", "K014", "K016", "K018", "K020"]
    assert "by_zt (zt=? AND id>?)" in step
    assert not any("count(*)" in sql and "BINARY" in sql for sql in asked)
