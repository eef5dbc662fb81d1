"""Strange SQL stores are read as a guest: bounded, read-only, comments and keys included, on real servers too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.inspect import inspect_store
from adapters.kit.survey import SAMPLE_ROWS, Budget, StoreUrl, SurveyError, read_url
from tests.adapters.kit.surveys import survey, survey_of


def database(path: Path, *statements: str) -> str:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return str(path)


async def test_a_table_is_told_with_keys_comments_and_samples(tmp_path: Path) -> None:
    url = database(
        tmp_path / "old.db",
        "CREATE TABLE dw (id INTEGER PRIMARY KEY, mc TEXT UNIQUE)",
        "CREATE TABLE zc (\n  bh TEXT PRIMARY KEY,  -- 资产编号\n  dw INTEGER REFERENCES dw(id), -- 单位\n  tp BLOB\n)",
        "INSERT INTO dw VALUES (1, '教育局')",
        "INSERT INTO zc VALUES ('A1', 1, x'00ff')",
    )
    table = (await survey(url)).table("zc")
    assert table is not None
    assert (table.rows, table.is_estimated, table.key) == (1, False, ("bh",))
    assert [(one.name, one.comment, one.samples) for one in table.columns] == [
        ("bh", "资产编号", ("A1",)), ("dw", "单位", (1,)), ("tp", "", ()),
    ]  # fmt: skip
    assert [(one.columns, one.table, one.its_columns) for one in table.references] == [(("dw",), "dw", ("id",))]


async def test_of_a_large_table_only_both_ends_are_read(tmp_path: Path) -> None:
    many = 120_000
    url = database(
        tmp_path / "old.db",
        "CREATE TABLE zc (n INTEGER PRIMARY KEY)",
        f"INSERT INTO zc WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {many}) SELECT n FROM up",
    )
    table = (await survey(url)).table("zc")
    assert table is not None
    assert (table.rows, table.is_estimated) == (many, True)
    samples = table.columns[0].samples
    assert len(samples) == 2 * SAMPLE_ROWS
    assert {1, many} <= set(samples)


async def test_when_time_is_up_the_rest_is_named_and_not_sampled(tmp_path: Path) -> None:
    url = database(tmp_path / "old.db", "CREATE TABLE zc (n INTEGER)", "INSERT INTO zc VALUES (1)")
    ticks = iter(range(100))
    found = await inspect_store(read_url(url), Budget(0.5, lambda: float(next(ticks))))
    assert found.tables[0].columns[0].samples == ()
    assert found.notes == ("zc: no time was left for samples",)


async def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "old.db").write_text("no database " * 100)
    with pytest.raises(SurveyError, match="the store cannot be read"):
        await survey(str(tmp_path / "old.db"))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_refuses_shows_no_password(scheme: str) -> None:
    full = f"{scheme}://reader:s3cret@127.0.0.1:1/gams"
    with pytest.raises(SurveyError) as caught:
        await survey_of(StoreUrl(scheme, f"{scheme}://reader:${{P}}@127.0.0.1:1/gams", full))
    assert "s3cret" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"


async def test_a_dialect_that_is_not_installed_is_named() -> None:
    with pytest.raises(SurveyError, match="nosuchdb"):
        await survey("nosuchdb://reader@db/gams")


async def test_a_driver_that_is_not_installed_is_named_with_what_installs_it() -> None:
    """cx_Oracle gave way to oracledb long ago: it is nowhere."""
    with pytest.raises(SurveyError, match=r"oracle store needs cx_Oracle, .*install"):
        await survey("oracle+cx_oracle://reader@db/gams")


async def _fill(url: str, statements: list[str]) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))
    await engine.dispose()


async def test_postgresql(postgres_database: str) -> None:
    driver = postgres_database.replace("postgresql://", "postgresql+asyncpg://")
    await _fill(driver, [
        'CREATE TABLE "资产" (bh VARCHAR(20) PRIMARY KEY, yz NUMERIC(12,2), rq DATE)',
        "COMMENT ON TABLE \"资产\" IS '固定资产卡片'",
        "COMMENT ON COLUMN \"资产\".yz IS '原值（元）'",
        "INSERT INTO \"资产\" VALUES ('A1', 12.50, '2020-01-31')",
    ])  # fmt: skip
    found = await survey_of(StoreUrl("postgresql", "postgresql://x", postgres_database))
    table = found.table("资产")
    assert table is not None
    assert (table.comment, table.key, table.rows) == ("固定资产卡片", ("bh",), 1)
    assert [column.comment for column in table.columns] == ["", "原值（元）", ""]


async def test_mariadb(mariadb_database: str) -> None:
    driver = mariadb_database.replace("mysql://", "mysql+asyncmy://").replace("mariadb://", "mysql+asyncmy://")
    await _fill(driver, [
        "CREATE TABLE zc (bh VARCHAR(20) PRIMARY KEY, yz DECIMAL(12,2) COMMENT '原值') COMMENT '固定资产'",
        "INSERT INTO zc VALUES ('A1', 12.50)",
    ])  # fmt: skip
    found = await survey_of(StoreUrl("mysql", "mysql://x", mariadb_database))
    table = found.table("zc")
    assert table is not None
    assert (table.comment, table.key, table.rows) == ("固定资产", ("bh",), 1)
    assert table.columns[1].comment == "原值"
