"""One builder of an index at a time, over all processes of the machine.

The lock is SQLite's own, on a file beside the index: it is portable, and it goes with the process that holds it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["BuildLock"]


class BuildLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Whether it is ours now. Does not wait."""
        db = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            db.close()
            return False
        self._held = db
        return True

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
