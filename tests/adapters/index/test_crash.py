"""Whoever keeps an index may die at any moment, lack room, or not be alone: the last good index stands, or the new one."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters.model import PageRequest, Store, StoreUnavailable
from tests.adapters.index.victim import AwaySource, Victim, mapping, opened
from tests.adapters.support import table_of

ROWS = 600
DEATHS = 8
ALL = PageRequest(None, (), 10_000)
COLUMNS = "id TEXT PRIMARY KEY, mc TEXT, bm TEXT, bb INTEGER"
FEEDS = (None, "version", "digest")


def row(number: int, version: int) -> tuple[Any, ...]:
    """Every tenth shares its code with another."""
    return f"A{number:05}", f"办公桌 {version}", f"C{number // 10 * 10 if number % 10 == 1 else number}", version


def run(folder: Path, cache: str, feed: str | None, bytes_max: int | None = None) -> dict[str, Any]:
    found = Victim(folder, cache, feed, bytes_max=bytes_max).told()
    assert found is not None
    return found


def change(folder: Path) -> None:
    """A third of the rows changes, a third goes, as many come."""
    with sqlite3.connect(folder / "zc.sqlite") as db:
        db.execute("DELETE FROM zc WHERE rowid % 3 = 0")
        db.executemany(
            "UPDATE zc SET mc = ?, bb = ? WHERE id = ?", [(*row(n, 2)[1::2], f"A{n:05}") for n in range(200)]
        )
        db.executemany("INSERT INTO zc VALUES (?, ?, ?, ?)", [row(n, 2) for n in range(ROWS, ROWS + 200)])
    db.close()


async def content(store: Store) -> list[Any]:
    rows = [{**row, "observedAt": None} for row in (await store.page(ALL)).rows]
    quality = await store.quality()
    return [rows, await store.count(None), quality.listed, dict(quality.issues)]


def found(folder: Path, cache: str, feed: str | None) -> list[Any] | None:
    """What an index tells whose store is away."""
    mapped = mapping(folder, feed)

    async def look() -> list[Any] | None:
        try:
            async with opened(AwaySource(mapped), mapped, folder, cache) as store:
                return await content(store)
        except StoreUnavailable:
            return None

    return asyncio.run(look())


@pytest.mark.parametrize("feed", FEEDS)
def test_killed_at_any_moment(tmp_path: Path, feed: str | None) -> None:
    table_of(tmp_path, [row(number, 1) for number in range(ROWS)], COLUMNS)
    run(tmp_path, "old", feed)
    before = found(tmp_path, "old", feed)
    change(tmp_path)
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    counted = run(tmp_path, "new", feed)
    assert counted["loads"] == (1 if feed is None else 0)
    after = found(tmp_path, "new", feed)
    assert before != after
    left = []
    for death in range(DEATHS):
        cache, die_at = f"died{death}", 1 + counted["calls"] * death // DEATHS
        shutil.copytree(tmp_path / "old", tmp_path / cache)
        assert Victim(tmp_path, cache, feed, die_at).told() is None
        left.append(found(tmp_path, cache, feed))
        assert left[-1] in (before, after), f"neither the old nor the new at call {die_at} of {counted['calls']}"
        run(tmp_path, cache, feed)
        assert found(tmp_path, cache, feed) == after
    assert before in left, "some died before the new one stood"


def test_killed_while_the_first_index_is_built(tmp_path: Path) -> None:
    table_of(tmp_path, [row(number, 1) for number in range(ROWS)], COLUMNS)
    counted = run(tmp_path, "whole", None)
    whole = found(tmp_path, "whole", None)
    for death in range(DEATHS):
        cache, die_at = f"died{death}", 1 + counted["calls"] * death // DEATHS
        assert Victim(tmp_path, cache, None, die_at).told() is None
        assert found(tmp_path, cache, None) in (None, whole)


@pytest.mark.parametrize("feed", [None, "version"])
def test_no_room_for_a_newer_index(tmp_path: Path, feed: str | None) -> None:
    table_of(tmp_path, [row(number, 1) for number in range(20)], COLUMNS)
    run(tmp_path, "cache", feed)
    before = found(tmp_path, "cache", feed)
    with sqlite3.connect(tmp_path / "zc.sqlite") as db:
        db.executemany("INSERT INTO zc VALUES (?, ?, ?, ?)", [row(n, 1) for n in range(20, ROWS)])
    db.close()
    room = (tmp_path / "cache" / "330109.index.sqlite").stat().st_size + 65_536
    told = run(tmp_path, "cache", feed, bytes_max=room)
    assert (told["count"], told["fault"]) == (20, "INDEX_NOT_WRITTEN")
    assert found(tmp_path, "cache", feed) == before
    assert run(tmp_path, "cache", feed)["count"] == ROWS


def test_two_processes_build_once(tmp_path: Path) -> None:
    table_of(tmp_path, [row(number, 1) for number in range(ROWS)], COLUMNS)
    told = [one.told() for one in [Victim(tmp_path, "cache", None) for _ in range(2)]]
    assert [one and one["count"] for one in told] == [ROWS, ROWS]
    assert sum(one["loads"] for one in told if one) == 1
