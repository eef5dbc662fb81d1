"""A SQL store as the source of a local index: for stores that cannot order or search as the contract does.

No server keeps a number that proves that nothing has changed, so rows are read again every `reload_s`; a SQLite file
tells by its size and time. Rows stream through in batches: memory does not grow with the table. Where the mapping says
by what the store tells its changes (`[feed]`), each look reads those (`adapters.sql.feed`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from adapters.index.build import IndexBuilder
from adapters.index.source import SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.model import ANY_SQL, Mapping
from adapters.mapping.toml import MappingError
from adapters.model import SourceRefused, StoreUnavailable, StoreUnsupported
from adapters.sql.engine import open_reader
from adapters.sql.feed import SqlFeed, prepare_feed
from adapters.sql.reader import write_statement
from adapters.sql.sides import SideReader, open_source
from adapters.sql.source import SqlSource

__all__ = ["SqlRows"]


class SqlRows:
    """`clock` is turned by hand in tests."""

    def __init__(self, mapping: Mapping, clock: Callable[[], float] = time.time) -> None:
        self._mapping, self._clock = mapping, clock
        self._reader = open_reader(mapping.store, prepare_feed)
        self._reload_s = mapping.index.refresh_s or mapping.store.reload_s
        self._source: SqlSource | None = None
        self._feed: SqlFeed | None = None

    async def open(self) -> None:
        """Nothing yet: a store that is away must not keep the last good index from answering."""

    async def close(self) -> None:
        await self._reader.close()

    async def stamp(self) -> SourceStamp:
        now = datetime.now(UTC)
        if self._mapping.store.engine == "sqlite":
            return SourceStamp(await asyncio.to_thread(_file_state, Path(self._mapping.store.url)), now)
        if self._mapping.feed is not None:
            return SourceStamp(f"pass {now.isoformat()}", now)
        return SourceStamp(f"period {int(self._clock() // self._reload_s)}", now)

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        source = await self._opened()
        building = builder(await SideReader(source, self._reader).read())
        if self._mapping.feed is not None:
            feed = await self.feed()
            async for batch in self._reader.stream(feed.rows_statement()):
                await asyncio.to_thread(building.add_marked, map(feed.fed, batch))
            return building
        store_judges = self._mapping.store.engine != ANY_SQL
        statement = source.native_select() if store_judges else source.select_all(*source.native_columns())
        async for batch in self._reader.stream(write_statement(statement, self._reader.dialect)):
            await asyncio.to_thread(building.add, batch, judged=store_judges)
        return building

    async def feed(self) -> SqlFeed:
        if self._feed is None:
            if self._mapping.feed is None:
                raise StoreUnsupported("the mapping does not say by what the store tells its changes")
            self._feed = SqlFeed(self._mapping, self._mapping.feed, await self._opened(), self._reader)
        return self._feed

    async def _opened(self) -> SqlSource:
        if self._source is None:
            try:
                self._source = await open_source(self._mapping, self._reader)
            except MappingError as error:
                raise SourceRefused(str(error), "MAPPING_UNFIT") from None
        return self._source


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
