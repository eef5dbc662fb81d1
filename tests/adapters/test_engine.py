"""What real servers hold that a driver hands over badly, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import create_async_engine

from adapters import open_store
from adapters.model import Store
from adapters.sql.source import text_form
from tests.adapters.support import ALL, mapping_of

ROWS = 1_300
"""More than two batches of a stream."""


async def filled(url: str, driver: str, statements: Sequence[str]) -> None:
    engine = create_async_engine(url.replace(url.partition("://")[0], driver, 1))
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


async def filled_postgres(url: str, *statements: str) -> None:
    await filled(url, "postgresql+asyncpg", statements)


async def filled_mariadb(url: str, *statements: str) -> None:
    await filled(url, "mysql+asyncmy", statements)


@asynccontextmanager
async def opened(folder: Path, url: str, engine: str, **more: Any) -> AsyncIterator[Store]:
    store_table = {"engine": engine, "url": url, **more.pop("store", {})}
    store = open_store(mapping_of(folder, store=store_table, **more), cache_dir=folder / "cache")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


DATES = {"fields": {"name": "mc", "acquiredOn": "rq", "updatedAt": {"column": "gx", "zone": "UTC"}}}


@pytest.mark.parametrize("mode", ["live", "indexed"])
async def test_dates_that_python_has_not_are_faults_of_their_rows(
    tmp_path: Path, postgres_database: str, mode: str
) -> None:
    await filled_postgres(
        postgres_database,
        "CREATE TABLE zc (id text PRIMARY KEY, mc text, rq date, gx timestamptz)",
        "INSERT INTO zc VALUES ('1', '鼎', '0044-03-15 BC', '2020-01-02 03:04:05+08'), ('2', '砖', 'infinity', '-infinity'),"
        " ('3', '桌', '2020-02-29', NULL), ('4', '椅', '12020-01-01', NULL)",
    )
    async with opened(tmp_path, postgres_database, "postgresql", store={"mode": mode}, **DATES) as store:
        rows = {row["native"]: row for row in (await store.page(ALL)).rows}
    found = {native: [(one["code"], one["field"], one["raw"]) for one in row["issues"]] for native, row in rows.items()}
    assert found == {
        "1": [("INVALID_DATE", "acquiredOn", "0044-03-15 BC")],
        "2": [("INVALID_DATE", "acquiredOn", "infinity"), ("INVALID_DATE", "updatedAt", "-infinity")],
        "3": [],
        "4": [("INVALID_DATE", "acquiredOn", "12020-01-01")],
    }
    assert rows["1"]["updatedAt"] == "2020-01-01T19:04:05Z"
    assert rows["3"]["acquiredOn"] == "2020-02-29"


BITS: dict[str, Any] = {
    "fields": {"name": "mc", "shareable": {"column": "gx"}},
    "source": {"rows": [{"column": "yx", "in": ["1"]}]},
    "secrecy": {"column": "gk", "open": ["1"]},
}


def bits() -> dict[str, Any]:
    return {**BITS, "source": {"table": "zc", **BITS["source"]}}


@pytest.mark.parametrize("mode", ["live", "indexed"])
async def test_bits_of_mariadb(tmp_path: Path, mariadb_database: str, mode: str) -> None:
    await filled_mariadb(
        mariadb_database,
        "CREATE TABLE zc (id varchar(9) PRIMARY KEY, mc varchar(9), gx bit(1), yx bit(1), gk bit(8))",
        "INSERT INTO zc VALUES ('1', 'a', 1, 1, 1), ('2', 'b', 0, 1, 1), ('3', 'c', 1, 0, 1), ('4', 'd', 1, 1, 2)",
    )
    async with opened(tmp_path, mariadb_database, "mariadb", store={"mode": mode}, **bits()) as store:
        rows = (await store.page(ALL)).rows
        assert [(row["native"], row["shareable"], row["issues"]) for row in rows] == [("1", True, []), ("2", False, [])]


async def test_bits_of_postgresql(tmp_path: Path, postgres_database: str) -> None:
    await filled_postgres(
        postgres_database,
        "CREATE TABLE zc (id text PRIMARY KEY, mc text, gx bit(1), yx bit(1), gk bit(1))",
        "INSERT INTO zc VALUES ('1', 'a', B'1', B'1', B'1'), ('2', 'b', B'0', B'1', B'1'), ('3', 'c', B'1', B'0', B'1')",
    )
    async with opened(tmp_path, postgres_database, "postgresql", **bits()) as store:
        rows = (await store.page(ALL)).rows
        assert [(row["native"], row["shareable"]) for row in rows] == [("1", True), ("2", False)]


SECRECY: dict[str, Any] = {"secrecy": {"column": "mj", "open": ["open", "公开"]}}


async def test_open_means_exactly_the_open_value(tmp_path: Path, mariadb_database: str) -> None:
    """No collation that ignores case, width, accents or trailing spaces lets a secret row through, in GBK columns too."""
    spellings = ["open", "OPEN", "open ", "öpen", "ｏｐｅｎ", "公开", "公开 ", "公開", ""]
    values = ", ".join(f"('{n}', 'x', '{text}')" for n, text in enumerate(spellings))
    for table, charset in (("zc", "utf8mb4"), ("zc_gbk", "gbk")):
        wanted = values.replace("öpen", "oepn") if charset == "gbk" else values
        await filled_mariadb(
            mariadb_database,
            f"CREATE TABLE {table} (id varchar(9) PRIMARY KEY, mc varchar(9), mj varchar(9)) CHARACTER SET {charset}",
            f"INSERT INTO {table} VALUES {wanted}",
        )
        async with opened(tmp_path, mariadb_database, "mariadb", source={"table": table}, **SECRECY) as store:
            assert [row["native"] for row in (await store.page(ALL)).rows] == ["0", "5"], charset


def test_the_comparison_is_one_that_mysql_5_7_knows() -> None:
    """No collation of MariaDB's own: bytes of UTF-8."""
    form = text_form(sa.column("mj"), sa.String(), mysql.dialect())
    assert str(form.compile(dialect=mysql.dialect())) == "CAST(CAST(mj AS CHAR) AS BINARY)"


async def test_a_table_of_another_schema(tmp_path: Path, postgres_database: str) -> None:
    await filled_postgres(
        postgres_database,
        "CREATE SCHEMA gams",
        "CREATE TABLE gams.card (id text PRIMARY KEY, mc text, mx integer)",
        "CREATE TABLE gams.model (id integer PRIMARY KEY, xh text)",
        'CREATE TABLE "gams.old" (id text PRIMARY KEY, mc text)',
        "INSERT INTO gams.card VALUES ('1', '桌', 7)",
        "INSERT INTO gams.model VALUES (7, 'X7')",
        "INSERT INTO \"gams.old\" VALUES ('2', '椅')",
    )
    joined = {"table": "gams.card", "joins": [{"table": "gams.model", "on": {"id": "mx"}}]}
    fields = {"name": "mc", "model": "model.xh"}
    async with opened(tmp_path, postgres_database, "postgresql", source=joined, fields=fields) as store:
        assert [(row["name"], row["model"]) for row in (await store.page(ALL)).rows] == [("桌", "X7")]
    async with opened(tmp_path, postgres_database, "postgresql", source={"table": "gams.old"}) as store:
        assert [row["name"] for row in (await store.page(ALL)).rows] == ["椅"]


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
async def test_an_index_of_a_server_is_streamed(tmp_path: Path, request: pytest.FixtureRequest, engine: str) -> None:
    url: str = request.getfixturevalue("postgres_database" if engine == "postgresql" else "mariadb_database")
    fill = filled_postgres if engine == "postgresql" else filled_mariadb
    values = ", ".join(f"('A{n:04}', '桌{n}')" for n in range(ROWS))
    await fill(url, "CREATE TABLE zc (id varchar(9) PRIMARY KEY, mc varchar(9))", f"INSERT INTO zc VALUES {values}")
    async with opened(tmp_path, url, engine, store={"mode": "indexed"}, guest={"connections_max": 1}) as store:
        assert [row["name"] for row in (await store.page(ALL)).rows] == [f"桌{n}" for n in range(ROWS)]
