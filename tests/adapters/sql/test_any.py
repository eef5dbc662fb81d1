"""A database of which nothing is known but its dialect: its rows are judged here, and equal those of a store that is known."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from adapters import open_store
from adapters.kit.check import CheckOptions, check_mapping
from adapters.kit.draft import write_draft
from adapters.kit.raw import first_rows
from adapters.mapping import MappingError, load_mapping
from adapters.model import Store, StoreUnsupported
from adapters.sql.engine import open_reader
from tests.adapters.kit.surveys import survey
from tests.adapters.sql.servers import threads_left
from tests.adapters.support import ALL, mapping_of, table_of


class Oldbase(SQLiteDialect_pysqlite):
    """A dialect that no module of ours knows by name; what stands behind it is SQLite, by its own driver, in threads."""

    name = "oldbase"
    supports_statement_cache = True


registry.register("oldbase.py", __name__, "Oldbase")

COLUMNS = "id TEXT, mc TEXT, mj TEXT, zx INTEGER, bm TEXT"
ROWS = [
    ("A1", "办公桌", "公开", 1, "1"),
    ("A2", "沙盘", "公开 ", 1, "1"),
    ("A3", "涉密电脑", "秘密", 1, "2"),
    ("A4", "旧椅", "公开", 0, "2"),
    ("A5", "柜", None, 1, "2"),
    ("A6", None, "内部", 1, "9"),
    ("A1 ", "重号", "公开", 1, "1"),
    (None, "无号", "公开", 1, None),
    ("B1", "投影机", "公开", 1, "2"),
]
SHAPE: dict[str, Any] = {
    "source": {
        "table": "zc",
        "rows": [{"column": "zx", "in": ["1"]}],
        "joins": [{"table": "bm", "on": {"dm": "bm"}}],
    },
    "secrecy": {"column": "mj", "open": ["公开", "内部"]},
    "fields": {"name": "mc", "keeper": "bm.mc", "owner": "bm"},
    "units": {"table": "bm", "key": "dm", "name": "mc"},
}


def folder_of(folder: Path) -> Path:
    table_of(folder, ROWS, COLUMNS)
    with sqlite3.connect(folder / "zc.sqlite") as db:
        db.execute("CREATE TABLE bm (dm TEXT PRIMARY KEY, mc TEXT)")
        db.executemany("INSERT INTO bm VALUES (?, ?)", [("1", "教育局"), ("2", "财政局")])
    db.close()
    return folder


def any_sql(folder: Path) -> dict[str, Any]:
    return {"engine": "sql", "url": f"oldbase+py:///{folder / 'zc.sqlite'}"}


async def told(store: Store) -> Any:
    await store.open()
    try:
        rows = [{**row, "observedAt": None} for row in (await store.page(ALL)).rows]
        kept = sorted(repr((sorted(one.raw.items()), one.issues)) for one in await store.quarantine(100, None))
        return rows, kept, await store.quality(), await store.units()
    finally:
        await store.close()


async def test_its_rows_are_those_of_a_store_that_is_known(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    known = mapping_of(folder, store={"engine": "sqlite", "url": "zc.sqlite", "mode": "indexed"}, **SHAPE)
    other = mapping_of(folder, store=any_sql(folder), **SHAPE)
    wanted = await told(open_store(known, cache_dir=folder / "known"))
    found = await told(open_store(other, cache_dir=folder / "other"))
    assert found == wanted
    assert [row["native"] for row in found[0]] == ["A6", "B1"], (
        "A1 is double, and everything else is secret, or no asset"
    )
    assert threads_left() == []


async def test_it_conforms_and_shows_its_first_rows(tmp_path: Path) -> None:
    other = mapping_of(folder_of(tmp_path), store=any_sql(tmp_path), **SHAPE)
    report = await check_mapping(other, options=CheckOptions(clock=lambda: 0.0))
    assert report.is_conforming, report.as_dict()
    shown = await first_rows(other, 20)
    assert {row.raw["mj"] for row in shown} == {"公开", "内部"}, "a secret row is never shown"


async def test_it_is_looked_into_and_drafted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    draft = write_draft(await survey(any_sql(folder)["url"]), tmp_path / "draft.toml", "330109")
    (tmp_path / "draft.toml").write_text(draft.text, encoding="utf-8")
    mapping = load_mapping(tmp_path / "draft.toml")
    assert (mapping.store.engine, mapping.store.mode, mapping.table) == ("sql", "indexed", "zc")


def test_a_dialect_that_nobody_has_installed(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, store={"engine": "sql", "url": "nosuchdb://host/db"}, source={"table": "zc"})
    with pytest.raises(StoreUnsupported, match="no dialect nosuchdb: install the package"):
        open_reader(mapping.store, lambda _: None)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"store": {"mode": "live"}}, "store.mode"),
        ({"feed": {"by": "digest"}}, "feed"),
        ({"fields": {"version": "bb"}, "write": {"status_column": "zt", "version_column": "bb"}}, "write"),
        (
            {"lookups": {"x": {"table": "t", "key": "k", "value": "v", "rows": SHAPE["source"]["rows"]}}},
            "lookups.x.rows",
        ),
        ({"units": {**SHAPE["units"], "rows": SHAPE["source"]["rows"]}}, "units.rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_is_never_asked_for(tmp_path: Path, more: dict[str, Any], where: str) -> None:
    tables = {**SHAPE, **more}
    tables["store"] = any_sql(tmp_path) | more.get("store", {})
    tables["fields"] = SHAPE["fields"] | more.get("fields", {})
    with pytest.raises(MappingError) as caught:
        mapping_of(tmp_path, **tables)
    assert caught.value.where == where


def test_a_mapping_may_be_used_for_another_server_of_its_kind(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'mapping = 1\nregion = "330109"\nstore = { engine = "sql", url = "oldbase+py:///a" }\nsource = { table = "zc" }\n'
        'secrecy = { none_because = "a test" }\nkey = { columns = ["id"] }\nfields = { name = "mc" }\n',
        encoding="utf-8",
    )
    moved = load_mapping(tmp_path / "m.toml", "oldbase+py:///b")
    assert (moved.store.engine, moved.store.url) == ("sql", "oldbase+py:///b")
