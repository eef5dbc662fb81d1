"""Whether a file that nobody announces as whole has lain unchanged for long enough to be believed finished."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["Settled"]


class Settled:
    """Remembers what it has seen: a file's own time alone may be of another machine's clock."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        """File → its size and time, and since when (monotonic) they are as they are."""

    def holds(self, path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            return False
        state, now = (status.st_size, status.st_mtime_ns), time.monotonic()
        known = self._seen.get(path)
        if known is None or known[0] != state:
            age = time.time() - status.st_mtime if known is None else 0.0
            known = self._seen[path] = (state, now - max(0.0, age))
        return now - known[1] >= self._settle_s
