"""Exports that come half, in another encoding, or otherwise than the night before never yield half a store."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.index import IndexBuilder, IndexedStore
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper
from adapters.model import StoreUnavailable
from adapters.tabular.csv import CsvSource
from tests.adapters.support import ALL, mapping_of

LONG_AGO_S = 3600
ROWS = 40


@asynccontextmanager
async def opened(folder: Path, **store: Any) -> AsyncIterator[IndexedStore]:
    mapping = mapping_of(
        folder,
        store={"engine": "csv", "url": "drop", "reread_s": 86_400, **store},
        fields={"brand": "pp"},
        source={"table": ""},
    )
    found = open_store(mapping, cache_dir=folder / "cache")
    assert isinstance(found, IndexedStore)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def export(
    folder: Path, name: str, columns: Sequence[str] = ("id", "mc", "pp"), encoding: str = "gb18030", head: bool = True
) -> None:
    values = [{"id": f"A{number}", "mc": f"办公桌{number}", "pp": "联想"} for number in range(ROWS)]
    lines = [",".join(columns)] * head + [",".join(value[column] for column in columns) for value in values]
    path = folder / "drop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    os.utime(path, (time.time() - LONG_AGO_S,) * 2)


async def names(store: IndexedStore) -> list[tuple[str, str]]:
    return [(row["name"], row["brand"]) for row in (await store.page(ALL)).rows]


async def test_columns_in_another_order_and_encoding_each_night(tmp_path: Path) -> None:
    export(tmp_path, "0.csv")
    async with opened(tmp_path) as store:
        before = await names(store)
        assert len(before) == ROWS
        shuffled = random.Random(1)
        for night, encoding in enumerate(("utf-8", "gb18030", "utf-8-sig", "gb18030"), start=1):
            export(tmp_path, f"{night}.csv", shuffled.sample(("id", "mc", "pp"), 3), encoding)
            await store.refresh()
            assert (await store.health()).fault is None
            assert await names(store) == before


@pytest.mark.parametrize(
    ("newer", "code", "message"),
    [
        ({"encoding": "utf-8"}, "ENCODING_CHANGED", r"2.csv is UTF-8 where the mapping says gb18030"),
        ({"encoding": "utf-8-sig"}, "ENCODING_CHANGED", r"2.csv is UTF-8 where the mapping says gb18030"),
        ({"encoding": "utf-16"}, "SOURCE_REFUSED", r"2.csv is not gb18030"),
        ({"head": False}, "SOURCE_REFUSED", r"2.csv has no column id, mc, pp"),
        ({"columns": ("id", "mc")}, "SOURCE_REFUSED", r"2.csv has no column pp"),
    ],
)
async def test_the_last_good_export_stays(tmp_path: Path, newer: dict[str, Any], code: str, message: str) -> None:
    export(tmp_path, "1.csv")
    async with opened(tmp_path, encoding="gb18030") as store:
        before = await names(store)
        export(tmp_path, "2.csv", **newer)
        await store.refresh()
        assert await names(store) == before
        fault = (await store.health()).fault
        assert fault is not None
        assert (fault.code, fault.message) == (code, message)


async def test_a_file_that_is_written_while_it_is_read(tmp_path: Path) -> None:
    export(tmp_path, "1.csv")
    mapping = mapping_of(tmp_path, store={"engine": "csv", "url": "drop"}, fields={"brand": "pp"}, source={"table": ""})
    source = CsvSource(mapping)

    def builder(side: SideTables) -> IndexBuilder:
        """Called when the file has been chosen; its writer comes back then."""
        with (tmp_path / "drop" / "1.csv").open("ab") as file:
            file.write("\r\nA99,柜,联想".encode("gb18030"))
        return IndexBuilder(tmp_path / "building", RowMapper(mapping, side))

    with pytest.raises(StoreUnavailable, match="has changed while it was read"):
        await source.load(await source.stamp(), builder)
