"""Filters and pages that the mapping lets be inverted walk an index of the store: its own plan says so, on each engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.model import Compare, Filter, In, OrderTerm, PageRequest, Position, TextPrefix
from adapters.sql import SqlStore
from contract.order import Direction
from tests.adapters.support import mapping_of, table_of
from tests.adapters.test_engine import filled_mariadb, filled_postgres

ROWS = 20_000
COLUMNS = "id varchar(12) PRIMARY KEY, mc varchar(60), bm varchar(20), zt varchar(9), rq date, yz decimal(18,2)"
INDEXES = [
    "CREATE INDEX by_bm ON zc (bm, id)",
    "CREATE INDEX by_zt ON zc (zt, id)",
    "CREATE INDEX by_rq ON zc (rq, id)",
    "CREATE INDEX by_yz ON zc (yz, id)",
]
FIELDS: dict[str, Any] = {
    "name": "mc",
    "code": {"column": "bm", "clean": ["trim", "width"]},
    "status": {"column": "zt", "codes": {"在用": "IN_USE", "闲置": "IDLE", "丢失": "LOST"}},
    "acquiredOn": "rq",
    "originalValue": {"column": "yz", "unit": "元"},
}
IN_USE = Compare("status", "eq", "IN_USE")
DESC = Direction.DESC


def _row(n: int) -> tuple[Any, ...]:
    status = "丢失" if n % 4000 == 0 else ("在用", "闲置")[n % 2]
    day = f"20{10 + n % 10}-0{1 + n % 9}-1{n % 10}"
    return f"A{n * 7919 % ROWS:06}", f"桌{n}", f"C{n:06}", status, day, f"{n * 37 % 100_000}.50"


def _after(*values: Any) -> Position:
    return Position(values, ("A010000",), False)


REQUESTS: dict[str, tuple[Filter | None, tuple[OrderTerm, ...], Position | None]] = {
    "a page by the key": (None, (), _after()),
    "a common status by the key": (IN_USE, (), _after()),
    "a rare status": (Compare("status", "eq", "LOST"), (), None),
    "a code": (Compare("code", "eq", "C000777"), (), None),
    "codes": (In("code", ("C000777", "C000778")), (), None),
    "the beginning of a code": (TextPrefix("code", "C0007"), (), None),
    "a day": (Compare("acquiredOn", "eq", "2019-09-19"), (), None),
    "an amount": (Compare("originalValue", "lt", "20"), (), None),
    "by code": (None, (OrderTerm("code"),), _after("C010000")),
    "a status by code": (IN_USE, (OrderTerm("code"),), _after("C010000")),
    "by code, downwards": (None, (OrderTerm("code", DESC),), _after("C010000")),
    "by day": (None, (OrderTerm("acquiredOn"),), _after("2015-06-15")),
    "by amount from the highest": (None, (OrderTerm("originalValue", DESC),), _after("50000.50")),
    "by status": (None, (OrderTerm("status"),), _after(0)),
}


@asynccontextmanager
async def opened(folder: Path, engine: str, url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(mapping_of(folder, store={"engine": engine, "url": url}, fields=FIELDS))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _plan(store: SqlStore, name: str, explain: str) -> list[tuple[Any, ...]]:
    """The engine's plan of the statement that the store sends for a page."""
    filter_, order, after = REQUESTS[name]
    sent: list[tuple[Any, Any]] = []
    fetch = store._reader.fetch_with_token

    async def recorded(statement: Any, values: Any) -> Any:
        sent.append((statement, values))
        return await fetch(statement, values)

    store._reader.fetch_with_token = recorded  # type: ignore[method-assign]
    page = await store.page(PageRequest(filter_, order, 20, after=after))
    store._reader.fetch_with_token = fetch  # type: ignore[method-assign]
    assert page.rows
    statement, values = sent[-1]
    return await store._reader.fetch(replace(statement, sql=f"{explain} {statement.sql}"), values)


async def test_sqlite(tmp_path: Path) -> None:
    table_of(tmp_path, (), COLUMNS.replace("decimal(18,2)", "decimal"))
    import sqlite3

    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        db.executemany("INSERT INTO zc VALUES (?, ?, ?, ?, ?, ?)", map(_row, range(ROWS)))
        for index in INDEXES:
            db.execute(index)
    db.close()
    async with opened(tmp_path, "sqlite", "zc.sqlite") as store:
        for name, (_, order, _) in REQUESTS.items():
            plan = [line[-1] for line in await _plan(store, name, "EXPLAIN QUERY PLAN")]
            assert any(line.startswith("SEARCH") and "INDEX" in line for line in plan), (name, plan)
            if order:
                assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (name, plan)


async def test_postgresql(tmp_path: Path, postgres_database: str) -> None:
    values = ", ".join(str(_row(n)) for n in range(ROWS))
    fill = (f"CREATE TABLE zc ({COLUMNS})", f"INSERT INTO zc VALUES {values}", *INDEXES, "ANALYZE zc")
    await filled_postgres(postgres_database, *fill)
    async with opened(tmp_path, "postgresql", postgres_database) as store:
        for name, (_, order, _) in REQUESTS.items():
            (found,) = await _plan(store, name, "EXPLAIN (FORMAT JSON)")
            plan = json.dumps(found[0] if isinstance(found[0], list) else json.loads(found[0]))
            assert '"Index Cond"' in plan, (name, plan)
            if order:
                assert '"Node Type": "Sort"' not in plan, (name, plan)


async def test_mariadb(tmp_path: Path, mariadb_database: str) -> None:
    values = ", ".join(str(_row(n)) for n in range(ROWS))
    table = f"CREATE TABLE zc ({COLUMNS}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    await filled_mariadb(mariadb_database, table, f"INSERT INTO zc VALUES {values}", *INDEXES, "ANALYZE TABLE zc")
    async with opened(tmp_path, "mariadb", mariadb_database) as store:
        for name, (_, order, _) in REQUESTS.items():
            ((_, _, _, access, _, key, _, _, _, extra),) = await _plan(store, name, "EXPLAIN")
            assert access in ("range", "ref", "const"), (name, access, key, extra)
            assert key is not None, name
            if order and order[0].direction is not DESC:  # it knows no sort of what is alike in the first column
                assert "filesort" not in extra, (name, access, key, extra)


@pytest.mark.parametrize("collation", ["utf8mb4_general_ci", "gbk_chinese_ci"])
async def test_equality_narrows_by_an_index_of_a_collation_that_folds_case(
    tmp_path: Path, mariadb_database: str, collation: str
) -> None:
    values = ", ".join(str(_row(n)) for n in range(2000))
    table = f"CREATE TABLE zc ({COLUMNS}) CHARACTER SET {collation.partition('_')[0]} COLLATE {collation}"
    await filled_mariadb(mariadb_database, table, f"INSERT INTO zc VALUES {values}", *INDEXES, "ANALYZE TABLE zc")
    async with opened(tmp_path, "mariadb", mariadb_database) as store:
        for name in ("a code", "a rare status"):
            ((_, _, _, access, _, key, _, _, _, extra),) = await _plan(store, name, "EXPLAIN")
            assert access in ("ref", "range"), (name, access, key, extra)
        explained = await store.explain(PageRequest(None, (OrderTerm("code"),), 5))
        assert "utf8mb4_bin" in explained.reasons[0].message
