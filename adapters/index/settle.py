"""What only all rows show: keys and codes that occur twice; and the indexes.

Both a whole build and a change end here. `touched_key` and `touched_code` (temporary tables) hold the keys and codes
to be looked at: of a build those that occur twice, found by one pass over an index each; of a change those of the rows
that went or came. Rows with a key of another's are moved out of the list, and back when they are alone again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Final

from adapters.index.layout import BLOCKED, CODE_TWICE, KEY_TWICE, OWN, PLACE, Layout, row_of
from adapters.index.tally import make_tally
from adapters.mapping.issues import counted

__all__ = ["FILTERED", "ORDERED", "SHARED_ROWS_MAX", "IssueCounts", "Settling"]

IssueCounts = Counter[tuple[str, str | None]]
ORDERED: Final = ("code", "name", "classCode", "quantity", "acquiredOn", "originalValue", "netValue", "status")
FILTERED: Final = ("owner", "warehouse", "serialNumber")
SHARED_ROWS_MAX: Final = 2_000
"""Rows that share a value and are sorted by their keys for a page of a descending order: 2 ms. Where a value has more,
the descending order has an index of its own."""
_TOLD_BY_FLAWS: Final = (
    (("DUPLICATE_CODE", "code"), "asset", CODE_TWICE),
    (("DUPLICATE_KEY", None), "kept", KEY_TWICE),
)
_SAMPLED_ROWS = 1_000
"""Of each index: so many entries tell the planner how selective it is."""


class Settling:
    """`counts` are those of each row's own issues, as the rows were inserted; they are kept right when rows move."""

    def __init__(self, db: sqlite3.Connection, layout: Layout, counts: IssueCounts) -> None:
        self._db, self._layout, self._counts = db, layout, counts
        self._keys = ", ".join(layout.keys)
        self._same_key = " AND ".join(f"t.{key} = {{0}}.{key}" for key in layout.keys)
        self._code = layout.fields["code"]

    def prepare(self) -> None:
        """The temporary tables, empty."""
        keys = ", ".join(f"{key} NOT NULL" for key in self._layout.keys)
        self._db.execute("DROP TABLE IF EXISTS temp.touched_key")
        self._db.execute("DROP TABLE IF EXISTS temp.touched_code")
        self._db.execute(f"CREATE TEMP TABLE touched_key ({keys}, PRIMARY KEY ({self._keys})) WITHOUT ROWID")
        self._db.execute("CREATE TEMP TABLE touched_code (code TEXT PRIMARY KEY) WITHOUT ROWID")

    # --- after a build ----------------------------------------------------------------------------------------------

    def first_indexes(self) -> None:
        """Those that settling itself needs."""
        for table in ("asset", "kept"):
            self._db.execute(f"CREATE INDEX {table}_by_key ON {table} ({self._keys})")
            self._db.execute(f"CREATE INDEX {table}_by_code ON {table} ({self._code}, {self._keys})")

    def touch_all_twice(self) -> None:
        for table, columns in (("touched_key", self._keys), ("touched_code", self._code)):
            first = columns.partition(",")[0]
            for of in ("asset", "kept"):
                self._db.execute(
                    f"INSERT OR IGNORE INTO {table} SELECT {columns} FROM {of}"
                    f" WHERE {first} IS NOT NULL GROUP BY {columns} HAVING count(*) > 1"
                )
            self._db.execute(
                f"INSERT OR IGNORE INTO {table} SELECT {columns} FROM kept"
                f" WHERE {first} IS NOT NULL AND ({columns}) IN (SELECT {columns} FROM asset)"
            )

    def last_indexes(self, fed: bool) -> None:
        db, fields = self._db, self._layout.fields
        for name in ORDERED[1:] + FILTERED:
            db.execute(f"CREATE INDEX by_{name} ON asset ({fields[name]}, {self._keys})")
        db.execute(f"CREATE INDEX by_match ON asset ({self._keys}, matched)")
        db.execute(f"CREATE INDEX by_flaws ON asset ({self._keys}, flaws) WHERE flaws <> 0")
        db.execute("CREATE UNIQUE INDEX by_place ON kept (place)")
        if fed:
            for table in ("asset", "kept"):
                db.execute(f"CREATE INDEX {table}_by_ident ON {table} (ident, mark)")
                db.execute(f"CREATE INDEX {table}_by_changed ON {table} (changed) WHERE changed IS NOT NULL")
        for name in ORDERED:
            column = fields[name]
            most = db.execute(
                f"SELECT max(many) FROM (SELECT count(*) AS many FROM asset WHERE {column} IS NOT NULL GROUP BY {column})"
            ).fetchone()[0]
            if most and most > SHARED_ROWS_MAX:
                db.execute(f"CREATE INDEX by_{name}_down ON asset ({column} DESC, {self._keys})")
        make_tally(db, self._layout)
        db.execute(f"PRAGMA analysis_limit = {_SAMPLED_ROWS}")
        db.execute("ANALYZE")

    # --- settling ---------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        self._settle_keys()
        self._settle_codes()

    def _settle_keys(self) -> None:
        of_asset, of_kept = self._same_key.format("asset"), self._same_key.format("kept")
        self._db.execute("DROP TABLE IF EXISTS temp.twice_key")
        self._db.execute(
            "CREATE TEMP TABLE twice_key AS SELECT t.* FROM touched_key t WHERE"
            f" (SELECT count(*) FROM asset WHERE {of_asset}) + (SELECT count(*) FROM kept WHERE {of_kept}) > 1"
        )
        self._move("asset", "kept", f"n IN (SELECT asset.n FROM twice_key t JOIN asset ON {of_asset})")
        of_touched = f"n IN (SELECT kept.n FROM touched_key t JOIN kept ON {of_kept})"
        of_twice = f"n IN (SELECT kept.n FROM twice_key t JOIN kept ON {of_kept})"
        self._db.execute(f"UPDATE kept SET flaws = flaws & ~{KEY_TWICE} WHERE {of_touched}")
        self._db.execute(f"UPDATE kept SET flaws = flaws | {KEY_TWICE} WHERE {of_twice}")
        self._move("kept", "asset", f"{of_touched} AND flaws & {BLOCKED | KEY_TWICE} = 0")

    def _move(self, source: str, target: str, where: str) -> None:
        """Rows that change the table, and what that does to the counts: of rows kept back only blocking issues count."""
        listed = target == "asset"
        step: Callable[..., None] = self._counts.update if listed else self._counts.subtract
        for (row,) in self._db.execute(f"SELECT row FROM {source} WHERE {where} AND flaws & {OWN}"):
            issues = row_of(row, OWN)["issues"]
            step(counted(issues, listed=True) - counted(issues, listed=False))
        names = ", ".join(self._layout.names)
        more, value = ("", "") if listed else (", place", f", {PLACE}")
        self._db.execute(f"INSERT INTO {target} ({names}{more}) SELECT {names}{value} FROM {source} WHERE {where}")
        self._db.execute(f"DELETE FROM {source} WHERE {where}")

    def _settle_codes(self) -> None:
        code = self._code
        self._db.execute("DROP TABLE IF EXISTS temp.twice_code")
        self._db.execute(
            "CREATE TEMP TABLE twice_code AS SELECT t.code AS code FROM touched_code t WHERE"
            f" (SELECT count(*) FROM asset WHERE {code} = t.code) + (SELECT count(*) FROM kept WHERE {code} = t.code) > 1"
        )
        for table in ("asset", "kept"):
            self._db.execute(
                f"UPDATE {table} SET flaws = CASE WHEN {code} IN (SELECT code FROM twice_code)"
                f" THEN flaws | {CODE_TWICE} ELSE flaws & ~{CODE_TWICE} END"
                f" WHERE n IN (SELECT {table}.n FROM touched_code t JOIN {table} ON {table}.{code} = t.code)"
            )

    def issues(self) -> IssueCounts:
        """All counts: those of the rows' own issues, and of what stands in `flaws`."""
        found = Counter({key: count for key, count in self._counts.items() if count})
        for name, table, bit in _TOLD_BY_FLAWS:
            (count,) = self._db.execute(f"SELECT count(*) FROM {table} WHERE flaws <> 0 AND flaws & {bit}").fetchone()
            if count:
                found[name] = count
        return found
