"""The stores of `make bench-adapters`: the reference schema with so many rows in SQLite and PostgreSQL, and a CSV drop folder.

Rows are made one by one, the same each time for the same place. What takes long to make (the SQLite file, the CSV
files) is kept in the system's temporary folder from run to run; PostgreSQL, a server of its own for each run, is
filled from the kept CSV by its own COPY.
"""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from adapters.mapping import load_mapping
from adapters.mapping.model import Mapping

__all__ = ["drop_folder", "fill_postgres", "postgres_mapping", "sqlite_mapping"]

VERSION = 1
"""Raised when the rows change: what an earlier version kept is not used then."""
_AT_ONCE = 10_000
_MAPPINGS = Path(__file__).parents[2] / "subgraphs" / "sample_city" / "mappings"
_SIDES = """
CREATE TABLE unit (unit_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100), uscc VARCHAR(18));
CREATE TABLE warehouse (warehouse_id VARCHAR(20) PRIMARY KEY, name VARCHAR(100), kind VARCHAR(10), address VARCHAR(200));
INSERT INTO unit VALUES ('U1', '区财政局', NULL), ('U2', '区教育局', NULL), ('U3', '区卫健局', NULL);
INSERT INTO warehouse VALUES ('W1', '一号仓', 'PHYSICAL', '文一路1号'), ('W2', '自管', 'OWN_ROOM', NULL);
"""
_ASSET = """
CREATE TABLE asset (
  asset_id VARCHAR(60) PRIMARY KEY, code VARCHAR(40), name VARCHAR(200), class_code VARCHAR(16),
  specification VARCHAR(200), brand VARCHAR(60), model VARCHAR(60), serial_number VARCHAR(60), quantity DECIMAL(12,3),
  unit_of_measure VARCHAR(10), acquired_on DATE, acquisition VARCHAR(20), original_value DECIMAL(18,2),
  accumulated_depreciation DECIMAL(18,2), net_value DECIMAL(18,2), value_type VARCHAR(20), useful_life_months INTEGER,
  unit_id VARCHAR(20), keeper VARCHAR(40), user_name VARCHAR(40), warehouse_id VARCHAR(20), location VARCHAR(200),
  source VARCHAR(20), item_condition VARCHAR(20), status VARCHAR(20), shareable BOOLEAN, shareable_until DATE,
  secrecy VARCHAR(10), mass_kg DECIMAL(10,3), row_version INTEGER, updated_at TIMESTAMP);
"""
_INDEXES = (
    "CREATE INDEX by_code ON asset (code, asset_id)",
    "CREATE INDEX by_value ON asset (original_value, asset_id)",
    "CREATE INDEX by_status ON asset (status, asset_id)",
)
_COLUMNS = 31
_NAMES = ("台式计算机", "办公桌", "会议椅", "激光打印机", "投影仪", "文件柜", "空调机", "LED显示屏")
_BRANDS = ("联想", "华为", "惠普", "格力", "", None)
_CLASSES = ("A02010105", "A05010201", "A05010301", "A02021003")
_STATUSES = ("IDLE", "IN_USE", "IN_STORE", "LENT")
_FIRST_DAY = date(2010, 1, 4)
_DAYS = 5_500
_SHAREABLE_IN_TEN, _SECRET_IN = 8, 97


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Rows of the reference schema; keys come in no order, as in a store that has grown for years."""
    random = Random(VERSION)
    for place in range(count):
        key = (place * 7_368_787) % 100_000_007
        value = random.randrange(10_000, 9_000_000)
        depreciation = random.randrange(value)
        day = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
        name = random.choice(_NAMES)
        yield (
            f"TY{key:09d}", f"C{place:09d}", f"{name}{place % 997}", random.choice(_CLASSES), f"规格{place % 89}",
            random.choice(_BRANDS), f"M{place % 53}", f"SN{key:09d}", random.randrange(1, 9), "台", day.isoformat(),
            "PURCHASE", f"{value / 100:.2f}", f"{depreciation / 100:.2f}", f"{(value - depreciation) / 100:.2f}",
            "ORIGINAL", 72, f"U{random.randrange(1, 4)}", "张三", "李四", random.choice(("W1", "W2", None)),
            f"{place % 31}号楼", "IDLE", random.choice(("GOOD", "USABLE")), random.choice(_STATUSES),
            int(random.randrange(10) < _SHAREABLE_IN_TEN), None, "SECRET" if place % _SECRET_IN == 0 else "NONE", "5.5",
            random.randrange(1, 5), f"{day.isoformat()} 08:30:00",
        )  # fmt: skip


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder made once; written beside its place and then moved, so that what is there is whole."""
    folder = Path(os.environ.get("BENCH_CACHE", Path(tempfile.gettempdir()) / "gwc-bench-adapters"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{VERSION}-{name}"
    if not place.exists():
        unfinished = folder / f"{VERSION}-{os.getpid()}-{name}"
        try:
            make(unfinished)
            unfinished.rename(place)
        finally:
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            unfinished.unlink(missing_ok=True)
    return place


def _moved(name: str, place: Path) -> Mapping:
    mapping = load_mapping(_MAPPINGS / name)
    return replace(mapping, store=replace(mapping.store, url=str(place)))


def sqlite_mapping(rows: int) -> Mapping:
    """The reference mapping, over a SQLite file of so many rows."""

    def make(path: Path) -> None:
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = OFF")
        db.executescript(_ASSET + _SIDES)
        marks = ", ".join("?" * _COLUMNS)
        for some in _batches(rows):
            db.executemany(f"INSERT INTO asset VALUES ({marks})", some)
        for index in (*_INDEXES, "ANALYZE"):
            db.execute(index)
        db.commit()
        db.close()

    return _moved("330100.toml", _kept(f"{rows}.sqlite", make))


def _batches(rows: int) -> Iterator[list[tuple[Any, ...]]]:
    source = _rows(rows)
    while some := [row for row, _ in zip(source, range(_AT_ONCE), strict=False)]:
        yield some


def postgres_mapping(url: str) -> Mapping:
    """The reference mapping, over the server."""
    return load_mapping(_MAPPINGS / "330100.toml", url)


async def fill_postgres(url: str, rows: int) -> None:
    def make(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_rows(rows))

    source = _kept(f"{rows}.csv", make)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_ASSET + _SIDES)
        await connection.copy_to_table("asset", source=source, format="csv")
        for index in (*_INDEXES, "VACUUM ANALYZE asset"):
            await connection.execute(index)
    finally:
        await connection.close()


# The drop folder

_HEADINGS = (
    "卡片号", "资产编码", "资产名称", "分类代码", "规格型号", "品牌", "原值", "累计折旧", "净值", "取得日期", "使用单位",
    "单位信用代码", "使用状况", "保管人", "存放地点", "仓库", "涉密", "可共享", "更新时间",
)  # fmt: skip
_USED = ("在用", "闲置", "在库", "出借")
_OLD_CLASSES = ("A02010104", "A06010201", "A06030100")
_UNREADABLE_IN, _SECRET_LINE_IN = 50, 89


def drop_folder(rows: int) -> Mapping:
    """The mapping of 临安 over a folder with one export of so many lines, one in fifty without a readable amount."""

    def make(folder: Path) -> None:
        folder.mkdir()
        with (folder / "zichan_20261101.csv").open("w", encoding="gb18030", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADINGS)
            writer.writerows(_lines(rows))
        (folder / "zichan_20261101.ok").write_text(str(rows))
        sides = "仓库编号,仓库名称,类型,地址\nCK1,一号仓,实体仓,文一路1号\n"
        (folder / "cangku.csv").write_text(sides, encoding="gb18030")

    return _moved("330112.toml", _kept(f"{rows}-drop", make))


def _lines(count: int) -> Iterator[tuple[str, ...]]:
    random = Random(VERSION)
    for place in range(count):
        value = "约三万" if place % _UNREADABLE_IN == 0 else f"{random.randrange(1_000, 900_000) / 10:.2f}"
        day = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
        yield (
            f"K{(place * 7_368_787) % 100_000_007:09d}", f"C{place:09d}", random.choice(_NAMES),
            random.choice(_OLD_CLASSES), f"规格{place % 89}", random.choice(_BRANDS) or "", value, "10.00", "5.00",
            f"{day.year}/{day.month}/{day.day}", "财政局", "91330100799655058B", random.choice(_USED), "张三", "A座",
            "CK1", "是" if place % _SECRET_LINE_IN == 0 else "否", "是", f"{day.isoformat()} 12:33:10",
        )  # fmt: skip
