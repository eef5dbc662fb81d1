"""A process that keeps an index, and may be killed at any moment of it.

It opens the SQLite store of a folder, looks at it once, and tells what it then has. With `die_at` it kills itself before
the so-manieth call that touches the disk; without, it tells how many there were. Processes are forked from one that has
loaded everything, so that each costs milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from adapters.index import IndexBuilder, IndexedStore, SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Mapping
from adapters.model import Store, StoreError, StoreUnavailable
from adapters.sql.rows import SqlRows
from tests.adapters.support import mapping_of

FORKED = multiprocessing.get_context("forkserver")
TOUCHING = frozenset({"execute", "executemany", "close", "replace", "rename", "unlink", "fsync"})


class CountedRows(SqlRows):
    """Counts how often the table is read as a whole."""

    loads = 0

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        self.loads += 1
        return await super().load(stamp, builder)


class AwaySource(SqlRows):
    """A store that does not answer: what is told then is the index as it was found."""

    async def stamp(self) -> SourceStamp:
        raise StoreUnavailable("the line is down")


def mapping(folder: Path, feed: str | None) -> Mapping:
    more: dict[str, Any] = {} if feed is None else {"feed": {"by": feed}}
    return mapping_of(
        folder, store={"mode": "indexed", "reread_s": 86_400}, fields={"code": "bm", "version": "bb"}, **more
    )


@asynccontextmanager
async def opened(source: SqlRows, mapped: Mapping, folder: Path, cache: str) -> AsyncIterator[Store]:
    store = IndexedStore(mapped, source, folder / cache)
    try:
        await store.open()
        await store.refresh()
        yield store
    finally:
        await store.close()


async def told(store: Store) -> dict[str, Any]:
    health = await store.health()
    return {"count": await store.count(None), "fault": health.fault.code if health.fault else None}


async def keep(folder: Path, cache: str, feed: str | None) -> dict[str, Any]:
    mapped = mapping(folder, feed)
    source = CountedRows(mapped)
    try:
        async with opened(source, mapped, folder, cache) as store:
            return {**await told(store), "loads": source.loads}
    except StoreError as error:
        return {"count": None, "fault": error.code, "loads": source.loads}


def live(
    tell: Connection, folder: Path, cache: str, feed: str | None, die_at: int | None, bytes_max: int | None
) -> None:
    """In a process of its own."""
    numbers, last = itertools.count(1), 0

    def look(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal last
        if event == "c_call" and argument.__name__ in TOUCHING and "adapters" in frame.f_code.co_filename:
            last = next(numbers)
            if last == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    if bytes_max is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))
    threading.setprofile(look)
    sys.setprofile(look)
    found = asyncio.run(keep(folder, cache, feed))
    sys.setprofile(None)
    tell.send({**found, "calls": last})


class Victim:
    """Started; `told` waits for its end and gives what it told, None where it died."""

    def __init__(
        self, folder: Path, cache: str, feed: str | None, die_at: int | None = None, bytes_max: int | None = None
    ) -> None:
        FORKED.set_forkserver_preload([__name__])
        self._heard, tell = FORKED.Pipe(duplex=False)
        self._process = FORKED.Process(target=live, args=(tell, folder, cache, feed, die_at, bytes_max))
        self._process.start()
        tell.close()

    def told(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = self._heard.recv()
        except EOFError:
            found = None
        self._process.join()
        self._heard.close()
        self._process.close()
        return found
