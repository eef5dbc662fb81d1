"""CSV that a spreadsheet opens right: an encoding it knows, and no cell that it would run as a formula.

`utf-8-sig` has a byte order mark, by which Excel knows UTF-8. `gb18030` is what Excel on a Chinese Windows takes a CSV
for; it has every character, but Excel reads it as GBK, so the rare ones (of four bytes) show right only elsewhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

__all__ = ["ENCODINGS", "Sheet", "open_sheet", "shown"]

ENCODINGS = ("utf-8-sig", "gb18030")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
CELL_LENGTH_MAX = 32_767
"""Excel's own bound."""


class Sheet(Protocol):
    def writerow(self, row: Sequence[str], /) -> object: ...


class _Guarded:
    def __init__(self, writer: Sheet) -> None:
        self._writer = writer

    def writerow(self, row: Sequence[str], /) -> object:
        return self._writer.writerow([shown(cell) for cell in row])


def shown(cell: str) -> str:
    """The cell as a spreadsheet shows it: a formula as its text, behind an apostrophe; plain numbers as they are."""
    text = cell.replace("\0", "\ufffd")
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return text if len(text) <= CELL_LENGTH_MAX else f"{text[: CELL_LENGTH_MAX - 1]}…"


@contextmanager
def open_sheet(path: Path, encoding: str) -> Iterator[Sheet]:
    """Rows go to a file beside `path`, which takes its place at the end: no half report ever stands there."""
    building = path.with_name(f".{path.name}.part")
    try:
        with building.open("w", encoding=encoding, errors="replace", newline="") as file:
            yield _Guarded(csv.writer(file, lineterminator="\r\n"))
        building.replace(path)
    finally:
        building.unlink(missing_ok=True)
