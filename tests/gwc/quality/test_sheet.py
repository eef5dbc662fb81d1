"""CSV as Excel takes it: the bytes, the quoting, and no cell that would be run."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from gwc.quality.sheet import CELL_LENGTH_MAX, ENCODINGS, open_sheet, shown


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("-12.50", "-12.50"),
        ("+3", "+3"),
        ("办公桌=1", "办公桌=1"),
        ("a\0b", "a\ufffdb"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_cell(cell: str, text: str) -> None:
    assert shown(cell) == text


def test_a_cell_that_is_too_long_is_cut_and_says_so() -> None:
    cut = shown("x" * 40_000)
    assert len(cut) == CELL_LENGTH_MAX and cut.endswith("…")


@pytest.mark.parametrize(
    ("encoding", "start"), [("utf-8-sig", b"\xef\xbb\xbf\xb1\xea"), ("gb18030", b"\xb1\xea\xca\xb6")]
)
def test_the_bytes(tmp_path: Path, encoding: str, start: bytes) -> None:
    """标识 in GB18030 is B1 EA CA B6; UTF-8 begins with the mark by which Excel knows it."""
    with open_sheet(tmp_path / "x.csv", encoding) as sheet:
        sheet.writerow(["标识", '𠮷, "野"\n家'])
    data = (tmp_path / "x.csv").read_bytes()
    assert data.startswith(start[:3] if encoding == "utf-8-sig" else start)
    assert data.decode(encoding) == '标识,"𠮷, ""野""\n家"\r\n'


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=2, max_size=2), max_size=4
    )
)
def test_nothing_is_lost_in_any_encoding(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for encoding in ENCODINGS:
        with open_sheet(path, encoding) as sheet:
            for row in rows:
                sheet.writerow(row)
        with path.open(encoding=encoding, newline="") as file:
            assert list(csv.reader(file, strict=True)) == [[shown(cell) for cell in row] for row in rows]


def test_no_half_file_stands_there(tmp_path: Path) -> None:
    (path := tmp_path / "x.csv").write_text("the last good one")

    def write_half() -> None:
        with open_sheet(path, "utf-8-sig") as sheet:
            sheet.writerow(["half"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("x.csv", "the last good one")]


def test_a_workbook_has_texts_as_texts_and_numbers_as_numbers(tmp_path: Path) -> None:
    row: list[str | Decimal] = ["=1+1", "办公桌", "0012", "a\x01b", Decimal("12.50"), Decimal("1234567890123456.78")]
    with open_sheet(tmp_path / "x.xlsx", "utf-8-sig") as sheet:
        sheet.writerow(row)
    found: Any = load_workbook(tmp_path / "x.xlsx").active
    assert [cell.value for cell in found[1]] == ["'=1+1", "办公桌", "0012", "a\ufffdb", 12.5, "1234567890123456.78"]
    assert [file.name for file in tmp_path.iterdir()] == ["x.xlsx"]


def test_a_number_in_csv_is_spelled_out(tmp_path: Path) -> None:
    with open_sheet(tmp_path / "x.csv", "utf-8-sig") as sheet:
        sheet.writerow([Decimal("1E+3"), Decimal("-12.50")])
    assert (tmp_path / "x.csv").read_text("utf-8-sig") == "1000,-12.50\n"
