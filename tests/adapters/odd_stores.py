"""One table full of what goes wrong in legacy stores, on each engine: blanks, mojibake, wide digits, zero dates, doubles."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.mapping.model import Mapping
from tests.adapters.support import mapping_of

COLUMNS = ("id", "bm", "mc", "gg", "pp", "sl", "rq", "gq", "yz", "jz", "zt", "cs", "dw", "gx", "mj", "fl", "yx")
MARIADB_DDL = """CREATE TABLE zc (id varchar(12) NOT NULL, bm varchar(40), mc varchar(60), gg varchar(60), pp varchar(60),
  sl decimal(12,3), rq varchar(20), gq date, yz decimal(18,2), jz bigint, zt varchar(20), cs int, dw varchar(20),
  gx tinyint(1), mj varchar(10), fl varchar(20), yx varchar(10){more})"""
POSTGRES_DDL = """CREATE TABLE zc (id varchar(12) NOT NULL, bm varchar(40), mc varchar(60) COLLATE {collation}, gg text,
  pp varchar(60), sl numeric(12,3), rq varchar(20), gq timestamp, yz numeric(18,2), jz bigint, zt varchar(20),
  cs smallint, dw varchar(20), gx boolean, mj varchar(10), fl varchar(20), yx varchar(10){more})"""
SQLITE_DDL = """CREATE TABLE zc (id VARCHAR(12) NOT NULL, bm VARCHAR(40), mc VARCHAR(60), gg VARCHAR(60), pp VARCHAR(60)
  COLLATE NOCASE, sl DECIMAL(12,3), rq VARCHAR(20), gq DATE, yz DECIMAL(18,2), jz BIGINT, zt VARCHAR(20), cs INTEGER,
  dw VARCHAR(20), gx BOOLEAN, mj VARCHAR(10), fl VARCHAR(20), yx VARCHAR(10){more})"""
UNITS_DDL = "CREATE TABLE dw (bh varchar(20) PRIMARY KEY, mc varchar(60))"

CODES = ("C01", "C02", "Ｃ02", " C03", "C03", "C4 ", "", "   ", None, "c01", "C\t5", "C 5", "资1", "C03\u3000")
NAMES = (
    "办公桌", "会议椅", "°ì¹«×À", "台式电脑", " 台式电脑", "", None, "Café", "abc", "ABC", "ab", "a\tb", "　椅", "椅　",
    "座椅\u3000套", "°C 表", "桌\ufffd", "ａｂ", "zz top", "ß", "ss", "打印机2台",
)  # fmt: skip
BRANDS = ("联想", "LENOVO", "lenovo", "Lenovo ", "无", "", None, "华为", "Ｈｕａｗｅｉ", "é", "e", "_%", "\\")
DAYS = (
    "2020-02-29", "2021-02-29", "2019-03-05", "2019/3/5", "20190305", "2019-03-05 00:00:00", "0000-00-00", "2025-01-00",
    "", None, "约2019", "２０１９-03-05", "2019-03-31", " 2019-04-01", "9999-12-31",
)  # fmt: skip
STATUSES = ("在用", "闲置", "在库", "出借", "封存", " 闲置", "闲置 ", "", None, "待定", "IDLE", "idle")
CLASSES = ("A02010105", "A02010104", "A05010201", "A02999999", "Ａ02010105", "a02010105", "", None, " A02010105", "x")
OWNERS = ("U1", "u1", "U1 ", "单2", "U9", "Ｕ1", "", None)
SECRECY = ("公开", "公开", "公开", "内部", "公开 ", "机密", None)


def odd_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows whose keys may be blank or, by trimming, double."""
    random = Random(seed)
    rows = []
    for number in range(count):
        key = f"K{number:04}" + random.choice(("", "", "", "", " "))
        if random.random() < 0.05:
            key = random.choice((" " + f"K{max(0, number - 3):04}", "  " + str(number), "\u3000" + str(number)))
        cents = random.choice((0, 1, 99, 100, 12345, 99_999_999_999, -500, random.randrange(10**6)))
        rows.append(
            {
                "id": key,
                "bm": random.choice((*CODES, f"C{number}", f"C{number}")),
                "mc": random.choice(NAMES),
                "gg": random.choice((*NAMES, f"规格{number % 7}")),
                "pp": random.choice(BRANDS),
                "sl": random.choice((None, "1", "1.5", "2.125", "0", "-3", "10")),
                "rq": random.choice(DAYS),
                "gq": random.choice((None, date(2020, 2, 29), date(2019, 3, 5), date(2031, 1, 1))),
                "yz": None if random.random() < 0.1 else f"{cents / 100:.2f}",
                "jz": random.choice((None, 0, 1, cents, -cents, 10**15)),
                "zt": random.choice(STATUSES),
                "cs": random.choice((None, 0, 1, 2, 3, 7)),
                "dw": random.choice(OWNERS),
                "gx": random.choice((True, False, None)),
                "mj": random.choice(SECRECY),
                "fl": random.choice(CLASSES),
                "yx": random.choice((None, "", "是", "是", "待核", "待核 ")),
            }
        )
    return rows


def odd_mapping(folder: Path, engine: str, url: str, *, trim: bool = True) -> Mapping:
    return mapping_of(
        folder,
        store={"engine": engine, "url": url},
        secrecy={"column": "mj", "open": ["公开", "内部"]},
        key={"columns": ["id"], "trim": trim},
        fields={
            "code": {"column": "bm", "clean": ["trim", "width"]},
            "name": {"column": "mc", "clean": ["trim", "mojibake"]},
            "specification": "gg",
            "brand": {"column": "pp", "empty": ["无"]},
            "quantity": "sl",
            "acquiredOn": {"column": "rq", "formats": ["ymd", "compact"]},
            "shareableUntil": "gq",
            "originalValue": {"column": "yz", "unit": "元"},
            "netValue": {"column": "jz", "unit": "分"},
            "status": {
                "column": "zt",
                "codes": {"在用": "IN_USE", "闲置": "IDLE", "在库": "IN_STORE", "出借": "LENT", "IDLE": "IDLE"},
            },
            "condition": {"column": "cs", "empty": ["0"], "codes": {"1": "NEW", "2": "GOOD", "3": "GOOD"}},
            "owner": "dw",
            "shareable": "gx",
        },
        **{"class": {"column": "fl", "scheme": "2022"}},
        units={"table": "dw", "key": "bh", "name": "mc"},
        quarantine=[{"name": "待核", "when": {"column": "yx", "in": ["待核"]}}],
    )


UNITS = (("U1", "一"), ("单2", "二"))


def fill_sqlite(path: Path, rows: Sequence[dict[str, Any]], more: str = "") -> None:
    with sqlite3.connect(path) as db:
        db.execute(SQLITE_DDL.format(more=more))
        db.execute(UNITS_DDL)
        db.executemany("INSERT INTO dw VALUES (?, ?)", UNITS)
        marks = ", ".join("?" * len(COLUMNS))
        values = [[str(row[name]) if isinstance(row[name], date) else row[name] for name in COLUMNS] for row in rows]
        db.executemany(f"INSERT INTO zc VALUES ({marks})", values)
    db.close()


async def fill_server(url: str, driver: str, ddl: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    engine = create_async_engine(url.replace(url.partition("://")[0], driver, 1))
    postgres = driver.startswith("postgresql")
    types: dict[str, Any] = {"sl": sa.Numeric(), "yz": sa.Numeric(), "gq": sa.DateTime() if postgres else sa.Date()}
    table = sa.table("zc", *(sa.column(name, types.get(name)) for name in COLUMNS))
    async with engine.begin() as connection:
        for statement in (*ddl, UNITS_DDL):
            await connection.exec_driver_sql(statement)
        await connection.execute(sa.insert(table), list(map(_numbers, rows)))
        units = sa.table("dw", sa.column("bh"), sa.column("mc"))
        await connection.execute(sa.insert(units), [{"bh": key, "mc": name} for key, name in UNITS])
        if not postgres:
            await connection.exec_driver_sql("SET SESSION sql_mode = ''")
            await connection.exec_driver_sql("UPDATE zc SET gq = '0000-00-00' WHERE cs = 7")
            await connection.exec_driver_sql("UPDATE zc SET gq = '2025-01-00' WHERE cs = 3 AND gx = 1")
    await engine.dispose()


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime, time
    from decimal import Decimal

    found = dict(row)
    for name in ("sl", "yz"):
        found[name] = None if row[name] is None else Decimal(row[name])
    if row["gq"] is not None:
        found["gq"] = datetime.combine(row["gq"], time(13, 5))
    return found


def for_gbk(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a database in GBK can hold."""
    return [
        {
            name: value.encode("gbk", "replace").decode("gbk") if isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in rows
    ]
