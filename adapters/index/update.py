"""Changing an index in place: one transaction, which a process that dies in its middle leaves undone.

What is changed is told by `ident`: all rows of the index with it go, all that the store has with it come. So whatever
was reported too often costs a reading and nothing else. Idents lie in temporary tables on the disk, never in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

import orjson

from adapters.index.build import BuildStopped, write_meta, write_state
from adapters.index.layout import OWN, PLACE, Layout, row_of
from adapters.index.settle import IssueCounts, Settling
from adapters.index.source import FedRow, SourceStamp
from adapters.mapping.issues import counted
from adapters.mapping.mapper import Fate, RowMapper

__all__ = ["BUCKET_DIGITS", "SUM_DIGITS", "IndexUpdate", "bucket_of", "bucket_sums"]

_BUSY_S = 30.0
_CACHE_KB = 16_384
BUCKET_DIGITS = 3
"""Hexadecimal digits of a bucket's name: 4,096 of them, 250 rows each where a store has a million."""
SUM_DIGITS = 8


def bucket_of(ident: str) -> str:
    """By the key's texts, joined as every engine can: NUL is no character of PostgreSQL's."""
    return md5(ident.replace("\x00", "|").encode(), usedforsecurity=False).hexdigest()[:BUCKET_DIGITS]


def bucket_sums(rows: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int, int]]:
    """Of each bucket: rows, and the sums of the first and second eight digits of their digests."""
    found: dict[str, tuple[int, int, int]] = {}
    for ident, mark in rows:
        count, first, second = found.get(bucket := bucket_of(ident), (0, 0, 0))
        found[bucket] = (
            count + 1,
            first + int(mark[:SUM_DIGITS], 16),
            second + int(mark[SUM_DIGITS : 2 * SUM_DIGITS], 16),
        )
    return found


class IndexUpdate:
    """In one thread at a time, off the event loop; `stop` may be called from any."""

    def __init__(self, path: Path, mapper: RowMapper) -> None:
        self._mapper, self._layout = mapper, Layout(mapper.mapping)
        self._stopped = threading.Event()
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_S,
            check_same_thread=False,
            isolation_level=None,
        )
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._db.execute("PRAGMA secure_delete = ON")  # a row that has become secret leaves no bytes either
        self._db.create_function("gwc_bucket", 1, bucket_of, deterministic=True)
        self._meta = {
            name: orjson.loads(value)
            for name, value in self._db.execute("SELECT name, value FROM meta WHERE name IN ('next', 'own', 'fedAt')")
        }
        self._counts: IssueCounts = Counter({(code, name): count for code, name, count in self._meta["own"]})
        self._number: int = self._meta["next"]
        self._settling = Settling(self._db, self._layout, self._counts)
        for table in ("scanned (ident TEXT, mark TEXT)", "changed (ident TEXT PRIMARY KEY) WITHOUT ROWID"):
            self._db.execute(f"CREATE TEMP TABLE {table}")
        self._settling.prepare()
        names = self._layout.names
        self._insert = f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        self.rows_changed = 0

    def close(self) -> None:
        """Undoes what has not been committed."""
        self._db.close()

    def stop(self) -> None:
        self._stopped.set()

    def _check_wanted(self) -> None:
        if self._stopped.is_set():
            raise BuildStopped

    # --- what has changed -------------------------------------------------------------------------------------------

    def latest(self, until: str, column: int) -> Any:
        """The native time of change of the row changed last, but not after `until` (canonical); None: there is none."""
        found = [
            record
            for table in ("asset", "kept")
            for record in self._db.execute(
                f"SELECT changed, json_extract(raw, '$[{column}]') FROM {table}"
                " WHERE changed <= ? ORDER BY changed DESC LIMIT 1",
                (until,),
            )
        ]
        return max(found, key=lambda record: record[0])[1] if found else None

    def bucket_sums(self) -> dict[str, tuple[int, int, int]]:
        return bucket_sums(
            self._db.execute(
                "SELECT ident, mark FROM asset WHERE ident IS NOT NULL"
                " UNION ALL SELECT ident, mark FROM kept WHERE ident IS NOT NULL"
            )
        )

    def scanned(self, rows: Iterable[tuple[str, str | None]]) -> None:
        self._check_wanted()
        self._db.executemany("INSERT INTO temp.scanned VALUES (?, ?)", rows)

    def changed(self, idents: Iterable[str]) -> None:
        self._check_wanted()
        self._db.executemany("INSERT OR IGNORE INTO temp.changed VALUES (?)", ((ident,) for ident in idents))

    def compare_scan(self, buckets: Sequence[str] | None) -> None:
        """Whatever is not on both sides, as often, is changed: new rows, other marks, and rows that are gone."""
        within = ""
        if buckets is not None:
            self._db.execute("CREATE TEMP TABLE bucket (name TEXT PRIMARY KEY) WITHOUT ROWID")
            self._db.executemany("INSERT INTO bucket VALUES (?)", ((name,) for name in buckets))
            within = " AND gwc_bucket(ident) IN (SELECT name FROM bucket)"
        mine = " UNION ALL ".join(
            f"SELECT ident, mark, -1 FROM {table} WHERE ident IS NOT NULL{within}" for table in ("asset", "kept")
        )
        self._db.execute(
            "INSERT OR IGNORE INTO temp.changed SELECT ident FROM"
            f" (SELECT ident, mark, 1 AS side FROM temp.scanned UNION ALL {mine})"
            " GROUP BY ident, mark HAVING sum(side) <> 0"
        )

    def batches(self, size: int) -> Iterator[list[str]]:
        """The changed idents."""
        last = ""
        while batch := self._db.execute(
            "SELECT ident FROM temp.changed WHERE ident > ? ORDER BY ident LIMIT ?", (last, size)
        ).fetchall():
            last = batch[-1][0]
            yield [ident for (ident,) in batch]

    # --- changing ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def replace(self, idents: Sequence[str], rows: Iterable[FedRow]) -> None:
        """All rows with these idents by those that the store has now."""
        self._check_wanted()
        for table in ("asset", "kept"):
            self._remove(table, f"ident IN ({', '.join('?' * len(idents))})", idents)
        self._add(rows)

    def replace_unkeyed(self) -> None:
        """Rows without a key go; they come again by `add_unkeyed`."""
        self._remove("kept", "ident IS NULL", ())

    def add_unkeyed(self, rows: Iterable[FedRow]) -> None:
        self._check_wanted()
        self._add(rows)

    def _remove(self, table: str, where: str, values: Sequence[Any]) -> None:
        code, listed = self._layout.fields["code"], table == "asset"
        keys = ", ".join(self._layout.keys)
        found = self._db.execute(f"SELECT {code}, flaws, row, {keys} FROM {table} WHERE {where}", values).fetchall()
        for own_code, flaws, row, *key in found:
            self._touch(own_code, key)
            if flaws & OWN:
                self._counts.subtract(counted(row_of(row, OWN)["issues"], listed))
        self._db.execute(f"DELETE FROM {table} WHERE {where}", values)

    def _add(self, rows: Iterable[FedRow]) -> None:
        for ident, mark, raw in rows:
            mapped = self._mapper.map(raw)
            listed = mapped.fate is Fate.LISTED
            if mapped.issues:
                self._counts.update(counted(mapped.issues, listed))
            record = self._layout.record(self._number, ident, mark, mapped, raw)
            table = "asset" if listed else "kept"
            self._db.execute(f"INSERT INTO {table} {self._insert}", record)
            if not listed:
                self._db.execute(f"UPDATE kept SET place = {PLACE} WHERE n = ?", (self._number,))
            assert mapped.row is not None
            self._touch(mapped.row["code"], mapped.native)
            self._number += 1
            self.rows_changed += 1

    def _touch(self, code: str | None, key: Sequence[Any]) -> None:
        if code is not None:
            self._db.execute("INSERT OR IGNORE INTO touched_code VALUES (?)", (code,))
        if key and key[0] is not None:
            self._db.execute(f"INSERT OR IGNORE INTO touched_key VALUES ({', '.join('?' * len(key))})", tuple(key))

    def commit(self, stamp: SourceStamp, state: dict[str, Any]) -> None:
        self._check_wanted()
        self._settling.settle()
        own = [[code, name, count] for (code, name), count in self._counts.items() if count]
        write_meta(self._db, {"next": self._number, "own": own, **state})
        write_state(self._db, stamp, self._settling)
        self._db.execute("COMMIT")
