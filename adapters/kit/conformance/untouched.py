"""Read-only: the store is, after all checks, as it was before them.

SQLite tells another connection whether anything was committed (`PRAGMA data_version`); files tell by size, time and
digest. Servers keep no such number for a guest: their rows are read again, version and all. A change made by the
store's own users in the meantime looks the same, so the finding says to check once more on a quiet store.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.mapping.model import FILE_ENGINES, Mapping

__all__ = ["Probe", "probe_of", "untouched_check"]

Probe = Callable[[], Awaitable[str]]
"""Two equal answers: nothing has changed in between."""
_DIGESTED_BYTES_MAX = 64 << 20
"""Of larger files, size and time decide."""


def probe_of(mapping: Mapping) -> Probe | None:
    """None where only reading all rows again can tell."""
    path = Path(mapping.store.url)
    if mapping.store.engine == "sqlite":
        return _SqliteProbe(path)
    if mapping.store.engine in FILE_ENGINES:
        return lambda: asyncio.to_thread(_files_state, path)
    return None


class _SqliteProbe:
    """Keeps one connection: `data_version` is told to a connection that was there before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def __call__(self) -> str:
        return await asyncio.to_thread(self._state)

    def _state(self) -> str:
        if self._connection is None:
            uri = f"file:{quote(str(self._path))}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        return f"{self._connection.execute('PRAGMA data_version').fetchone()[0]} {self._path.stat().st_ino}"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _files_state(path: Path) -> str:
    files = sorted(found for found in path.iterdir() if found.is_file()) if path.is_dir() else [path]
    return "\n".join(" ".join(_file_state(found)) for found in files)


def _file_state(path: Path) -> Iterator[str]:
    status = path.stat()
    yield path.name
    yield f"{status.st_size} {status.st_mtime_ns}"
    if status.st_size <= _DIGESTED_BYTES_MAX:
        yield hashlib.sha256(path.read_bytes()).hexdigest()


def untouched_check(before: str | None, probe: Probe | None, why_not: str = "") -> Check:
    """`before`: what the probe said before the first check."""

    async def look(subject: Subject) -> Findings:
        if probe is None:
            return Findings(skipped=why_not)
        findings = Findings(looked_at="the store's state before the first check and after the last")
        if await probe() != before:
            findings.add("the store's state", expected="as before the checks", found="changed while it was checked")
        return findings

    return Check(
        "read-only",
        "the adapter has written nothing: the store is as it was before the checks",
        look,
        "If the store's own users were at work, check again on a quiet store or a copy. If not, the adapter writes: "
        "give it an account that may only read.",
    )
