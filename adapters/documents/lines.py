"""A folder of collections as JSON lines, as `mongoexport` writes them: `<collection>.jsonl`, one document a line.

What only a document store knows (`{"$oid": …}`, `{"$date": …}`) becomes the plain value that its driver gives. The
asset collection is whole when its companion (`ready_suffix`) says as many lines as it has; without one, once it has lain
still (`settle_s`). A line that is no document, or not ended, makes the whole file unusable: the last good state stays.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from adapters.documents.paths import at_path
from adapters.documents.source import DocumentSource
from adapters.index import IndexedStore, RowSource, SourceStamp
from adapters.mapping.fields import condition_test
from adapters.mapping.model import Condition, Mapping
from adapters.model import SourceRefused, Store, StoreUnavailable
from adapters.tabular.reach import Reach
from adapters.tabular.settled import Settled

__all__ = ["LINES_SUFFIX", "LineDocuments", "lines_source", "open_lines", "read_documents"]

EXPORT_UNFINISHED: Final = "EXPORT_UNFINISHED"
LINES_SUFFIX: Final = ".jsonl"
_BATCH = 500
_LINE_BYTES_MAX = 16 << 20
"""As long as a document of a document store can be."""


def open_lines(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, lines_source(mapping), cache_dir)


def lines_source(mapping: Mapping) -> RowSource:
    return DocumentSource(mapping, LineDocuments(mapping))


class LineDocuments:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._folder = Path(mapping.store.url)
        self._settled = Settled(mapping.file.settle_s)
        self._reach = Reach("the folder of exports", mapping.store.guest.statement_timeout_s)

    async def close(self) -> None:
        return None

    async def stamp(self) -> SourceStamp:
        return await self._reach.ask(self._stamp)

    def _path(self, collection: str) -> Path:
        return self._folder / f"{collection}{LINES_SUFFIX}"

    def _stamp(self) -> SourceStamp:
        assets, lines = self._path(self._mapping.table), None
        listings = (self._mapping.units, self._mapping.warehouses)
        names = [listing.table for listing in listings if listing.origin == "table"]
        names += [lookup.table for lookup in self._mapping.lookups.values()]
        try:
            statuses = [path.stat() for path in (assets, *(self._path(name) for name in sorted(set(names))))]
        except OSError:
            raise StoreUnavailable(f"{assets.name} or a file beside it is gone") from None
        if self._mapping.file.ready_suffix is not None:
            lines = self._announced(assets)
        elif not self._settled.holds(assets):
            raise StoreUnavailable(f"{assets.name} may still be being written", EXPORT_UNFINISHED)
        parts = [lines, *(value for status in statuses for value in (status.st_size, status.st_mtime_ns))]
        as_of = datetime.fromtimestamp(statuses[0].st_mtime, UTC)
        return SourceStamp(" ".join(map(str, parts)), as_of, is_proved_whole=lines is not None)

    def _announced(self, assets: Path) -> int:
        ready = assets.with_suffix(self._mapping.file.ready_suffix or "")
        try:
            return int(ready.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            raise StoreUnavailable(
                f"{assets.name} is not finished: there is no {ready.name}", EXPORT_UNFINISHED
            ) from None
        except (OSError, ValueError):
            raise StoreUnavailable(f"{ready.name} cannot be read") from None

    async def assets(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Raises `SourceRefused` where the file is not whole."""
        announced = self._mapping.file.ready_suffix is not None
        lines = await self._reach.ask(lambda: self._announced(self._path(self._mapping.table))) if announced else None
        count = 0
        async for batch in self.find(self._mapping.table, (), ()):
            count += len(batch)
            yield batch
        if lines is not None and count != lines:
            raise SourceRefused(f"{count} documents came where {lines} were announced", EXPORT_UNFINISHED)

    async def find(
        self, collection: str, where: tuple[Condition, ...], columns: Sequence[str]
    ) -> AsyncIterator[list[dict[str, Any]]]:
        asked = {condition.column: at for at, condition in enumerate(where)}
        holds = [condition_test(condition, asked) for condition in where]
        documents = read_documents(self._path(collection))
        while batch := await self._reach.ask(lambda: _some(documents)):
            if not holds:
                yield batch
                continue
            rows = [(document, tuple(at_path(document, column) for column in asked)) for document in batch]
            yield [document for document, row in rows if all(test(row) for test in holds)]


def read_documents(path: Path) -> Iterator[dict[str, Any]]:
    """Raises `StoreUnavailable`, or `SourceRefused` at a line that is no document."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LINE_BYTES_MAX):
                number += 1
                if not line.endswith(b"\n"):
                    raise SourceRefused(f"line {number} of {path.name} is not ended", EXPORT_UNFINISHED)
                if line.strip():
                    yield _document(line, f"line {number} of {path.name}")
    except OSError:
        raise StoreUnavailable(f"{path.name} cannot be read") from None


def _some(documents: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [document for _, document in zip(range(_BATCH), documents, strict=False)]


def _document(line: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8-sig"), parse_float=Decimal, object_hook=_plain)
    except (ValueError, RecursionError, InvalidOperation):
        raise SourceRefused(f"{where} is no JSON document") from None
    if not isinstance(found, dict):
        raise SourceRefused(f"{where} is no JSON document")
    return found


def _plain(found: dict[str, Any]) -> Any:
    """Extended JSON, canonical or relaxed."""
    if len(found) != 1:
        return found
    ((mark, value),) = found.items()
    match mark:
        case "$oid":
            return str(value)
        case "$numberInt" | "$numberLong":
            return int(value)
        case "$numberDecimal" | "$numberDouble":
            return Decimal(value)
        case "$date" if isinstance(value, int):
            return datetime.fromtimestamp(value / 1000, UTC)
        case "$date":
            return datetime.fromisoformat(value)
    return found
