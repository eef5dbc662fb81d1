"""A live store changes under our hands: what has just been written is in the next answer, irregular rows included."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.model import Compare, OrderTerm, PageRequest, StoreUnsupported
from adapters.sql import SqlStore
from adapters.sql.facts import IRREGULAR_MAX, SHARE
from tests.adapters.support import mapping_of, table_of
from tests.adapters.test_engine import filled_mariadb, filled_postgres

TABLE = "id varchar(9) PRIMARY KEY, mc varchar(20), bm varchar(20), yz decimal(18,2)"
ROWS = "INSERT INTO zc VALUES ('1', '桌', 'C1', 5), ('2', '椅', 'C2', 6)"
FIELDS: dict[str, Any] = {"name": "mc", "code": "bm", "originalValue": {"column": "yz", "unit": "元"}}
CODE_C3 = PageRequest(Compare("code", "eq", "C3"), (OrderTerm("code"),), 10)
Write = Callable[[str], Awaitable[None]]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
async def live(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[SqlStore, Write]]:
    engine: str = request.param
    url = "zc.sqlite"
    if engine == "sqlite":
        table_of(tmp_path, (), TABLE.replace("decimal(18,2)", "decimal"))

        async def write(statement: str) -> None:
            with sqlite3.connect(tmp_path / "zc.sqlite") as db:
                db.execute(statement)
            db.close()

        await write(ROWS)
    elif engine == "postgresql":
        url = request.getfixturevalue("postgres_database")
        await filled_postgres(url, f"CREATE TABLE zc ({TABLE})", ROWS)

        async def write(statement: str) -> None:
            await filled_postgres(url, statement)
    else:
        url = request.getfixturevalue("mariadb_database")
        await filled_mariadb(url, f"CREATE TABLE zc ({TABLE})", ROWS)

        async def write(statement: str) -> None:
            await filled_mariadb(url, statement)

    async with _opened(tmp_path, engine, url) as store:
        yield store, write


@asynccontextmanager
async def _opened(folder: Path, engine: str, url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(mapping_of(folder, store={"engine": engine, "url": url}, fields=FIELDS))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _found(store: SqlStore, request: PageRequest = CODE_C3) -> list[tuple[str, list[str]]]:
    page = await store.page(request)
    return [(row["native"], [one["code"] for one in row["issues"] if one["field"] == "code"]) for row in page.rows]


async def test_a_row_that_only_the_mapper_can_read(live: tuple[SqlStore, Write]) -> None:
    store, write = live
    assert await _found(store) == []
    await write("INSERT INTO zc VALUES ('3', '柜', ' C3', 7)")
    assert await _found(store) == [("3", [])]
    await write("INSERT INTO zc VALUES ('4', '灯', 'C3', 8)")
    assert await _found(store) == [("3", ["DUPLICATE_CODE"]), ("4", ["DUPLICATE_CODE"])]
    assert await store.count(CODE_C3.filter) == 2
    await write("UPDATE zc SET bm = 'C5' WHERE id = '3'")
    assert await _found(store) == [("4", [])]
    await write("DELETE FROM zc WHERE id = '4'")
    assert await _found(store) == []


async def test_keys_that_become_double_are_kept_back(live: tuple[SqlStore, Write]) -> None:
    store, write = live
    everything = PageRequest(None, (), 10)
    assert [native for native, _ in await _found(store, everything)] == ["1", "2"]
    await write("INSERT INTO zc VALUES (' 1', '柜', 'C9', 7)")
    assert [native for native, _ in await _found(store, everything)] == ["2"]
    assert [one["code"] for row in await store.quarantine(9, None) for one in row.issues] == ["DUPLICATE_KEY"] * 2
    report = await store.quality()
    assert (report.rows, report.listed, report.quarantined) == (3, 1, 2)


async def test_nothing_is_looked_up_again_while_nothing_changes(live: tuple[SqlStore, Write]) -> None:
    store, write = live
    if store.mapping.store.engine == "mariadb":
        return  # it cannot tell
    assert store._pushed is not None
    assert store._keeper is not None
    for _ in range(20):  # a server has housekeeping of its own
        await _found(store)
        known, before = store._pushed._facts, await store._keeper.token()
        await _found(store)
        await store.count(None)
        if before == await store._keeper.token():
            break
    assert store._pushed._facts is known
    await write("UPDATE zc SET bm = 'C7' WHERE id = '1'")
    await _found(store)
    assert store._pushed._facts is not known


async def test_a_dear_look_takes_no_more_than_its_share_of_the_time(live: tuple[SqlStore, Write]) -> None:
    store, _ = live
    await _found(store)
    keeper = store._keeper
    assert store._pushed is not None
    assert keeper is not None
    facts = store._pushed._facts
    assert facts is not None
    now = time.monotonic()
    large = replace(facts, token="old", cost_s=3.0, is_small=False)
    assert keeper.holds(replace(large, taken=now), "new")
    assert not keeper.holds(replace(large, taken=now - SHARE * 3), "new")
    assert not keeper.holds(replace(large, taken=now, is_small=True), "new"), "a small store's answers are exact"


async def test_more_irregular_rows_than_are_kept(tmp_path: Path) -> None:
    table_of(
        tmp_path, ((f"A{n}", "桌", f" C{n}", 1) for n in range(IRREGULAR_MAX + 1)), TABLE.replace("(18,2)", "(18)")
    )
    mapping = mapping_of(tmp_path, store={"scan_rows_max": 1000}, fields=FIELDS)
    store = SqlStore(mapping)
    await store.open()
    try:
        with pytest.raises(StoreUnsupported, match=r"hold a code that only the mapper can read.*indexed"):
            await store.page(CODE_C3)
    finally:
        await store.close()
