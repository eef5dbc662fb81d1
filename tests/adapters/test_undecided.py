"""What cannot be read cannot be judged: it is counted with its number, and nothing of it is kept, shown or logged."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters import open_store
from adapters.kit.raw import first_rows
from adapters.mapping.model import Mapping
from adapters.model import Store
from tests.adapters.rest.interface import Interface, opened, served
from tests.adapters.support import ALL, mapping_of
from tests.adapters.test_files import workbook

SECRET = "密件柜九"
HEAD = ("id", "mc", "mj")
OPEN: dict[str, Any] = {"secrecy": {"column": "mj", "open": ["公开"]}}


def exported(folder: Path, *lines: str) -> Mapping:
    (folder / "drop").mkdir()
    path = folder / "drop" / "1.csv"
    path.write_text("".join(f"{line}\n" for line in (",".join(HEAD), *lines)), encoding="gb18030")
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    return mapping_of(folder, store={"engine": "csv", "url": "drop", "reread_s": 86_400}, **OPEN)


@asynccontextmanager
async def opened_at(mapping: Mapping, cache: Path) -> AsyncIterator[Store]:
    store = open_store(mapping, cache_dir=cache)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def files_below(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


async def check(store: Store, cache: Path, numbers: list[int], listed: list[str]) -> None:
    """Counted in the report and in the health, told by number, and no trace of the text anywhere."""
    assert [row["native"] for row in (await store.page(ALL)).rows] == listed
    report, kept = await store.quality(), await store.quarantine(10, None)
    assert report.issues[("MALFORMED_ROW", None)] == report.quarantined == len(numbers)
    assert (await store.health()).unreadable == len(numbers)
    assert [dict(row.raw) for row in kept] == [{"line": number} for number in numbers]
    assert [(issue["code"], issue["raw"]) for row in kept for issue in row.issues] == [("MALFORMED_ROW", None)] * len(
        numbers
    )
    for content in files_below(cache):
        assert SECRET.encode() not in content


async def check_preview(mapping: Mapping, numbers: list[int]) -> None:
    rows = await first_rows(mapping, 100)
    assert SECRET not in repr(rows)
    assert [row.raw for row in rows if not row.is_listed] == [{"line": number} for number in numbers]


@pytest.mark.parametrize(
    "broken", [f"9,{SECRET}", f"9,{SECRET},x,涉密", f'9,"{SECRET},涉密', f'9,"{SECRET}"柜,公开'],
    ids=["too few", "too many", "never closed", "behind a quote"],
)  # fmt: skip
async def test_a_line_that_is_no_row(tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    mapping = exported(tmp_path, "1,桌,公开", broken, f"8,{SECRET},涉密", "2,椅,公开")
    async with opened_at(mapping, tmp_path / "cache") as store:
        await check(store, tmp_path / "cache", [3], ["1", "2"])
    await check_preview(mapping, [3])
    assert SECRET not in caplog.text


async def test_a_line_that_is_no_row_where_nothing_can_be_secret(tmp_path: Path) -> None:
    exported(tmp_path, "1,桌,公开", "9,台灯")
    mapping = mapping_of(tmp_path, store={"engine": "csv", "url": "drop", "reread_s": 86_400})
    async with opened_at(mapping, tmp_path / "cache") as store:
        (kept,) = await store.quarantine(10, None)
        assert dict(kept.raw) == {"line": 3, "text": "9,台灯"}


async def test_a_row_of_a_workbook_whose_secrecy_is_an_error_or_was_never_computed(tmp_path: Path) -> None:
    workbook(
        tmp_path,
        {
            "一": [HEAD, ("1", "桌", "公开"), ("8", SECRET, "#REF!"), ("9", SECRET, '="公"&"开"'), ("7", SECRET, None)],
            "二": [HEAD, ("6", SECRET, "#N/A"), ("2", "椅", "公开")],
        },
    )
    mapping = mapping_of(tmp_path, store={"engine": "xlsx", "url": "book.xlsx", "reread_s": 86_400}, **OPEN)
    async with opened_at(mapping, tmp_path / "cache") as store:
        await check(store, tmp_path / "cache", [3, 4, 2], ["1", "2"])
    await check_preview(mapping, [3, 4, 2])


async def test_a_document_whose_secrecy_is_no_single_value(tmp_path: Path) -> None:
    documents = [
        {"id": "1", "mc": "桌", "mj": "公开"},
        {"id": "8", "mc": SECRET, "mj": ["公开"]},
        {"id": "9", "mc": SECRET, "mj": {"级": "公开"}},
        {"id": "7", "mc": SECRET},
        {"id": "2", "mc": "椅", "mj": "公开"},
    ]
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "zc.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in documents))
    mapping = mapping_of(
        tmp_path, store={"engine": "jsonl", "url": "drop", "reread_s": 86_400}, file={"settle_s": 0}, **OPEN
    )
    async with opened_at(mapping, tmp_path / "cache") as store:
        await check(store, tmp_path / "cache", [2, 3], ["1", "2"])
    await check_preview(mapping, [2, 3])


async def test_an_interfaces_rows_and_what_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do secret rows lie on the disk while the other pages are fetched."""
    (tmp_path / "pages").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "pages"))
    interface = Interface(
        [
            {"id": "1", "mc": "桌", "mj": "公开"},
            f"9 {SECRET}",
            {"id": "8", "mc": SECRET, "mj": ["公开"]},
            {"id": "7", "mc": SECRET, "mj": "涉密"},
            {"id": "2", "mc": "椅", "mj": "公开"},
        ]
    )
    seen: list[bytes] = []
    interface.before = lambda number: seen.extend(files_below(tmp_path / "pages"))
    async with served(interface), opened(tmp_path, interface, **OPEN) as found:
        await check(found.store, tmp_path / "cache", [2, 3], ["1", "2"])
    assert any("桌".encode() in content for content in seen), "pages lie on the disk"
    assert not any(SECRET.encode() in content for content in seen)
