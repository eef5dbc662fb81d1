"""A store is advised to be indexed exactly where it would have to read all rows for a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.index.advice import Advice, advice
from tests.adapters.support import mapping_of, table_of


async def advised(folder: Path, **more: Any) -> list[Advice]:
    store = open_store(mapping_of(folder, **more), cache_dir=folder / "cache")
    await store.open()
    try:
        return await advice(store)
    finally:
        await store.close()


async def test_a_store_that_does_it_all_by_itself(tmp_path: Path) -> None:
    table_of(tmp_path, [("A1", "桌")])
    found = await advised(tmp_path)
    assert "a page in key order" not in "".join(one.message for one in found)


async def test_a_name_that_the_store_cannot_look_for(tmp_path: Path) -> None:
    table_of(tmp_path, [("A1", "桌")])
    (found,) = await advised(tmp_path, fields={"name": {"column": "mc", "default": "无名"}})
    assert found.code == "USE_INDEX"
    assert "the order of name, a filter by name" in found.message
    assert found.remedy == 'write mode = "indexed" in [store]'


@pytest.mark.parametrize(
    ("fields", "by"), [({"updatedAt": "sj"}, "updated_at"), ({"version": "bb"}, "version"), ({}, "digest")]
)
async def test_an_indexed_store_without_a_feed(tmp_path: Path, fields: dict[str, str], by: str) -> None:
    table_of(tmp_path, [("A1", "桌", "2020-01-02", 1)], "id TEXT, mc TEXT, sj TEXT, bb INTEGER")
    more: dict[str, Any] = {"store": {"mode": "indexed"}, "fields": fields}
    (found,) = await advised(tmp_path, **more)
    assert (found.code, found.remedy) == (
        "USE_FEED",
        f'add [feed] with by = "{by}", so that only what has changed is read',
    )
    assert await advised(tmp_path, **more, feed={"by": by}) == []
