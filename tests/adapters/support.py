"""A mapping of two or three columns over whatever store a test makes, and a source that is moved by hand."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.index import IndexBuilder, SourceStamp
from adapters.mapping import parse_mapping
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Mapping
from adapters.model import PageRequest

ALL = PageRequest(None, (), 10_000)
BARE: dict[str, Any] = {
    "mapping": 1,
    "region": "330109",
    "store": {"engine": "sqlite", "url": "zc.sqlite"},
    "source": {"table": "zc"},
    "secrecy": {"none_because": "a test's own rows"},
    "key": {"columns": ["id"]},
    "fields": {"name": "mc"},
}


def mapping_of(folder: Path, **more: dict[str, Any] | list[dict[str, Any]]) -> Mapping:
    """`BARE`, with these tables of the mapping merged into it."""
    data = copy.deepcopy(BARE)
    for name, table in more.items():
        if name == "secrecy":
            data[name] = table
        elif isinstance(table, dict):
            data[name] = {**data.get(name, {}), **table}
        else:
            data[name] = table
    return parse_mapping(data, folder / "330109.toml")


def table_of(folder: Path, rows: Iterable[tuple[Any, ...]], columns: str = "id TEXT PRIMARY KEY, mc TEXT") -> None:
    """A new SQLite file `zc.sqlite` with one table `zc`."""
    with sqlite3.connect(folder / "zc.sqlite") as db:
        db.execute(f"CREATE TABLE zc ({columns})")
        marks = ", ".join("?" * len(columns.split(",")))
        db.executemany(f"INSERT INTO zc VALUES ({marks})", rows)
    db.close()


class HandSource:
    """A source whose state is set by a test; `hold` keeps its reading thread in the middle of the rows."""

    def __init__(self, rows: int, token: str = "1") -> None:
        self.rows, self.token, self.is_proved_whole = rows, token, True
        self.error: Exception | None = None
        self.loads = 0
        self.given = 0
        """Rows of the latest reading."""
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.ended = threading.Event()
        """Set when a reading thread has left."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def hold(self) -> None:
        self.inside.clear()
        self.go_on.clear()
        self.ended.clear()

    async def stamp(self) -> SourceStamp:
        return SourceStamp(self.token, datetime(2026, 1, 1, tzinfo=UTC), is_proved_whole=self.is_proved_whole)

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        return await asyncio.to_thread(self._read, builder)

    def _read(self, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        self.loads += 1
        try:
            building = builder(SideTables())
            building.add(self._raws())
            return building
        finally:
            self.ended.set()

    def _raws(self) -> Iterable[tuple[Any, ...]]:
        for number in range(1, self.rows + 1):
            self.given = number
            if number == self.rows // 2:
                self.inside.set()
                self.go_on.wait()
                if self.error is not None:
                    raise self.error
            yield f"A{number:06}", f"办公桌 {self.token}"
