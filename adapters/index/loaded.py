"""An index file as it is found: what it says of itself, and whether it can be trusted.

A file is trusted when its last entry was written (`COMPLETE`), by this format and this very mapping, and, where another
run left it, when SQLite finds no page of it damaged.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from adapters.index.build import COMPLETE, FORMAT

__all__ = ["Loaded", "read_loaded"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of the index in use."""

    token: str
    as_of: datetime
    built_at: datetime
    listed: int
    quarantined: int
    read: int
    """Rows of the source, whatever became of them."""
    issues: dict[tuple[str, str | None], int]
    units: list[dict[str, Any]] = field(default_factory=list)
    warehouses: list[dict[str, Any]] = field(default_factory=list)


def read_loaded(path: Path, digest: str, *, checked: bool) -> Loaded | None:
    """The index at this place; None where there is none that can be trusted. `checked`: look at every page of it."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            if checked and db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return None
            meta = {name: orjson.loads(value) for name, value in db.execute("SELECT name, value FROM meta")}
        if meta["digest"] != digest or meta["format"] != FORMAT:
            return None
        return Loaded(
            token=meta["token"],
            as_of=datetime.fromisoformat(meta["asOf"]),
            built_at=datetime.fromisoformat(meta[COMPLETE]),
            listed=meta["listed"],
            quarantined=meta["quarantined"],
            read=meta["read"],
            issues={(code, name): count for code, name, count in meta["issues"]},
            units=meta["units"],
            warehouses=meta["warehouses"],
        )
    except (sqlite3.Error, KeyError, ValueError):
        return None
