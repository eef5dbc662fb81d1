"""Writing one index file: rows in batches, what only all rows show at the end.

Columns are encoded so that SQLite's own order is the canonical one; keys and codes that occur twice are found by SQLite,
so memory does not grow with the rows.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS, MATCHED_FIELDS, fold
from adapters.index.source import SourceStamp
from adapters.mapping.issues import counted, issue
from adapters.mapping.mapper import Fate, Mapped, RowMapper
from adapters.model import (
    FieldKind,
    Row,
)
from adapters.snapshot import duplicate_code, duplicate_key, quarantine_place
from contract.decimals import sortable_decimal

__all__ = ["COMPLETE", "FORMAT", "INDEXED", "SUMMED", "BuildStopped", "IndexBuilder", "sync"]

FORMAT = 2
"""Raised whenever an index written before cannot be read any more."""
COMPLETE = "complete"
"""The entry of `meta` that is written last: an index without it was never finished."""
_BATCH = 500
_SEPARATOR = "\x1f"
SUMMED = ("quantity", "originalValue", "netValue")
INDEXED = tuple(
    spec.name for spec in CANONICAL_FIELDS.values() if spec.filterable or spec.orderable or spec.name in GROUP_FIELDS
)


def _encoded(name: str, value: Any) -> Any:
    """A canonical value as it stands in the index."""
    if value is None:
        return None
    spec = CANONICAL_FIELDS[name]
    if spec.kind is FieldKind.DECIMAL:
        return sortable_decimal(Decimal(value))
    if spec.kind is FieldKind.ENUM:
        return spec.values.index(value)
    if spec.kind is FieldKind.BOOLEAN:
        return int(value)
    return value


class BuildStopped(Exception):
    """Nobody wants this index any more: the thread that writes it ends here."""


class IndexBuilder:
    """Writes one index file, in one thread at a time, off the event loop; `stop` may be called from any.

    A connection that is closed while another thread inserts ends the process: whatever touches it holds `_writing`.
    """

    def __init__(self, path: Path, mapper: RowMapper) -> None:
        self.path, self.mapper = path, mapper
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA cache_size = -8192")
        self._keys = [f"k{at}" for at in range(len(mapper.mapping.key))]
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._number = 0
        self.read = 0
        """Rows and lines read, those left out as secret or ignored included."""
        self._issues: Counter[tuple[str, str | None]] = Counter()
        self._units: dict[str, dict[str, Any]] = {}
        self._create()

    def _create(self) -> None:
        kinds = ["INTEGER" if part.kind == "integer" else "TEXT" for part in self.mapper.mapping.key]
        keys = ", ".join(f"{name} {kind}" for name, kind in zip(self._keys, kinds, strict=True))
        fields = ", ".join(f"f{at}" for at in range(len(INDEXED)))
        sums = ", ".join(f"s{at} TEXT" for at in range(len(SUMMED)))
        self._db.execute(
            f"CREATE TABLE asset (n INTEGER PRIMARY KEY, native TEXT, {keys}, {fields}, {sums},"
            " matched TEXT, flawed INTEGER, listed INTEGER, row TEXT, raw TEXT)"
        )
        self._db.execute("CREATE TABLE quarantine (place TEXT PRIMARY KEY, raw TEXT, issues TEXT) WITHOUT ROWID")
        self._db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def add(self, raws: Iterable[tuple[Any, ...]], *, judged: bool = False) -> None:
        """Map and keep rows; `judged`: secret and ignored ones have been left out."""
        judge = self.mapper.map if judged else self.mapper.judge
        batch: list[tuple[Any, ...]] = []
        with self._writing():
            for raw in raws:
                self._check_wanted()
                self.read += 1
                mapped = judge(raw)
                if mapped.fate in (Fate.LISTED, Fate.QUARANTINED):
                    batch.append(self._record(mapped, raw))
                if len(batch) >= _BATCH:
                    self._insert(batch)
                    batch = []
            self._insert(batch)

    def add_malformed(self, line: int, text: str) -> None:
        """A line of a file that is no row at all."""
        self.read += 1
        self._number += 1
        found = [issue("MALFORMED_ROW", None, text, "file")]
        self._issues[("MALFORMED_ROW", None)] += 1
        raw = {"line": line, "text": text[:2000]}
        place = quarantine_place(None, self._number)[0]
        with self._writing():
            self._db.execute("INSERT INTO quarantine VALUES (?, ?, ?)", (place, _json(raw), _json(found)))

    def _record(self, mapped: Mapped, raw: tuple[Any, ...]) -> tuple[Any, ...]:
        self._number += 1
        row = mapped.row
        assert row is not None
        listed = mapped.fate is Fate.LISTED
        matched = _SEPARATOR.join(fold(text) for name in MATCHED_FIELDS if (text := row.get(name)))
        self._issues.update(counted(row["issues"], listed=True))
        return (
            self._number,
            row["native"],
            *(mapped.native or [None] * len(self._keys)),
            *(_encoded(name, row.get(name)) for name in INDEXED),
            *(row.get(name) for name in SUMMED),
            matched,
            int(bool(row["issues"])),
            int(listed),
            _json(row),
            _json(self.mapper.raw_of(raw)),
        )

    def _insert(self, batch: list[tuple[Any, ...]]) -> None:
        if batch:
            marks = ", ".join("?" * len(batch[0]))
            self._db.executemany(f"INSERT INTO asset VALUES ({marks})", batch)

    def finish(self, stamp: SourceStamp, digest: str) -> None:
        """Settle what only all rows show, write indexes, mark the file complete, and see it on the disk."""
        with self._writing():
            self._finish(stamp, digest)
        sync(self.path)

    def _finish(self, stamp: SourceStamp, digest: str) -> None:
        code = f"f{INDEXED.index('code')}"
        self._db.execute(f"CREATE INDEX by_code ON asset ({code})")
        self._db.execute("CREATE INDEX by_native ON asset (native)")
        self._flag(
            f"{code} IN (SELECT {code} FROM asset WHERE {code} IS NOT NULL GROUP BY 1 HAVING count(*) > 1)",
            _code_issue,
            1,
        )
        self._flag(
            "native IN (SELECT native FROM asset WHERE native IS NOT NULL GROUP BY 1 HAVING count(*) > 1)",
            _key_issue,
            0,
        )
        self._keep_back()
        self._db.execute("DELETE FROM asset WHERE listed = 0")
        self._db.execute("DROP INDEX by_native")
        self._db.execute("CREATE UNIQUE INDEX by_native ON asset (native)")
        self._db.execute(f"CREATE INDEX by_key ON asset ({', '.join(self._keys)})")
        self._meta(stamp, digest)
        self._db.execute("COMMIT")
        self._db.execute("ALTER TABLE asset DROP COLUMN raw")
        self._db.execute("ANALYZE")
        self._db.execute("INSERT INTO meta VALUES (?, ?)", (COMPLETE, _json(datetime.now(UTC).isoformat())))
        self._db.close()

    def _keep_back(self) -> None:
        """Rows with a blocking issue, out of the list and into the quarantine, a batch at a time."""
        last = 0
        while batch := self._db.execute(
            f"SELECT n, native, raw, row FROM asset WHERE listed = 0 AND n > ? ORDER BY n LIMIT {_BATCH}", (last,)
        ).fetchall():
            kept = []
            for n, native, raw, text in batch:
                found = orjson.loads(text)["issues"]
                self._issues.subtract(counted(found, listed=True) - counted(found, listed=False))
                kept.append((quarantine_place(native, n)[0], raw, _json(found)))
            self._db.executemany("INSERT INTO quarantine VALUES (?, ?, ?)", kept)
            last = batch[-1][0]

    def _flag(self, where: str, make: Callable[[Row], Any], listed: int) -> None:
        """Add an issue to the rows of a condition. `listed` 0: it is a blocking one."""
        last = 0
        while True:
            rows = self._db.execute(
                f"SELECT n, row FROM asset WHERE n > ? AND {where} ORDER BY n LIMIT {_BATCH}", (last,)
            ).fetchall()
            if not rows:
                return
            changes = []
            for n, text in rows:
                row = orjson.loads(text)
                found = make(row)
                self._issues[(found["code"], found["field"])] += 1
                row["issues"] = sorted([*row["issues"], found], key=lambda item: (item["code"], item["field"] or ""))
                changes.append((_json(row), listed, n))
            self._db.executemany("UPDATE asset SET row = ?, flawed = 1, listed = min(listed, ?) WHERE n = ?", changes)
            last = rows[-1][0]

    def _meta(self, stamp: SourceStamp, digest: str) -> None:
        side = self.mapper.side
        listed = self._db.execute("SELECT count(*) FROM asset").fetchone()[0]
        quarantined = self._db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
        entries = {
            "format": FORMAT,
            "digest": digest,
            "token": stamp.token,
            "asOf": stamp.as_of.isoformat(),
            "listed": listed,
            "quarantined": quarantined,
            "read": self.read,
            "issues": [[code, name, count] for (code, name), count in sorted(self._issues.items(), key=str) if count],
            "units": self._kept_units(list(side.units.values())),
            "warehouses": list(side.warehouses.values()),
        }
        self._db.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(name, _json(value)) for name, value in entries.items()]
        )

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
            self._check_wanted()
            try:
                yield
            except sqlite3.OperationalError:
                self._check_wanted()  # `stop` interrupts a long statement
                raise

    def _check_wanted(self) -> None:
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


def _code_issue(row: Row) -> Any:
    return duplicate_code(row["code"])


def _key_issue(row: Row) -> Any:
    return duplicate_key(row["native"])


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
