"""The first rows of a store as they stand there, each beside what the mapping makes of it. Never a secret one.

Rows are read the way a local index is built, with a builder that keeps the first few and then stops the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from adapters.index import RowSource
from adapters.index.build import BuildStopped, IndexBuilder
from adapters.index.source import FedRow
from adapters.mapping.fields import SideTables
from adapters.mapping.issues import issue
from adapters.mapping.mapper import Fate, RowMapper
from adapters.mapping.model import TABLE_ENGINES, Mapping
from adapters.model import Issue, Row

__all__ = ["RawRow", "first_rows", "has_raw_rows"]

_SOURCES = {
    **dict.fromkeys(TABLE_ENGINES, ("adapters.sql.rows", "SqlRows")),
    "csv": ("adapters.tabular.csv", "CsvSource"),
    "xlsx": ("adapters.tabular.xlsx", "XlsxSource"),
    "mongodb": ("adapters.mongo.source", "mongo_source"),
    "jsonl": ("adapters.documents.lines", "lines_source"),
    "rest": ("adapters.rest.source", "rest_source"),
}


@dataclass(frozen=True, slots=True)
class RawRow:
    raw: dict[str, Any]
    """Column → the native value."""
    row: Row | None
    """None: a line that is no row."""
    issues: tuple[Issue, ...]
    is_listed: bool


def has_raw_rows(mapping: Mapping) -> bool:
    """Whether this kind of store can be read row by row beside its mapping."""
    return mapping.store.engine in _SOURCES


Progress = Callable[[str, int, int], None]


async def first_rows(
    mapping: Mapping, limit: int, progress: Progress = lambda read, found, wanted: None
) -> list[RawRow]:
    """The first open rows, listed or quarantined. Raises `StoreError` or `MappingError`.

    `progress` is told of each batch how many rows were read and how many of the wanted ones are there.
    """
    module, name = _SOURCES[mapping.store.engine]
    source = cast(RowSource, getattr(import_module(module), name)(mapping))
    collected: list[RawRow] = []
    await source.open()
    try:
        stamp = await source.stamp()
        await source.load(stamp, _collecting(mapping, collected, limit, progress))
    except BuildStopped:
        pass
    finally:
        await source.close()
    return collected


def _collecting(
    mapping: Mapping, rows: list[RawRow], limit: int, progress: Progress
) -> Callable[[SideTables], IndexBuilder]:
    return lambda side: cast(IndexBuilder, _Collector(RowMapper(mapping, side), rows, limit, progress))


class _Collector:
    """What a source sees of an index builder."""

    def __init__(self, mapper: RowMapper, rows: list[RawRow], limit: int, progress: Progress) -> None:
        self.mapper, self._rows, self._limit, self._progress = mapper, rows, limit, progress
        self.read = 0

    def add(self, raws: Iterable[tuple[Any, ...]], *, judged: bool = False) -> None:
        # Judged once more even where the store has judged: what is shown here is shown to people.
        try:
            for raw in raws:
                self.read += 1
                mapped = self.mapper.judge(raw)
                if mapped.fate in (Fate.LISTED, Fate.QUARANTINED):
                    listed = mapped.fate is Fate.LISTED
                    self._keep(RawRow(self.mapper.raw_of(raw), mapped.row, tuple(mapped.issues or ()), listed))
        finally:
            self._progress(f"{self.read} rows read", len(self._rows), self._limit)

    def add_marked(self, rows: Iterable[FedRow]) -> None:
        self.add((raw for _, _, raw in rows), judged=True)

    def check_wanted(self) -> None:
        """A look is short: it is always wanted."""

    def add_malformed(self, line: int, text: str | None) -> None:
        self._keep(RawRow({"line": line}, None, (issue("MALFORMED_ROW", None, None, "file"),), False))

    def _keep(self, row: RawRow) -> None:
        self._rows.append(row)
        if len(self._rows) >= self._limit:
            raise BuildStopped
