"""An Excel workbook as a store: one sheet a unit, title and group rows above the headings, totals between the rows.

Cells are read as Excel last computed them (a formula's cached value); a cell that shows an error (`#REF!`) is that text,
a formula that was never computed is its own text: no field's reader takes either for "not recorded" (see `parts`). Which rows are assets is settled by the mapping
(`row_when = "number"`: those with a number in the first column, also one kept as text); which sheets, by leaving out the
others, the hidden ones first of all. A title row
may say more than the cells do, such as the unit's credit code: captions cut it out. Merged headings are the reason
why columns may also be named by their letter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from adapters.index import BuildStopped, IndexBuilder, IndexedStore, SourceStamp, add_numbered
from adapters.index.numbered import Numbered
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Listing, Mapping
from adapters.mapping.numbers import read_decimal
from adapters.mapping.values import Unread
from adapters.model import SourceRefused, Store, StoreUnavailable
from adapters.sides import listing_entries
from adapters.tabular.parts import SheetNotes, TooLarge, letters_to_index, sheet_notes
from adapters.tabular.reach import Reach

__all__ = ["XlsxSource", "open_xlsx"]

_SHEET = "@sheet"
Merged = tuple[tuple[int, int], tuple[int, int]]
"""(row, column) of the first and the last cell, from 0."""


def open_xlsx(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, XlsxSource(mapping), cache_dir)


class XlsxSource:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._path = Path(mapping.store.url)
        self._reach = Reach("the workbook's folder", mapping.store.guest.statement_timeout_s)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def stamp(self) -> SourceStamp:
        try:
            status = await self._reach.ask(self._path.stat)
        except OSError:
            raise StoreUnavailable(f"{self._path.name} is not there") from None
        token = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        return SourceStamp(token, datetime.fromtimestamp(status.st_mtime, UTC))

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        return await asyncio.to_thread(self._load, builder)

    def _load(self, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        try:
            workbook = _Workbook(self._path)
            building = builder(self._sides(workbook))
            for sheet in self._unit_sheets(workbook):
                add_numbered(building, self._rows(workbook, sheet))
            return building
        except (StoreUnavailable, BuildStopped):
            raise
        except TooLarge as error:
            raise SourceRefused(f"{self._path.name} is not read: {error}") from None
        except Exception as error:  # a half-written or foreign file fails in many ways inside the reader
            raise SourceRefused(f"{self._path.name} cannot be read as a workbook ({type(error).__name__})") from None

    def _unit_sheets(self, workbook: _Workbook) -> list[str]:
        layout = self._mapping.file
        left_out = {*layout.sheets_except, *(() if layout.hidden_sheets else workbook.hidden)}
        return [name for name in workbook.sheet_names if name not in left_out]

    def _rows(self, workbook: _Workbook, sheet: str) -> Iterator[Numbered]:
        """With the numbers that Excel shows; which sheet it is, a row that cannot be judged does not tell."""
        layout = self._mapping.file
        grid = workbook.grid(sheet)
        if len(grid) < layout.header_row:
            raise SourceRefused(f"sheet {sheet!r} has no row {layout.header_row} of headings")
        headings: dict[str, list[int]] = {}
        for at, cell in enumerate(grid[layout.header_row - 1]):
            headings.setdefault(str(cell).strip(), []).append(at)
        said = {_SHEET: sheet, **self._captions(grid)}
        places = [self._place(column, headings, said, sheet) for column in self._mapping.columns]
        hidden = frozenset() if layout.hidden_rows else workbook.hidden_rows(sheet)
        _fill_merged(grid, workbook.merged(sheet), layout.header_row, self._merged_places(places))
        for number, cells in enumerate(grid[layout.header_row :], start=layout.header_row):
            if number in hidden:
                continue
            if layout.row_when == "number" and not _is_number(cells[0] if cells else None):
                continue
            if all(cell in ("", None) for cell in cells):
                continue
            yield (
                number + 1,
                tuple(
                    place if isinstance(place, str) else _value(cells[place]) if place < len(cells) else None
                    for place in places
                ),
            )

    def _merged_places(self, places: list[int | str]) -> frozenset[int]:
        named = zip(self._mapping.columns, places, strict=True)
        return frozenset(
            place for column, place in named if isinstance(place, int) and column in self._mapping.file.merged
        )

    def _place(self, column: str, headings: dict[str, list[int]], said: dict[str, str], sheet: str) -> int | str:
        """A column's place, or the text that the workbook says for all of the sheet's rows."""
        if column.startswith("@"):
            return said.get(column, "")
        letters = self._mapping.file.columns.get(column)
        if letters is not None:
            return letters_to_index(letters)
        if column not in headings:
            raise SourceRefused(f"sheet {sheet!r} has no column {column!r}")
        if len(headings[column]) > 1:
            letters = ", ".join(_index_to_letters(at) for at in headings[column])
            raise SourceRefused(f"sheet {sheet!r} has {column!r} more than once ({letters}): name one in file.columns")
        return headings[column][0]

    def _captions(self, grid: list[list[Any]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for caption in self._mapping.file.captions:
            row = grid[caption.row - 1] if caption.row <= len(grid) else []
            text = "".join(str(cell) for cell in row if cell not in ("", None))
            _, mark, rest = text.partition(caption.after)
            inner, end, _ = rest.partition(caption.before)
            found[caption.name] = inner if mark and end else ""
        return found

    def _sides(self, workbook: _Workbook) -> SideTables:
        side = SideTables()
        side.units = self._listing(self._mapping.units, workbook)
        side.warehouses = self._listing(self._mapping.warehouses, workbook)
        return side

    def _listing(self, listing: Listing, workbook: _Workbook) -> dict[str, dict[str, Any]]:
        if listing.origin == "sheets":
            sheets = self._unit_sheets(workbook)
            return listing_entries(listing, ({_SHEET: name, **self._captions(workbook.grid(name))} for name in sheets))
        if listing.origin == "table":
            if listing.table not in workbook.sheet_names:
                raise SourceRefused(f"the workbook has no sheet {listing.table!r}")
            grid = workbook.grid(listing.table)
            headings = [str(cell).strip() for cell in grid[0]] if grid else []
            return listing_entries(listing, (dict(zip(headings, map(_value, row), strict=False)) for row in grid[1:]))
        return {}


class _Workbook:
    """A workbook's cells as Excel shows them, those that show an error included."""

    def __init__(self, path: Path) -> None:
        self._notes = sheet_notes(path)  # first: it may not be one to be unpacked
        self._book = CalamineWorkbook.from_path(str(path))
        self.sheet_names: list[str] = self._book.sheet_names
        self.hidden = frozenset(
            sheet.name for sheet in self._book.sheets_metadata if sheet.visible != SheetVisibleEnum.Visible
        )

    def grid(self, sheet: str) -> list[list[Any]]:
        """All cells from A1 on: row and column numbers are those Excel shows."""
        grid: list[list[Any]] = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        for (row, column), shown in self._noted(sheet).shown.items():
            if row < len(grid) and column < len(grid[row]):
                grid[row][column] = Unread(shown)
        return grid

    def hidden_rows(self, sheet: str) -> frozenset[int]:
        return frozenset(self._noted(sheet).hidden_rows)

    def merged(self, sheet: str) -> list[Merged]:
        return self._book.get_sheet_by_name(sheet).merged_cell_ranges or []

    def _noted(self, sheet: str) -> SheetNotes:
        return self._notes.get(sheet) or SheetNotes()


def _fill_merged(grid: list[list[Any]], ranges: list[Merged], first: int, places: frozenset[int]) -> None:
    """The value of merged cells in each of their rows, in the columns where the mapping has it so."""
    for (top, left), (bottom, right) in ranges:
        if top < first or left >= len(grid[top]):
            continue
        for row in range(top + 1, min(bottom + 1, len(grid))):
            for place in places.intersection(range(left, right + 1)):
                if place < len(grid[row]):
                    grid[row][place] = grid[top][left]


def _is_number(cell: Any) -> bool:
    """A number, also one that somebody typed into a cell formatted as text."""
    if isinstance(cell, str):
        return isinstance(read_decimal(cell), Decimal)
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


def _index_to_letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
