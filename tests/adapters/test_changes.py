"""Stores change while they are read: nothing stale, nothing half, and a fault is shown."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.index import IndexedStore
from adapters.mapping import load_mapping
from adapters.model import Compare, PageRequest, StoreConflict, StoreUnavailable
from adapters.status import Fault, HealthState
from tests.adapters.support import mapping_of, table_of

ALL = PageRequest(None, (), 10_000)


@pytest.fixture
def own(city: Path, tmp_path: Path) -> Path:
    """A city of one's own to change."""
    shutil.copytree(city, tmp_path / "city")
    return tmp_path / "city"


def _mapped(own: Path, region: str, *changes: tuple[str, str]) -> Path:
    path = own / "mappings" / f"{region}.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


@pytest.mark.parametrize(("region", "key", "column"), [("330100", "asset_id", "name"), ("330102", "zcbh", "zcmc")])
async def test_a_live_store_is_never_stale(own: Path, region: str, key: str, column: str) -> None:
    """Pushed (330100) and scanned (330102): a change is seen by the very next answer."""
    table = {"330100": "asset", "330102": "bgszichan"}[region]
    store = open_store(load_mapping(own / "mappings" / f"{region}.toml"))
    await store.open()
    try:
        native = (await store.page(ALL)).rows[0]["native"]
        before = await store.count(None)
        with sqlite3.connect(own / "stores" / f"{region}.sqlite") as other:
            other.execute(f"UPDATE {table} SET {column} = '改了' WHERE {key} = ?", (native,))
        other.close()
        assert (await store.rows([native]))[native]["name"] == "改了"
        assert await store.count(Compare("name", "eq", "改了")) == 1
        with sqlite3.connect(own / "stores" / f"{region}.sqlite") as other:
            other.execute(f"DELETE FROM {table} WHERE {key} = ?", (native,))
        other.close()
        assert await store.rows([native]) == {}
        assert await store.count(None) == before - 1
    finally:
        await store.close()


async def test_a_row_that_becomes_secret_is_gone_at_once(own: Path) -> None:
    store = open_store(load_mapping(own / "mappings" / "330100.toml"))
    await store.open()
    try:
        native = (await store.page(ALL)).rows[0]["native"]
        with sqlite3.connect(own / "stores" / "330100.sqlite") as other:
            other.execute("UPDATE asset SET secrecy = 'NONE ' WHERE asset_id = ?", (native,))
        other.close()
        assert await store.rows([native]) == {}
        assert native not in [row["native"] for row in (await store.page(ALL)).rows]
    finally:
        await store.close()


async def test_a_nightly_copy_takes_the_place_of_the_file(own: Path) -> None:
    path = own / "stores" / "330122.sqlite"
    store = open_store(load_mapping(own / "mappings" / "330122.toml"))
    await store.open()
    try:
        before = await store.count(None)
        shutil.copy(path, path.with_suffix(".new"))
        with sqlite3.connect(path.with_suffix(".new")) as other:
            other.execute("DELETE FROM gdzc WHERE rowid IN (SELECT rowid FROM gdzc LIMIT 20)")
        other.close()
        path.with_suffix(".new").replace(path)
        assert await store.count(None) < before
    finally:
        await store.close()


async def test_a_missing_file_is_unavailable(own: Path) -> None:
    (own / "stores" / "330100.sqlite").unlink()
    store = open_store(load_mapping(own / "mappings" / "330100.toml"))
    with pytest.raises(StoreUnavailable):
        await store.open()
    await store.close()


# --- custody changes ----------------------------------------------------------------------------------------------


async def test_a_status_is_written_once_for_a_version(own: Path) -> None:
    store = open_store(load_mapping(own / "mappings" / "330100.toml"))
    await store.open()
    try:
        assert store.capabilities.write
        row = (await store.page(ALL)).rows[3]
        native = row["native"]
        with pytest.raises(StoreConflict):
            await store.write_status(native, "LENT", "another version")
        assert await store.write_status(native, "LENT", row["version"]) is True
        changed = (await store.rows([native]))[native]
        assert (changed["status"], changed["version"]) == ("LENT", str(int(row["version"]) + 1))
        assert changed["updatedAt"] > row["updatedAt"]
        with pytest.raises(StoreConflict):
            await store.write_status(native, "IDLE", row["version"])
        assert await store.write_status("no such key", "IDLE", None) is False
    finally:
        await store.close()


KEY_TWICE: dict[str, Any] = {
    "store": {"url": "zc.sqlite"},
    "fields": {"name": "mc", "status": "zt", "version": "bb"},
    "write": {"status_column": "zt", "version_column": "bb"},
    "lookups": {"mj": {"table": "zd", "key": "dm", "value": "mc"}},
}


@pytest.mark.parametrize(
    "secrecy",
    [{"column": "mj", "open": ["公开"]}, {"column": "mjdm", "open": ["公开"], "lookup": "mj"}],
    ids=["a column", "a code table"],
)
async def test_a_row_that_shares_the_key_and_is_secret_or_no_asset_is_not_written(
    tmp_path: Path, secrecy: dict[str, Any]
) -> None:
    rows = [
        ("a", "桌", "IDLE", 1, "公开", 0, 1),
        ("a", "图", "IDLE", 1, "机密", 9, 1),
        ("a", "旧", "IDLE", 1, "公开", 0, 0),
    ]
    table_of(tmp_path, rows, "id TEXT, mc TEXT, zt TEXT, bb INTEGER, mj TEXT, mjdm INTEGER, zx INTEGER")
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        db.execute("CREATE TABLE zd (dm INTEGER, mc TEXT)")
        db.executemany("INSERT INTO zd VALUES (?, ?)", [(0, "公开"), (9, "机密")])
    db.close()
    source = {"table": "zc", "rows": [{"column": "zx", "in": ["1"]}]}
    store = open_store(mapping_of(tmp_path, **KEY_TWICE, source=source, secrecy=secrecy))
    await store.open()
    try:
        assert await store.write_status("a", "LENT", "1") is True
    finally:
        await store.close()
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        found = db.execute("SELECT mc, zt, bb FROM zc ORDER BY rowid").fetchall()
    db.close()
    assert found == [("桌", "LENT", 2), ("图", "IDLE", 1), ("旧", "IDLE", 1)]


async def test_nothing_is_written_without_a_grant(own: Path) -> None:
    before = (own / "stores" / "330182.sqlite").read_bytes()
    store = open_store(load_mapping(own / "mappings" / "330182.toml"))
    await store.open()
    try:
        row = (await store.page(ALL)).rows[0]
        assert not store.capabilities.write
        assert await store.write_status(row["native"], "LENT", row["version"]) is False
    finally:
        await store.close()
    assert (own / "stores" / "330182.sqlite").read_bytes() == before


# --- files --------------------------------------------------------------------------------------------------------


async def _indexed(path: Path, cache: Path) -> IndexedStore:
    """Open, and looked at once: it looks again when a test says so, with `refresh`."""
    store = open_store(load_mapping(path), cache_dir=cache)
    assert isinstance(store, IndexedStore)
    await store.open()
    await store.refresh()
    return store


async def _opened(own: Path, region: str, cache: Path) -> IndexedStore:
    return await _indexed(_mapped(own, region, ("reread_s = 2", "reread_s = 86400")), cache)


async def _fault(store: IndexedStore) -> Fault | None:
    return (await store.health()).fault


async def test_a_half_written_export_leaves_the_last_good_one(own: Path, tmp_path: Path) -> None:
    folder = own / "stores" / "330112"
    store = await _opened(own, "330112", tmp_path / "cache")
    try:
        before = [row["native"] for row in (await store.page(ALL)).rows]
        as_of = await store.as_of()
        assert await _fault(store) is not None
        newest = folder / "zichan_20251130.csv"
        whole = newest.read_bytes()
        (folder / "zichan_20251202.csv").write_bytes(whole[: len(whole) // 2])
        (folder / "zichan_20251202.ok").write_text((folder / "zichan_20251130.ok").read_text())
        await store.refresh()
        assert [row["native"] for row in (await store.page(ALL)).rows] == before
        assert await store.as_of() == as_of
        health = await store.health()
        assert health.state is HealthState.DEGRADED and health.data_as_of == as_of
        assert health.fault and health.fault.code == "EXPORT_UNFINISHED" and "20251202" in health.fault.message
        (folder / "zichan_20251202.csv").write_bytes(whole)
        await store.refresh()
        assert [row["native"] for row in (await store.page(ALL)).rows] == before
        assert (await store.health()).state is HealthState.OK
        assert await store.as_of() > as_of
    finally:
        await store.close()


async def test_other_encodings_and_orders_of_columns_are_the_same_store(own: Path, tmp_path: Path) -> None:
    folder = own / "stores" / "330127"
    store = await _opened(own, "330127", tmp_path / "cache")
    try:
        before = (await store.page(ALL)).rows
        text = (folder / "zichan_20251130.csv").read_bytes().decode("utf-8-sig")
        for number, encoding in enumerate(("gb18030", "utf-8", "utf-8-sig")):
            day = f"zichan_2026010{number}"
            (folder / f"{day}.csv").write_bytes(text.encode(encoding))
            (folder / f"{day}.ok").write_text((folder / "zichan_20251130.ok").read_text())
            await store.refresh()
            rows = (await store.page(ALL)).rows
            assert await _fault(store) is None
            assert [{**row, "observedAt": None} for row in rows] == [{**row, "observedAt": None} for row in before]
    finally:
        await store.close()


async def test_a_vanished_folder_leaves_the_last_good_index(own: Path, tmp_path: Path) -> None:
    store = await _opened(own, "330127", tmp_path / "cache")
    count = await store.count(None)
    await store.close()
    shutil.rmtree(own / "stores" / "330127")
    again = await _indexed(own / "mappings" / "330127.toml", tmp_path / "cache")
    try:
        assert await again.count(None) == count
        assert (await again.health()).state is HealthState.DEGRADED
    finally:
        await again.close()


async def test_a_workbook_that_is_none_leaves_the_last_good_one(own: Path, tmp_path: Path) -> None:
    path = _mapped(own, "330111", ('mode = "indexed"', 'mode = "indexed"\nreread_s = 86400'))
    store = await _indexed(path, tmp_path / "cache")
    try:
        count = await store.count(None)
        (own / "stores" / "330111.xlsx").write_bytes(b"PK half a workbook")
        await store.refresh()
        assert await store.count(None) == count
        fault = await _fault(store)
        assert fault and fault.code == "SOURCE_REFUSED" and "330111.xlsx cannot be read as a workbook" in fault.message
    finally:
        await store.close()


async def test_a_broken_index_is_built_anew(own: Path, tmp_path: Path) -> None:
    store = await _opened(own, "330127", tmp_path / "cache")
    count = await store.count(None)
    await store.close()
    (tmp_path / "cache" / "330127.index.sqlite").write_bytes(b"SQLite format 3\x00 broken")
    again = await _indexed(own / "mappings" / "330127.toml", tmp_path / "cache")
    try:
        assert await again.count(None) == count
    finally:
        await again.close()


async def test_secret_rows_never_enter_the_index(own: Path, tmp_path: Path) -> None:
    folder = own / "stores" / "330127"
    export = folder / "zichan_20251130.csv"
    lines = export.read_text("utf-8-sig").splitlines()
    secret = lines[1].replace(",否,", ",是,").replace(lines[1].split(",")[0], "SECRETKEY", 1)
    export.write_text("\n".join([*lines, secret]) + "\n", "utf-8-sig")
    (folder / "zichan_20251130.ok").write_text(str(int((folder / "zichan_20251130.ok").read_text()) + 1))
    store = await _opened(own, "330127", tmp_path / "cache")
    try:
        fault = await _fault(store)
        assert fault is None or "20251201" in fault.message
        assert b"SECRETKEY" not in (tmp_path / "cache" / "330127.index.sqlite").read_bytes()
    finally:
        await store.close()
