"""An Excel workbook as a store: one sheet a unit, title and group rows above the headings, totals between the rows.

Cells are read as Excel last computed them (a formula's cached value). Which rows are assets is settled by the mapping
(`row_when = "number"`: those with a number in the first column); which sheets, by leaving out the others. A title row
may say more than the cells do, such as the unit's credit code: captions cut it out. Merged headings are the reason
why columns may also be named by their letter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from adapters.index import IndexBuilder, SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Listing, Mapping
from adapters.model import StoreUnavailable
from adapters.sides import listing_entries

__all__ = ["XlsxSource"]

_SHEET = "@sheet"


class XlsxSource:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._path = Path(mapping.store.url)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def stamp(self) -> SourceStamp:
        try:
            status = await asyncio.to_thread(self._path.stat)
        except OSError:
            raise StoreUnavailable(f"{self._path.name} is not there") from None
        token = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        return SourceStamp(token, datetime.fromtimestamp(status.st_mtime, UTC))

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        return await asyncio.to_thread(self._load, builder)

    def _load(self, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        try:
            workbook = CalamineWorkbook.from_path(str(self._path))
            building = builder(self._sides(workbook))
            for sheet in self._unit_sheets(workbook):
                building.add(self._rows(workbook, sheet))
            return building
        except StoreUnavailable:
            raise
        except Exception as error:  # a half-written or foreign file fails in many ways inside the reader
            raise StoreUnavailable(f"{self._path.name} cannot be read as a workbook ({type(error).__name__})") from None

    def _unit_sheets(self, workbook: CalamineWorkbook) -> list[str]:
        return [name for name in workbook.sheet_names if name not in self._mapping.file.sheets_except]

    def _rows(self, workbook: CalamineWorkbook, sheet: str) -> Iterator[tuple[Any, ...]]:
        layout = self._mapping.file
        grid = _grid(workbook, sheet)
        if len(grid) < layout.header_row:
            raise StoreUnavailable(f"sheet {sheet!r} has no row {layout.header_row} of headings")
        headings = {str(cell).strip(): at for at, cell in reversed(list(enumerate(grid[layout.header_row - 1])))}
        said = {_SHEET: sheet, **self._captions(grid)}
        places = [self._place(column, headings, said, sheet) for column in self._mapping.columns]
        for cells in grid[layout.header_row :]:
            if layout.row_when == "number" and not _is_number(cells[0] if cells else None):
                continue
            if all(cell in ("", None) for cell in cells):
                continue
            yield tuple(
                place if isinstance(place, str) else _value(cells[place]) if place < len(cells) else None
                for place in places
            )

    def _place(self, column: str, headings: dict[str, int], said: dict[str, str], sheet: str) -> int | str:
        """A column's place, or the text that the workbook says for all of the sheet's rows."""
        if column.startswith("@"):
            return said.get(column, "")
        letters = self._mapping.file.columns.get(column)
        if letters is not None:
            return _letters_to_index(letters)
        if column not in headings:
            raise StoreUnavailable(f"sheet {sheet!r} has no column {column!r}")
        return headings[column]

    def _captions(self, grid: list[list[Any]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for caption in self._mapping.file.captions:
            row = grid[caption.row - 1] if caption.row <= len(grid) else []
            text = "".join(str(cell) for cell in row if cell not in ("", None))
            _, mark, rest = text.partition(caption.after)
            inner, end, _ = rest.partition(caption.before)
            found[caption.name] = inner if mark and end else ""
        return found

    def _sides(self, workbook: CalamineWorkbook) -> SideTables:
        side = SideTables()
        side.units = self._listing(self._mapping.units, workbook)
        side.warehouses = self._listing(self._mapping.warehouses, workbook)
        return side

    def _listing(self, listing: Listing, workbook: CalamineWorkbook) -> dict[str, dict[str, Any]]:
        if listing.origin == "sheets":
            sheets = self._unit_sheets(workbook)
            return listing_entries(
                listing, ({_SHEET: name, **self._captions(_grid(workbook, name))} for name in sheets)
            )
        if listing.origin == "table":
            if listing.table not in workbook.sheet_names:
                raise StoreUnavailable(f"the workbook has no sheet {listing.table!r}")
            grid = _grid(workbook, listing.table)
            headings = [str(cell).strip() for cell in grid[0]] if grid else []
            return listing_entries(listing, (dict(zip(headings, map(_value, row), strict=False)) for row in grid[1:]))
        return {}


def _grid(workbook: CalamineWorkbook, sheet: str) -> list[list[Any]]:
    """All cells from A1 on: row and column numbers are those Excel shows."""
    return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _value(cell: Any) -> Any:
    """A cell as a native value: whole numbers without a fraction, empty cells as null, times as Excel shows them."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, dt.timedelta | dt.time):
        return str(cell)
    return cell


def _letters_to_index(letters: str) -> int:
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
