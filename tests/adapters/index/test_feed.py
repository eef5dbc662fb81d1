"""After any changes at the store, an index that was fed with them equals one that is built anew, by every kind of feed.

Keys that are empty, that occur twice, or that differ by blanks only; rows that become secret, bad or good again; codes
that become another's; several changes within one and the same second: all of them, in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.index import IndexBuilder, IndexedStore, SourceStamp
from adapters.kit.raw import first_rows
from adapters.mapping import parse_mapping
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Mapping
from adapters.model import PageRequest
from adapters.sql.rows import SqlRows
from tests.adapters.support import ALL

KINDS: dict[str, dict[str, Any]] = {
    "updated_at": {"by": "updated_at", "key_scan": "0s"},
    "version": {"by": "version"},
    "digest": {"by": "digest"},
}
CREATE = (
    "CREATE TABLE zc (no INTEGER, dept VARCHAR(20), id VARCHAR(20), code VARCHAR(20), mc VARCHAR(40), yz VARCHAR(20),"
    " mj VARCHAR(10), bb INTEGER, gxsj VARCHAR(30))"
)
KEYS = st.sampled_from(["1", "2", "2 ", "a:b", "汉/字", "", None, "9"])
ROWS = st.fixed_dictionaries(
    {
        "dept": st.sampled_from(["d1", "d2"]),
        "id": KEYS,
        "code": st.sampled_from(["C1", "C2", "C3", None]),
        "mc": st.sampled_from(["办公桌", "椅", None, "台式电脑3台"]),
        "yz": st.sampled_from(["1.5", "约三万", "-2", None, "1.2345", "99999999999999999"]),
        "mj": st.sampled_from(["公开", "公开", "公开", "秘密", None]),
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), ROWS),
        st.tuples(st.just("update"), st.integers(0, 30), ROWS),
        st.tuples(st.just("delete"), st.integers(0, 30)),
        st.just(("feed",)),
    ),
    max_size=14,
)


def keyed(key: str | None) -> dict[str, Any]:
    """Keys that differ by blanks only are one native key, of two rows of the store."""
    return {"dept": "d1", "id": key, "code": "C1", "mc": "桌", "yz": "1", "mj": "公开"}


@dataclass
class Legacy:
    """A store that is written by its own people: versions go up, times are of their clock, with whole seconds."""

    engine: AsyncEngine
    url: str
    number: int = 0
    clock: int = 0

    async def reset(self) -> None:
        async with self.engine.begin() as db:
            await db.execute(sa.text("DROP TABLE IF EXISTS zc"))
            await db.execute(sa.text(CREATE))

    async def apply(self, step: tuple[Any, ...]) -> None:
        async with self.engine.begin() as db:
            match step:
                case ("insert", row):
                    self.number += 1
                    await self._write(db, "INSERT INTO zc (no, dept, id, code, mc, yz, mj, bb, gxsj)"
                                " VALUES (:no, :dept, :id, :code, :mc, :yz, :mj, :bb, :gxsj)", self.number, row)  # fmt: skip
                case ("update", at, row):
                    await self._write(db, "UPDATE zc SET dept = :dept, id = :id, code = :code, mc = :mc, yz = :yz, mj = :mj,"
                                " bb = :bb, gxsj = :gxsj WHERE no = :no", at, row)  # fmt: skip
                case ("delete", at):
                    await db.execute(sa.text("DELETE FROM zc WHERE no = :no"), {"no": at})

    async def _write(self, db: AsyncConnection, statement: str, number: int, row: dict[str, Any]) -> None:
        self.clock += 1
        # Three changes bear the same second; the version is never used twice.
        moment = f"2026-01-01 10:{self.clock // 180 % 60:02}:{self.clock // 3 % 60:02}"
        await db.execute(sa.text(statement), {**row, "no": number, "bb": self.clock, "gxsj": moment})


def mapping_of(legacy: Legacy, folder: Path, feed: dict[str, Any] | None) -> Mapping:
    data: dict[str, Any] = {
        "mapping": 1,
        "region": "330109",
        "store": {"engine": "sqlite", "url": "zc.sqlite", "mode": "indexed", "reread_s": 86_400, "reload_s": 86_400},
        "source": {"table": "zc"},
        "secrecy": {"column": "mj", "open": ["公开"]},
        "key": {"columns": ["dept", "id"]},
        "fields": {
            "code": "code",
            "name": "mc",
            "quantity": {"from_name": True, "value": "1"},
            "originalValue": {"column": "yz", "unit": "元"},
            "version": "bb",
            "updatedAt": "gxsj",
        },
        "index": {"refresh": "1d"},
    }
    if feed is not None:
        data["feed"] = feed
    if not legacy.url.startswith("sqlite"):
        data["store"] |= {"engine": legacy.url.partition(":")[0], "url": "\x00given:" + legacy.url}
    return parse_mapping(data, folder / "330109.toml")


async def told(store: IndexedStore) -> dict[str, Any]:
    """All that a store says of its rows; places in the quarantine bear the order of reading and are left out."""
    page = await store.page(PageRequest(None, (), 10_000))
    kept = [(sorted(map(repr, row.raw.items())), row.issues) for row in await store.quarantine(10_000, None)]
    quality = await store.quality()
    return {
        "rows": [{**row, "observedAt": None} for row in page.rows],
        "keys": page.native_values,
        "kept": sorted(kept, key=repr),
        "quality": (quality.rows, quality.listed, quality.quarantined, dict(quality.issues)),
        "groups": await store.groups(("status",), None),
        "count": await store.count(None),
    }


class CountedRows(SqlRows):
    """Counts how often the table is read as a whole."""

    loads = 0

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        self.loads += 1
        return await super().load(stamp, builder)


async def opened(
    legacy: Legacy, folder: Path, name: str, feed: dict[str, Any] | None
) -> tuple[IndexedStore, CountedRows]:
    source = CountedRows(mapping_of(legacy, folder, feed))
    store = IndexedStore(mapping_of(legacy, folder, feed), source, folder / name)
    await store.open()
    return store, source


async def check(legacy: Legacy, folder: Path, kind: str, before: list[Any], steps: list[Any]) -> None:
    await legacy.reset()
    for row in before:
        await legacy.apply(("insert", row))
    store, source = await opened(legacy, folder, "fed", KINDS[kind])
    try:
        for step in [*steps, ("feed",)]:
            if step == ("feed",):
                await store.refresh()
                assert (await store.health()).fault is None
            else:
                await legacy.apply(step)
        assert source.loads == 1, "changes are fed, never read as a whole"
        fed = await told(store)
    finally:
        await store.close()
    anew, _ = await opened(legacy, folder, "anew", None)
    try:
        assert fed == await told(anew)
    finally:
        await anew.close()


def on_sqlite(folder: Path) -> Legacy:
    return Legacy(
        create_async_engine(f"sqlite+aiosqlite:///{folder / 'zc.sqlite'}", poolclass=sa.pool.NullPool), "sqlite"
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(ROWS, max_size=8), steps=STEPS)
@example(before=[keyed("2"), keyed("2 ")], steps=[("feed",), ("delete", 1)])
@example(before=[keyed("2"), keyed("2 ")], steps=[("delete", 2), ("feed",), ("insert", keyed("2 "))])
@example(before=[keyed(None), keyed(None)], steps=[("delete", 1)])
def test_sqlite(kind: str, tmp_path_factory: pytest.TempPathFactory, before: list[Any], steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("fed")
    asyncio.run(check(on_sqlite(folder), folder, kind, before, steps))


def on_server(url: str, driver: str) -> Legacy:
    engine = create_async_engine(sa.make_url(url).set(drivername=driver), poolclass=sa.pool.NullPool)
    return Legacy(engine, url)


@pytest.mark.parametrize("kind", KINDS)
def test_postgresql(kind: str, postgres_database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    legacy = on_server(postgres_database, "postgresql+asyncpg")

    @settings(max_examples=12, deadline=None)
    @given(before=st.lists(ROWS, max_size=8), steps=STEPS)
    def any_changes(before: list[Any], steps: list[Any]) -> None:
        asyncio.run(check(legacy, tmp_path_factory.mktemp("fed"), kind, before, steps))

    any_changes()


@pytest.mark.parametrize("kind", KINDS)
def test_mariadb(kind: str, mariadb_database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    legacy = on_server(mariadb_database, "mysql+asyncmy")

    @settings(max_examples=6, deadline=None)
    @given(before=st.lists(ROWS, max_size=8), steps=STEPS)
    def any_changes(before: list[Any], steps: list[Any]) -> None:
        asyncio.run(check(legacy, tmp_path_factory.mktemp("fed"), kind, before, steps))

    any_changes()


# --- by the time of change ------------------------------------------------------------------------------------------


async def test_times_within_the_overlap_are_never_lost(tmp_path: Path) -> None:
    """A row that was committed late, or by a clock that is behind, bears a time before what has been seen already; and a
    time in the future, which somebody mistyped, does not make the feed blind for the present."""
    legacy = on_sqlite(tmp_path)
    await legacy.reset()
    now = datetime.now(timezone(timedelta(hours=8)))

    async def put(number: int, age_s: float, name: str) -> None:
        moment = (now - timedelta(seconds=age_s)).strftime("%Y-%m-%d %H:%M:%S")
        async with legacy.engine.begin() as db:
            await db.execute(sa.text("DELETE FROM zc WHERE no = :no"), {"no": number})
            await db.execute(
                sa.text("INSERT INTO zc (no, dept, id, mc, mj, gxsj) VALUES (:no, 'd', :no, :mc, '公开', :gxsj)"),
                {"no": number, "mc": name, "gxsj": moment},
            )

    await put(1, 10_000, "旧")
    await put(2, 1, "新")
    await put(3, -10_000_000, "未来")
    store, source = await opened(legacy, tmp_path, "fed", {"by": "updated_at", "overlap": "5m", "key_scan": "30d"})
    try:
        for number, age_s in ((4, 200), (1, 250), (2, 1)):
            await put(number, age_s, f"改{number}")
            await store.refresh()
            assert {row["native"]: row["name"] for row in (await store.page(ALL)).rows}[f"d/{number}"] == f"改{number}"
        assert await store.count(None) == 4
        assert source.loads == 1
    finally:
        await store.close()


@pytest.mark.parametrize(("key_scan", "left"), [("30d", 1), ("0s", 0)])
async def test_keys_are_scanned_only_when_it_is_time(tmp_path: Path, key_scan: str, left: int) -> None:
    """What is gone shows by a scan of the keys, which `key_scan` says how often to make."""
    legacy = on_sqlite(tmp_path)
    await legacy.reset()
    await legacy.apply(("insert", {"dept": "d1", "id": "1", "code": None, "mc": "桌", "yz": None, "mj": "公开"}))
    store, _ = await opened(legacy, tmp_path, "fed", {"by": "updated_at", "key_scan": key_scan})
    try:
        await legacy.apply(("delete", 1))
        await store.refresh()
        assert await store.count(None) == left
    finally:
        await store.close()


async def test_the_first_rows_of_a_fed_store_are_shown_too(tmp_path: Path) -> None:
    legacy = on_sqlite(tmp_path)
    await legacy.reset()
    await legacy.apply(("insert", keyed("1")))
    (shown,) = await first_rows(mapping_of(legacy, tmp_path, {"by": "digest"}), 10)
    assert shown.raw["mc"] == "桌"
    assert shown.is_listed


@pytest.mark.parametrize("kind", ["updated_at", "version", "digest"])
async def test_a_row_that_becomes_secret_leaves_no_byte(tmp_path: Path, kind: str) -> None:
    legacy = on_sqlite(tmp_path)
    await legacy.reset()
    for number in range(1, 4):
        await legacy.apply(("insert", {**keyed(str(number)), "mc": f"未公开之物{number}"}))
    store, source = await opened(legacy, tmp_path, "fed", {"by": kind})
    try:
        await legacy.apply(("update", 2, {**keyed("2"), "mc": "未公开之物2", "mj": "秘密"}))
        await store.refresh()
        assert [row["name"] for row in (await store.page(ALL)).rows] == ["未公开之物1", "未公开之物3"]
        assert source.loads == 1
    finally:
        await store.close()
    assert "未公开之物2".encode() not in (tmp_path / "fed" / "330109.index.sqlite").read_bytes()
