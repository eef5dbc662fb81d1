"""Sheets that a spreadsheet opens right: CSV in an encoding it knows, or xlsx; no cell that it would run as a formula.

`utf-8-sig` has a byte order mark, by which Excel knows UTF-8. `gb18030` is what Excel on a Chinese Windows takes a CSV
for; it has every character, but Excel reads it as GBK, so the rare ones (of four bytes) show right only elsewhere.
A workbook (xlsx) is written row by row, and memory does not grow with it; numbers in it are numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TextIO

__all__ = ["ENCODINGS", "Cell", "Sheet", "TooManyRows", "open_sheet", "shown"]

ENCODINGS = ("utf-8-sig", "gb18030")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula."""
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML has no way to say."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
CELL_LENGTH_MAX = 32_767
"""Excel's own bound."""


Cell = str | Decimal
WORKBOOK_ROWS_MAX = 1_048_576
"""Excel's own bound."""
NUMBER_DIGITS_MAX = 15
"""Longer numbers a workbook would round: they are given as text."""


class TooManyRows(ValueError):
    """A workbook has no room for as many rows."""


class Sheet(Protocol):
    def writerow(self, row: Sequence[Cell], /) -> object: ...


class _Csv:
    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\r\n")

    def writerow(self, row: Sequence[Cell], /) -> object:
        return self._writer.writerow([shown(cell) if isinstance(cell, str) else f"{cell:f}" for cell in row])


class _Workbook:
    def __init__(self) -> None:
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet()
        self._rows = 0

    def writerow(self, row: Sequence[Cell], /) -> object:
        self._rows += 1
        if self._rows > WORKBOOK_ROWS_MAX:
            raise TooManyRows(f"a workbook has {WORKBOOK_ROWS_MAX} rows")
        return self._sheet.append([_in_workbook(cell) for cell in row])

    def save(self, path: Path) -> None:
        self._book.save(path)


def _in_workbook(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return _UNWRITABLE.sub("\ufffd", shown(cell))
    return cell if len(cell.as_tuple().digits) <= NUMBER_DIGITS_MAX else f"{cell:f}"


def shown(cell: str) -> str:
    """The cell as a spreadsheet shows it: a formula as its text, behind an apostrophe; plain numbers as they are."""
    text = cell.replace("\0", "\ufffd")
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return text if len(text) <= CELL_LENGTH_MAX else f"{text[: CELL_LENGTH_MAX - 1]}…"


@contextmanager
def open_sheet(path: Path, encoding: str) -> Iterator[Sheet]:
    """Rows go to a file beside `path`, which takes its place at the end: no half report ever stands there. A path that
    ends in .xlsx is a workbook, to which `encoding` means nothing; every other is CSV."""
    building = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".xlsx":
            workbook = _Workbook()
            yield workbook
            workbook.save(building)
        else:
            with building.open("w", encoding=encoding, errors="replace", newline="") as file:
                yield _Csv(file)
        building.replace(path)
    finally:
        building.unlink(missing_ok=True)
