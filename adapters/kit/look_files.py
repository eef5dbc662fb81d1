"""Looking into a folder of CSV files, one CSV file, or a workbook: headings, and the first rows of each.

Exports that come every night differ by a date in their names: they count as one table, whose newest file is read.
"""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from adapters.kit.exports import lines_of, ready_suffix_of
from adapters.kit.survey import (
    CELL_MAX,
    SAMPLE_ROWS,
    TABLES_MAX,
    Budget,
    ColumnSurvey,
    StoreUrl,
    SurveyError,
    TableSurvey,
    export_pattern,
)
from adapters.mapping.model import CSV
from adapters.tabular.csv import detect_encoding

__all__ = ["look_into_files"]

_HEADER_ROWS_MAX = 10
_HEADINGS_MIN = 3


async def look_into_files(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    return await asyncio.to_thread(_csv_tables if url.engine == CSV else _workbook_tables, url, budget)


# --- CSV ----------------------------------------------------------------------------------------------------------


def _csv_tables(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    path = Path(url.full)
    files = sorted(found for found in path.iterdir() if found.suffix.lower() == ".csv") if path.is_dir() else [path]
    exports: dict[str, list[Path]] = {}
    for file in reversed(files):
        exports.setdefault(export_pattern(file.name), []).append(file)
    if not exports:
        raise SurveyError(f"the folder {path} has no CSV file", "give the folder into which the exports are dropped")
    found = []
    for done, (pattern, newest_first) in enumerate(sorted(exports.items())[:TABLES_MAX]):
        budget.progress(pattern, done, len(exports))
        table = _newest_readable(newest_first, budget)
        found += [table] if table else []
    return found


def _newest_readable(files: list[Path], budget: Budget) -> TableSurvey | None:
    """Of exports that follow each other: the newest may be half written, and has no file beside it that says it is whole."""
    suffix = next((found for file in files if (found := ready_suffix_of(file))), "")
    for file in files:
        try:
            if not suffix or file.with_suffix(suffix).exists():
                return replace(_csv_table(file), ready_suffix=suffix)
            budget.notes.append(f"{file.name} was passed over: there is no {file.with_suffix(suffix).name}")
        except (OSError, UnicodeError, csv.Error) as error:
            budget.notes.append(f"{file.name} was not read ({type(error).__name__})")
    return None


def _csv_table(file: Path) -> TableSurvey:
    with file.open("rb") as binary, io.TextIOWrapper(binary, encoding=detect_encoding(file), newline="") as text:
        rows = list(itertools.islice(csv.reader(text), SAMPLE_ROWS + 1))
    headings = [cell.removeprefix("\ufeff").strip() for cell in rows[0]] if rows else []
    cells = [row for row in rows[1:] if len(row) == len(headings)]
    rows_count, is_estimated = lines_of(file)
    return TableSurvey(
        file.name,
        _columns(headings, cells),
        max(rows_count - 1, 0),
        is_estimated,
        file=file.name,
    )


def _columns(headings: list[str], rows: list[Any]) -> tuple[ColumnSurvey, ...]:
    return tuple(
        ColumnSurvey(heading, "", samples=tuple(_cell(row[at]) if at < len(row) else None for row in rows))
        for at, heading in enumerate(headings)
        if heading
    )


def _cell(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value[:CELL_MAX] if isinstance(value, str) else value


# --- workbooks ----------------------------------------------------------------------------------------------------


def _workbook_tables(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    try:
        workbook = CalamineWorkbook.from_path(url.full)
        names = list(workbook.sheet_names)[:TABLES_MAX]
        return _one_of_like(_sheets(workbook, names, budget))
    except (CalamineError, OSError) as error:
        raise SurveyError(
            f"{url.written} cannot be read as a workbook ({type(error).__name__})", "save it as .xlsx"
        ) from None


def _sheets(workbook: CalamineWorkbook, names: list[str], budget: Budget) -> Iterator[TableSurvey]:
    for done, name in enumerate(names):
        budget.progress(name, done, len(names))
        sheet = workbook.get_sheet_by_name(name)
        grid = sheet.to_python(skip_empty_area=False, nrows=SAMPLE_ROWS + _HEADER_ROWS_MAX)
        at = _header_row(grid)
        headings = [str(cell).strip() for cell in grid[at]] if grid else []
        rows = max(sheet.total_height - at - 1, 0)
        title = "".join(str(cell) for row in grid[:at] for cell in row if cell not in ("", None))
        columns = _columns(headings, grid[at + 1 :])
        yield TableSurvey(name, columns, rows, True, header_row=at + 1, sheets=(name,), title=title)


def _one_of_like(sheets: Iterable[TableSurvey]) -> list[TableSurvey]:
    """Sheets with the same headings in the same row are one table: one sheet a unit, or one a year."""
    groups: dict[Any, list[TableSurvey]] = {}
    for sheet in sheets:
        groups.setdefault((sheet.header_row, tuple(column.name for column in sheet.columns)), []).append(sheet)
    return [_joined(group) for group in groups.values()]


def _joined(group: list[TableSurvey]) -> TableSurvey:
    columns = tuple(
        replace(
            column, samples=tuple(value for sheet in group for value in sheet.columns[at].samples)[: 2 * SAMPLE_ROWS]
        )
        for at, column in enumerate(group[0].columns)
    )
    rows = sum(sheet.rows or 0 for sheet in group)
    return replace(group[0], columns=columns, rows=rows, sheets=tuple(sheet.name for sheet in group))


def _header_row(grid: list[list[Any]]) -> int:
    """The row with the most different texts among the first ones: titles are merged, groups repeat, data has numbers."""
    best, most = 0, 0
    for at, row in enumerate(grid[:_HEADER_ROWS_MAX]):
        texts = {cell.strip() for cell in row if isinstance(cell, str) and cell.strip()}
        others = sum(not isinstance(cell, str) for cell in row)
        if len(texts) - 2 * others > most and len(texts) >= min(_HEADINGS_MIN, len(row)):
            best, most = at, len(texts) - 2 * others
    return best
