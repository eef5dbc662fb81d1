"""A SQL store as the source of a local index: for stores that cannot order or search as the contract does.

No server keeps a number that proves that nothing has changed, so rows are read again every `reload_s`; a SQLite file
tells by its size and time. Rows stream through in batches: memory does not grow with the table.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from adapters.index.build import IndexBuilder
from adapters.index.source import SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Mapping
from adapters.mapping.toml import MappingError
from adapters.model import SourceRefused, StoreUnavailable
from adapters.sql.engine import open_reader
from adapters.sql.reader import write_statement
from adapters.sql.sides import SideReader, open_source
from adapters.sql.source import SqlSource

__all__ = ["SqlRows"]


class SqlRows:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._reader = open_reader(mapping.store, _unprepared)
        self._source: SqlSource | None = None

    async def open(self) -> None:
        """Nothing yet: a store that is away must not keep the last good index from answering."""

    async def close(self) -> None:
        await self._reader.close()

    async def stamp(self) -> SourceStamp:
        now = datetime.now(UTC)
        if self._mapping.store.engine == "sqlite":
            return SourceStamp(await asyncio.to_thread(_file_state, Path(self._mapping.store.url)), now)
        return SourceStamp(f"period {int(time.time() // self._mapping.store.reload_s)}", now)

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        if self._source is None:
            try:
                self._source = await open_source(self._mapping, self._reader)
            except MappingError as error:
                raise SourceRefused(str(error), "MAPPING_UNFIT") from None
        building = builder(await SideReader(self._source, self._reader).read())
        async for batch in self._reader.stream(write_statement(self._source.native_select(), self._reader.dialect)):
            await asyncio.to_thread(building.add, batch, judged=True)
        return building


def _file_state(path: Path) -> str:
    """What moves with a change of a SQLite file, its journal beside it included."""
    found = []
    for part in (path, path.with_name(path.name + "-wal")):
        try:
            status = part.stat()
        except FileNotFoundError:
            if part == path:
                raise StoreUnavailable("the SQLite file is missing") from None
            continue
        found.append(f"{status.st_ino} {status.st_size} {status.st_mtime_ns}")
    return " ".join(found)


def _unprepared(connection: sqlite3.Connection) -> None:
    """Nothing is pushed: no function of ours is called."""
