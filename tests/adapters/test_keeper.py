"""The local index is kept by a task of its own: no request rebuilds it, none can break it, and only whole files count."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.index import IndexedStore
from adapters.index.build import COMPLETE
from adapters.index.lock import BuildLock
from adapters.model import StoreUnavailable
from adapters.status import HealthState
from tests.adapters.support import ALL, HandSource, mapping_of

ROWS = 2_000


@asynccontextmanager
async def opened(folder: Path, source: HandSource) -> AsyncIterator[IndexedStore]:
    store = IndexedStore(mapping_of(folder, store={"mode": "indexed", "reread_s": 86_400}), source, folder / "cache")
    await store.open()
    try:
        await store.refresh()
        yield store
    finally:
        source.go_on.set()
        await store.close()


async def inside(source: HandSource) -> None:
    """Wait until the reading thread stands in the middle of the rows."""
    await asyncio.to_thread(source.inside.wait)


async def test_requests_are_answered_while_the_index_is_built_anew(tmp_path: Path) -> None:
    source = HandSource(ROWS)
    async with opened(tmp_path, source) as store:
        source.token = "2"
        source.hold()
        building = asyncio.create_task(store.refresh())
        await inside(source)
        page = await store.page(ALL)
        assert {row["name"] for row in page.rows} == {"办公桌 1"}
        assert (await store.health()).state is HealthState.OK
        source.go_on.set()
        await building
        assert {row["name"] for row in (await store.page(ALL)).rows} == {"办公桌 2"}


async def test_a_request_that_is_given_up_leaves_the_building_alone(tmp_path: Path) -> None:
    """A request that waits for the first index is cancelled while a thread inserts."""
    source = HandSource(ROWS)
    source.hold()
    store = IndexedStore(mapping_of(tmp_path, store={"mode": "indexed"}), source, tmp_path / "cache")
    opening = asyncio.create_task(store.open())
    await inside(source)
    request = asyncio.create_task(store.count(None))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    source.go_on.set()
    await opening
    try:
        assert await store.count(None) == ROWS
        assert source.loads == 1
    finally:
        await store.close()


async def test_close_ends_a_building_and_waits_for_its_thread(tmp_path: Path) -> None:
    source = HandSource(ROWS)
    async with opened(tmp_path, source) as store:
        source.token = "2"
        source.hold()
        building = asyncio.create_task(store.refresh())
        await inside(source)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)  # it has told the builder to stop
        source.go_on.set()
        await closing
        assert source.ended.is_set()
        assert source.given < ROWS, "the thread goes at its next row"
        await building
    assert list((tmp_path / "cache").glob("*.building")) == []
    again = HandSource(ROWS)
    async with opened(tmp_path, again) as store:
        assert await store.count(None) == ROWS
        assert again.loads == 0, "the last good index stands"


async def test_a_loop_that_ends_does_not_close_a_database_under_its_thread(tmp_path: Path) -> None:
    """Whoever forgets to close: tasks are cancelled while the thread inserts."""
    source = HandSource(ROWS)
    source.hold()
    store = IndexedStore(mapping_of(tmp_path, store={"mode": "indexed"}), source, tmp_path / "cache")
    opening = asyncio.create_task(store.open())
    await inside(source)
    own = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    source.go_on.set()
    for task in own:
        task.cancel()
    await asyncio.gather(*own, return_exceptions=True)
    assert opening.cancelled()
    await asyncio.to_thread(source.ended.wait)
    assert not (tmp_path / "cache" / "330109.index.sqlite").exists()


async def test_without_an_index_a_fault_is_the_answer(tmp_path: Path) -> None:
    source = HandSource(ROWS)
    source.error = StoreUnavailable("the line is down")
    store = IndexedStore(mapping_of(tmp_path, store={"mode": "indexed"}), source, tmp_path / "cache")
    with pytest.raises(StoreUnavailable, match="the line is down"):
        await store.open()
    health = await store.health()
    assert health.state is HealthState.UNAVAILABLE
    assert health.fault and health.fault.code == "STORE_UNAVAILABLE"


async def test_a_state_that_cannot_prove_itself_and_is_far_shorter_is_refused_once(tmp_path: Path) -> None:
    source = HandSource(ROWS)
    source.is_proved_whole = False
    async with opened(tmp_path, source) as store:
        source.rows, source.token = ROWS // 2 - 1, "2"
        await store.refresh()
        await store.refresh()
        assert await store.count(None) == ROWS
        health = await store.health()
        assert health.state is HealthState.DEGRADED
        assert health.fault and health.fault.code == "EXPORT_SHRUNK"
        assert source.loads == 2, "a refused state is read once"
        source.rows, source.token = ROWS // 2, "3"
        await store.refresh()
        assert await store.count(None) == ROWS // 2
        assert (await store.health()).state is HealthState.OK


def cut(path: Path) -> None:
    """As a machine leaves a file that lost its power: its length, and nothing in the second half."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
        file.truncate(size)


def unfinished(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM meta WHERE name = ?", (COMPLETE,))
    db.close()


@pytest.mark.parametrize("harm", [cut, unfinished])
async def test_an_index_that_is_not_whole_is_not_trusted(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    async with opened(tmp_path, HandSource(ROWS)):
        pass
    harm(tmp_path / "cache" / "330109.index.sqlite")
    source = HandSource(ROWS)
    async with opened(tmp_path, source) as store:
        assert source.loads == 1
        assert len((await store.page(ALL)).rows) == ROWS


async def test_what_a_crash_left_behind_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "330109.deadbeef.building").write_bytes(b"half")
    async with opened(tmp_path, HandSource(ROWS)):
        assert list((tmp_path / "cache").glob("*.building")) == []


async def test_two_stores_of_one_folder_build_once(tmp_path: Path) -> None:
    first, second = HandSource(ROWS), HandSource(ROWS)
    first.hold()
    one = asyncio.create_task(_open_and_count(tmp_path, first))
    await inside(first)
    other = asyncio.create_task(_open_and_count(tmp_path, second))
    first.go_on.set()
    assert await one == await other == ROWS
    assert (first.loads, second.loads) == (1, 0)


async def _open_and_count(folder: Path, source: HandSource) -> int:
    async with opened(folder, source) as store:
        return await store.count(None)


def test_the_lock_is_of_one_holder(tmp_path: Path) -> None:
    one, other = BuildLock(tmp_path / "lock"), BuildLock(tmp_path / "lock")
    assert one.take()
    assert not other.take()
    one.release()
    assert other.take()
    other.release()


async def test_many_quarantined_rows_are_all_kept_back(tmp_path: Path) -> None:
    """More than one batch of them, in order."""
    rule = [{"name": "all", "when": {"column": "mc", "is": "not null"}}]
    mapping = mapping_of(tmp_path, store={"mode": "indexed"}, quarantine=rule)
    store = IndexedStore(mapping, HandSource(ROWS), tmp_path / "cache")
    await store.open()
    try:
        kept = await store.quarantine(ROWS + 1, None)
        assert [row.raw["id"] for row in kept] == [f"A{number:06}" for number in range(1, ROWS + 1)]
        assert {(row.issues[0]["code"], row.issues[0]["rule"]) for row in kept} == {
            ("QUARANTINE_RULE", "quarantine.all")
        }
        assert (await store.quality()).issues == {("QUARANTINE_RULE", None): ROWS}
    finally:
        await store.close()
