"""Writing one index file: rows in batches, then what only all rows show, then the indexes.

Rows are inserted as they come, by one prepared statement in one transaction without a journal: a file that is not
finished is thrown away. Indexes are made afterwards, which SQLite does by sorting in bounded memory; keys and codes that
occur twice are found on them. So memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.index.layout import FORMAT, INDEXED, PLACE, Layout, json_text
from adapters.index.settle import IssueCounts, Settling
from adapters.index.source import FedRow, SourceStamp
from adapters.mapping.compiled import CompiledMapper
from adapters.mapping.fields import SideTables
from adapters.mapping.issues import counted, issue
from adapters.mapping.mapper import Fate, Mapped, RowMapper

__all__ = ["COMPLETE", "BuildStopped", "IndexBuilder", "fed_state", "sides_digest", "sync", "write_meta", "write_state"]

COMPLETE = "complete"
"""The entry of `meta` that is written last: an index without it was never finished."""
_BATCH = 500
_TEXT_SHOWN_MAX = 2_000
"""Of a line that is no row, so many characters are kept."""
_PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -8192")
"""SQLite sorts as much at once as its cache may hold; threads of its own would each hold as much again."""


class BuildStopped(Exception):
    """Nobody wants this index any more: the thread that writes it ends here."""


class IndexBuilder:
    """Writes one index file, in one thread at a time, off the event loop; `stop` may be called from any.

    A connection that is closed while another thread inserts ends the process: whatever touches it holds `_writing`.
    """

    def __init__(self, path: Path, mapper: RowMapper) -> None:
        self.path, self.mapper = path, mapper
        self._compiled = CompiledMapper(mapper)
        self._started, self._began = time.monotonic(), datetime.now(UTC)
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._layout = Layout(mapper.mapping)
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._number = 0
        self.read = 0
        """Rows and lines read, those left out as secret or ignored included."""
        self._issues: IssueCounts = IssueCounts()
        self._pending: list[FedRow] = []
        self._inserts = {
            table: f"INSERT INTO {table} ({', '.join(self._layout.names)}) VALUES ({', '.join('?' * len(self._layout.names))})"
            for table in ("asset", "kept")
        }
        for table in self._layout.tables:
            self._db.execute(table)
        self._db.execute("BEGIN")

    def add(self, raws: Iterable[tuple[Any, ...]], *, judged: bool = False) -> None:
        """Map and keep rows; `judged`: secret and ignored ones have been left out."""
        mapper, pending = self.mapper, self._pending
        for raw in raws:
            self.check_wanted()
            self.read += 1
            if not judged and (mapper.is_secret(raw) or mapper.is_ignored(raw)):
                continue
            pending.append((None, None, raw))
            if len(pending) >= _BATCH:
                self._flush()

    def add_marked(self, rows: Iterable[FedRow]) -> None:
        """The same of rows that are neither secret nor ignored, each with what tells it and its changes."""
        for row in rows:
            self.check_wanted()
            self.read += 1
            self._pending.append(row)
            if len(self._pending) >= _BATCH:
                self._flush()

    def add_malformed(self, line: int, text: str | None) -> None:
        """What is no row at all, or none that may be shown; `text` only where it may be."""
        self._flush()
        self.read += 1
        self._number += 1
        self._issues[("MALFORMED_ROW", None)] += 1
        raw = {"line": line} if text is None else {"line": line, "text": text[:_TEXT_SHOWN_MAX]}
        found = [issue("MALFORMED_ROW", None, text, "file")]
        self._insert("kept", [self._layout.malformed(self._number, raw, found)])

    def _flush(self) -> None:
        listed: list[tuple[Any, ...]] = []
        kept: list[tuple[Any, ...]] = []
        record, issues, number = self._layout.record, self._issues, self._number
        for (ident, mark, raw), mapped in zip(self._pending, self._mapped(), strict=True):
            number += 1
            is_listed = mapped.fate is Fate.LISTED
            if mapped.issues:
                issues.update(counted(mapped.issues, is_listed))
            (listed if is_listed else kept).append(record(number, ident, mark, mapped, raw))
        self._number = number
        self._pending.clear()
        self._insert("asset", listed)
        self._insert("kept", kept)

    def _mapped(self) -> list[Mapped]:
        """A fed row may have more values behind the mapping's columns."""
        return self._compiled.map([raw[: self._layout.width] for _, _, raw in self._pending])

    def _insert(self, table: str, records: Sequence[tuple[Any, ...]]) -> None:
        if records:
            with self._writing():
                self._db.executemany(self._inserts[table], records)

    def finish(self, stamp: SourceStamp, digest: str) -> None:
        """Settle what only all rows show, write indexes, mark the file complete, and see it on the disk."""
        self._flush()
        with self._writing():
            self._finish(stamp, digest)
        sync(self.path)

    def _finish(self, stamp: SourceStamp, digest: str) -> None:
        settling = Settling(self._db, self._layout, self._issues)
        self._db.execute(f"UPDATE kept SET place = {PLACE}")
        settling.first_indexes()
        settling.prepare()
        settling.touch_all_twice()
        settling.settle()
        settling.last_indexes(fed=self.mapper.mapping.feed is not None)
        write_meta(
            self._db,
            {
                "format": FORMAT,
                "digest": digest,
                "read": self.read,
                "next": self._number + 1,
                "own": _counts_list(self._issues),
                "units": self._kept_units(list(self.mapper.side.units.values())),
                "warehouses": list(self.mapper.side.warehouses.values()),
                "builtAt": datetime.now(UTC).isoformat(),
                "tookS": round(time.monotonic() - self._started, 3),
                **fed_state(self._began, self._began, self.mapper.side),
            },
        )
        write_state(self._db, stamp, settling)
        self._db.execute("COMMIT")
        write_meta(self._db, {COMPLETE: True})
        self._db.close()

    def _kept_units(self, units: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of units known only from rows, those of listed rows: a secret row shows not even its unit."""
        if self.mapper.mapping.units.origin != "rows":
            return units
        owner = f"f{INDEXED.index('owner')}"
        owners = {key for (key,) in self._db.execute(f"SELECT DISTINCT {owner} FROM asset")}
        return [unit for unit in units if unit["native"] in owners]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self.check_wanted()
            try:
                yield
            except sqlite3.OperationalError:
                self.check_wanted()  # `stop` interrupts a long statement
                raise

    def check_wanted(self) -> None:
        """Raises `BuildStopped` once nobody wants the index any more."""
        if self._stopped.is_set():
            raise BuildStopped

    def stop(self) -> None:
        """From any thread: the writing one raises `BuildStopped` at its next row, or out of its long statement."""
        self._stopped.set()
        with suppress(sqlite3.ProgrammingError):  # it is finished and closed
            self._db.interrupt()

    def abandon(self) -> None:
        """Stop, wait until the writing thread has let go, and leave nothing behind."""
        self.stop()
        with self._lock:
            self._db.close()
            self.path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """See a file, or a folder's list of files, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_meta(db: sqlite3.Connection, entries: dict[str, Any]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, json_text(value)) for name, value in entries.items()]
    )


def write_state(db: sqlite3.Connection, stamp: SourceStamp, settling: Settling) -> None:
    """What a change of the index changes of it."""
    (listed,) = db.execute("SELECT count(*) FROM asset").fetchone()
    (kept,) = db.execute("SELECT count(*) FROM kept").fetchone()
    write_meta(
        db,
        {
            "token": stamp.token,
            "asOf": stamp.as_of.isoformat(),
            "listed": listed,
            "quarantined": kept,
            "issues": _counts_list(settling.issues()),
        },
    )


def sides_digest(side: SideTables) -> str:
    """Of units, warehouses and code tables: where they change, any row may."""
    text = json_text([sorted(side.lookups.items()), sorted(side.units.items()), sorted(side.warehouses.items())])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fed_state(began: datetime, scanned: datetime, side: SideTables) -> dict[str, Any]:
    """What an index keeps for the next pass."""
    return {"fedAt": began.isoformat(), "scannedAt": scanned.isoformat(), "sides": sides_digest(side)}


def _counts_list(counts: IssueCounts) -> list[list[Any]]:
    return [[code, name, count] for (code, name), count in sorted(counts.items(), key=str) if count]
