"""CSV as records with the number of the line each begins in; broken quotes cost their own line and no other.

A quote that is opened and never closed swallows what follows: other rows would stand in one of its cells, secret ones
too. So quotes are read strictly (behind a closing one there is a comma or the end of the record), and a cell over
several lines with as many commas as a row has is taken for rows that were swallowed. Where a record is broken, the line
it began in is given back as text, and reading goes on in the next one.

    lines ─▶ csv.reader ─▶ a record            the lines it was made of are forgotten
                └─ broken ─▶ its first line as text; the others are read again, as if nothing had come before them
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

__all__ = ["CELL_CHARACTERS_MAX", "Record", "records"]

CELL_CHARACTERS_MAX: Final = 1 << 20
"""As far as an opened quote is followed."""

Record: TypeAlias = tuple[int, list[str] | str]
"""The number of its first line, and its cells; or that line as text, where no record can be read."""


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The first record says how many cells a row has."""
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    source = _Lines(lines)
    number, width = 1, 0
    while True:
        try:
            for cells in csv.reader(source, strict=True):
                taken = len(source.taken)
                if taken > 1 and _has_swallowed(cells, width):
                    break
                yield number, cells
                width = width or len(cells)
                number += taken
                source.taken.clear()
            else:
                return
        except csv.Error:
            pass
        yield number, source.give_back().rstrip("\r\n")
        number += 1


def _has_swallowed(cells: list[str], width: int) -> bool:
    return width > 1 and any(("\n" in cell or "\r" in cell) and cell.count(",") >= width - 1 for cell in cells)


class _Lines:
    """Lines that are kept in mind until they have made a record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """All of them but the first, which is told."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self.taken.clear()
        return first
