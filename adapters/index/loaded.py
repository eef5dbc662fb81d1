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

from adapters.index.build import COMPLETE
from adapters.index.layout import FORMAT
from adapters.index.reader import connect

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
    fed_at: datetime
    """When what it holds began to be read, by a building or the last pass of a change feed."""
    scanned_at: datetime
    """The same, of the last reading that saw all keys."""
    sides: str
    took_s: float
    """How long its last whole building took."""
    units: list[dict[str, Any]] = field(default_factory=list)
    warehouses: list[dict[str, Any]] = field(default_factory=list)


def read_loaded(path: Path, digest: str, *, checked: bool) -> Loaded | None:
    """The index at this place; None where there is none that can be trusted. `checked`: look at every page of it."""
    if not path.exists():
        return None
    try:
        with closing(connect(path)) as db:
            if checked and db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return None
            meta = {name: orjson.loads(value) for name, value in db.execute("SELECT name, value FROM meta")}
        if meta["digest"] != digest or meta["format"] != FORMAT or not meta[COMPLETE]:
            return None
        return Loaded(
            token=meta["token"],
            as_of=datetime.fromisoformat(meta["asOf"]),
            built_at=datetime.fromisoformat(meta["builtAt"]),
            listed=meta["listed"],
            quarantined=meta["quarantined"],
            read=meta["read"],
            issues={(code, name): count for code, name, count in meta["issues"]},
            fed_at=datetime.fromisoformat(meta["fedAt"]),
            scanned_at=datetime.fromisoformat(meta["scannedAt"]),
            sides=meta["sides"],
            took_s=meta["tookS"],
            units=meta["units"],
            warehouses=meta["warehouses"],
        )
    except (sqlite3.Error, KeyError, ValueError):
        return None
