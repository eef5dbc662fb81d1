"""CSV as exporters write it: encodings with and without a mark, quoted cells, columns in another order each night."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.index import IndexedStore
from tests.adapters.support import ALL, mapping_of

HEADINGS = ("id", "mc", "cfdd", "yz")
ROWS = [
    ("A1", "办公桌，带柜", "3号楼,305室", "1,200.50"),
    ("A2", '27"显示器', "一层\n东侧", ""),
    ("A3", "椅𠮷", " 库房 ", "80"),
]
MAPPING: dict[str, Any] = {
    "store": {"engine": "csv", "url": "drop", "reread_s": 86_400},
    "source": {"table": "zc"},
    "fields": {"name": "mc", "location": "cfdd", "originalValue": {"column": "yz", "unit": "元"}},
}
LISTED = [
    ("A1", "办公桌，带柜", "3号楼,305室", "1200.50"),
    ("A2", '27"显示器', "一层\n东侧", None),
    ("A3", "椅𠮷", "库房", "80.00"),
]


def export(folder: Path, name: str, encoding: str, order: Sequence[int] = (0, 1, 2, 3), end: str = "\r\n") -> Path:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end)
    for row in (HEADINGS, *ROWS):
        writer.writerow([row[at] for at in order])
    path = folder / "drop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(out.getvalue().encode(encoding))
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


@asynccontextmanager
async def opened(folder: Path, **more: Any) -> AsyncIterator[IndexedStore]:
    store = open_store(mapping_of(folder, **{**MAPPING, **more}), cache_dir=folder / "cache")
    assert isinstance(store, IndexedStore)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def listed(store: IndexedStore) -> list[tuple[Any, ...]]:
    rows = (await store.page(ALL)).rows
    assert not any(row["issues"] for row in rows)
    return [(row["native"], row["name"], row["location"], row["originalValue"]) for row in rows]


@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["crlf", "lf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "mark"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
async def test_the_same_rows_in_every_encoding(tmp_path: Path, encoding: str, mark: str, end: str) -> None:
    path = export(tmp_path, "1.csv", encoding, end=end)
    status = path.stat()
    path.write_bytes(mark.encode(encoding) + path.read_bytes())
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    async with opened(tmp_path) as store:
        assert await listed(store) == LISTED


async def test_another_order_of_columns_and_another_encoding_each_night(tmp_path: Path) -> None:
    export(tmp_path, "1.csv", "gb18030")
    async with opened(tmp_path) as store:
        for night, (encoding, order) in enumerate((("utf-8-sig", (3, 1, 0, 2)), ("gb18030", (2, 3, 1, 0))), start=2):
            export(tmp_path, f"{night}.csv", encoding, order)
            await store.refresh()
            assert await listed(store) == LISTED
            assert (await store.health()).fault is None


@pytest.mark.parametrize("cut", range(1, 60, 3))
async def test_a_file_cut_anywhere_never_takes_over_as_half_a_store(tmp_path: Path, cut: int) -> None:
    """Wherever the transfer broke off, be it within the last cell, the older export stays. Of the last line break one
    byte may be missing: then all is there."""
    export(tmp_path, "1.csv", "gb18030")
    (tmp_path / "drop" / "1.ok").write_text("3")
    async with opened(tmp_path, file={"ready_suffix": ".ok"}) as store:
        path = export(tmp_path, "2.csv", "gb18030")
        (tmp_path / "drop" / "2.ok").write_text("3")
        os.truncate(path, path.stat().st_size - cut)
        await store.refresh()
        fault = (await store.health()).fault
        assert await listed(store) == LISTED
        if cut > 1:
            assert fault is not None


async def test_an_exporter_that_ends_no_last_line(tmp_path: Path) -> None:
    path = export(tmp_path, "1.csv", "utf-8")
    status = path.stat()
    path.write_bytes(path.read_bytes().rstrip())
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    async with opened(tmp_path, file={"final_newline": False}) as store:
        assert await listed(store) == LISTED
