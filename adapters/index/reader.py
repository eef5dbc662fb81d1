"""Reading the index: a few threads, a connection each, and of each answer one state of the file.

The index is no legacy store and nobody's guest. A connection may write although nothing does (`query_only`): whoever
finds the journal of a process that died in the middle of a change must roll it back before it reads.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from adapters.mapping.numbers import plus
from adapters.model import StoreUnavailable

__all__ = ["IndexReader", "connect"]

T = TypeVar("T")
_THREADS = 2
_TIMEOUT_S = 10.0
_PROGRESS_STEPS = 20_000
_BUSY_S = 30.0
"""How long to wait for a change to be committed."""
_CACHE_KB = 8192


def connect(path: Path) -> sqlite3.Connection:
    """To read. Raises `sqlite3.Error` where there is no index, or none that can be opened."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, check_same_thread=False, isolation_level=None
    )
    db.execute("PRAGMA query_only = ON")
    db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    return db


class _Sum:
    """An exact sum of decimal texts; nulls add nothing."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, text: str | None) -> None:
        if text is not None:
            self.total = plus(self.total, Decimal(text))

    def finalize(self) -> str:
        return format(self.total, "f")


class _Connection:
    """One thread's; another one where another file has taken the index's place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def current(self) -> sqlite3.Connection:
        status = os.stat(self._path)
        identity = (status.st_dev, status.st_ino)
        if self._db is None or identity != self._identity:
            self.close()
            self._db, self._identity = connect(self._path), identity
            self._db.create_aggregate("gwc_sum", 1, _Sum)  # type: ignore[arg-type]
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class IndexReader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="index")
        self._own = threading.local()
        self._all: list[_Connection] = []

    async def close(self) -> None:
        """Waits for what is being read."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._all:
            connection.close()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` sees one state of the index, whatever is committed meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + _TIMEOUT_S
        try:
            db = self._connection().current()
            db.set_progress_handler(lambda: int(time.monotonic() > deadline), _PROGRESS_STEPS)
            db.execute("BEGIN")
            try:
                return work(db)
            finally:
                db.execute("COMMIT")
        except sqlite3.Error as error:
            if "interrupted" in str(error):
                raise StoreUnavailable("the local index did not answer in time") from None
            raise StoreUnavailable(f"the local index cannot be read ({type(error).__name__})") from error
        except OSError:
            raise StoreUnavailable("the local index is missing or cannot be read") from None

    def _connection(self) -> _Connection:
        found: Any = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = _Connection(self._path)
            self._all.append(found)
        connection: _Connection = found
        return connection
