"""A folder of CSV exports: the newest whole file is the store.

An export counts as whole when its companion (`ready_suffix`) lies beside it and says as many data lines as the file
has. Where the district writes no companions, a file counts once it has lain unchanged for `settle_s`; nothing proves
that it is whole, so the index refuses one that is far shorter than the last good one. A file that is not whole, or has
lost a column the mapping needs, never replaces the last good one; it is named as the store's fault, and so is a folder
that does not answer (`reach`). Encoding is told by the byte order mark, else by whether the bytes are UTF-8; columns are
found by their headings, whatever their order. Where the mapping names another encoding, a file that has become UTF-8 is
refused: GB18030 would read it as other characters.
"""

from __future__ import annotations

import codecs
import io
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.index import IndexBuilder, IndexedStore, SourceStamp, add_numbered
from adapters.index.numbered import Numbered
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Listing, Mapping
from adapters.model import SourceRefused, Store, StoreUnavailable
from adapters.sides import listing_entries, lookup_entries
from adapters.status import Fault
from adapters.tabular.reach import Reach
from adapters.tabular.records import Record, records
from adapters.tabular.settled import Settled

__all__ = ["CsvSource", "detect_encoding", "open_csv"]

EXPORT_UNFINISHED = "EXPORT_UNFINISHED"
ENCODING_CHANGED = "ENCODING_CHANGED"
_PROBE_BYTES = 1 << 16


def detect_encoding(path: Path, moved: Callable[[], None] = lambda: None) -> str:
    """`utf-8-sig`, `utf-8` or `gb18030`: the byte order mark decides, else whether the whole file is UTF-8.

    `moved` is called for each piece that came."""
    return _read_encoding(path, moved)[0]


def _read_encoding(path: Path, moved: Callable[[], None]) -> tuple[str, bool]:
    """And whether it surely is that one: of what is all ASCII nobody can tell, nor need to."""
    is_ascii = True
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig", True
        if head.startswith(b"\x84\x31\x95\x33"):
            return "gb18030", True
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_PROBE_BYTES):
                moved()
                decoder.decode(chunk)
                is_ascii = is_ascii and chunk.isascii()
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030", True
    return "utf-8", not is_ascii


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written; None of what is no file: a pipe changes by being read."""
    status = path.stat()
    return (status.st_ino, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def open_csv(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, CsvSource(mapping), cache_dir)


def _unfinished(message: str | None) -> Fault | None:
    return None if message is None else Fault(EXPORT_UNFINISHED, message)


class CsvSource:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._folder = Path(mapping.store.url)
        self._settled = Settled(mapping.file.settle_s)
        self._last_line = ""
        """Of the file that was read last, with its line break."""
        self._reach = Reach("the drop folder", mapping.store.guest.statement_timeout_s)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def stamp(self) -> SourceStamp:
        return await self._reach.ask(self._stamp)

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        return await self._reach.ask(lambda: self._load(builder))

    # --- which file -----------------------------------------------------------------------------------------------

    def _exports(self) -> list[Path]:
        """All exports, newest first."""
        if self._folder.is_file():
            return [self._folder]
        try:
            return sorted(self._folder.glob(self._mapping.file.pattern), reverse=True)
        except OSError:
            raise StoreUnavailable("the drop folder cannot be read") from None

    def _newest_whole(self) -> tuple[Path, int | None, Fault | None]:
        """(the file, the lines it must have where that is announced, what is wrong with a newer one)."""
        fault: str | None = None
        suffix = self._mapping.file.ready_suffix
        for path in self._exports():
            if suffix is None:
                if self._settled.holds(path):
                    return path, None, _unfinished(fault)
                fault = fault or f"{path.name} may still be being written: it has changed lately"
                continue
            ready = path.with_suffix(suffix)
            try:
                return path, int(ready.read_text(encoding="ascii").strip()), _unfinished(fault)
            except FileNotFoundError:
                fault = fault or f"{path.name} is not finished: there is no {ready.name}"
            except (OSError, ValueError):
                fault = fault or f"{ready.name} cannot be read"
        raise StoreUnavailable(fault or "the drop folder holds no finished export", EXPORT_UNFINISHED)

    def _stamp(self) -> SourceStamp:
        path, lines, fault = self._newest_whole()
        try:
            status = path.stat()
            sides = [(self._folder / name).stat() for name in self._side_files()]
        except OSError:
            raise StoreUnavailable(f"{path.name} or a file beside it is gone") from None
        parts = [path.name, status.st_size, status.st_mtime_ns, lines]
        parts += [value for side in sides for value in (side.st_size, side.st_mtime_ns)]
        as_of = datetime.fromtimestamp(status.st_mtime, UTC)
        return SourceStamp(" ".join(map(str, parts)), as_of, fault, is_proved_whole=lines is not None)

    def _side_files(self) -> list[str]:
        listings = (self._mapping.units, self._mapping.warehouses)
        names = [listing.table for listing in listings if listing.origin == "table"]
        return sorted({*names, *(lookup.table for lookup in self._mapping.lookups.values())})

    # --- reading --------------------------------------------------------------------------------------------------

    def _load(self, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        path, lines, _ = self._newest_whole()
        before = _state(path)
        building = builder(self._sides(path))
        counted = _Counted(self._lines(path))
        add_numbered(building, counted)
        if _state(path) != before:
            raise StoreUnavailable(f"{path.name} has changed while it was read", EXPORT_UNFINISHED)
        if self._mapping.file.final_newline and not self._last_line.endswith(("\n", "\r")):
            # Else its last cell may be half a cell, and no number of lines shows it.
            raise SourceRefused(
                f"{path.name} does not end in a line break: it is cut off (or see file.final_newline)",
                EXPORT_UNFINISHED,
            )
        if lines is not None and counted.count != lines:
            raise SourceRefused(
                f"{path.name} has {counted.count} lines where {lines} were announced: it is not whole",
                EXPORT_UNFINISHED,
            )
        return building

    def _lines(self, path: Path) -> Iterator[Numbered]:
        """Each row in the mapping's column order, what is none as text, with the number of the line it begins in."""
        rows = self._rows(path)
        headings = _headings(next(rows, None))
        if headings is None:
            raise SourceRefused(f"{path.name} is empty, or its headings cannot be read")
        missing = [column for column in self._mapping.columns if column not in headings]
        if missing:
            raise SourceRefused(f"{path.name} has no column {', '.join(missing)}")
        twice = [column for column in self._mapping.columns if headings.count(column) > 1]
        if twice:
            raise SourceRefused(f"{path.name} has more than one column {', '.join(twice)}")
        places = [headings.index(column) for column in self._mapping.columns]
        for number, cells in rows:
            if isinstance(cells, str):
                yield number, cells
            elif len(cells) == len(headings):
                yield number, tuple(cells[place] for place in places)
            elif cells:
                yield number, ",".join(cells)

    def _rows(self, path: Path) -> Iterator[Record]:
        encoding = self._mapping.store.encoding
        if encoding == "auto":
            encoding = detect_encoding(path, self._reach.moved)
        elif not encoding.startswith("utf-8") and self._is_surely_utf_8(path):
            raise SourceRefused(f"{path.name} is UTF-8 where the mapping says {encoding}", ENCODING_CHANGED)
        try:
            with path.open("rb") as binary, io.TextIOWrapper(binary, encoding=encoding, newline="") as file:
                yield from records(self._watched(file))
        except UnicodeDecodeError:
            raise SourceRefused(f"{path.name} is not {encoding}") from None
        except OSError:
            raise StoreUnavailable(f"{path.name} cannot be read") from None

    def _is_surely_utf_8(self, path: Path) -> bool:
        found, is_sure = _read_encoding(path, self._reach.moved)
        return is_sure and found.startswith("utf-8")

    def _watched(self, file: Iterable[str]) -> Iterator[str]:
        """Its lines, and how the last one ended."""
        for line in file:
            self._reach.moved()
            self._last_line = line
            yield line

    def _sides(self, export: Path) -> SideTables:
        side = SideTables()
        for name, lookup in self._mapping.lookups.items():
            columns = [lookup.key, lookup.value, *([lookup.label] if lookup.label else [])]
            records = self._records(self._folder / lookup.table)
            side.lookups[name] = lookup_entries(tuple(record.get(column) for column in columns) for record in records)
        side.units = self._listing(self._mapping.units, export)
        side.warehouses = self._listing(self._mapping.warehouses, export)
        return side

    def _listing(self, listing: Listing, export: Path) -> dict[str, dict[str, Any]]:
        if listing.origin == "table":
            return listing_entries(listing, self._records(self._folder / listing.table))
        if listing.origin == "rows":
            return listing_entries(listing, self._records(export))
        return {}

    def _records(self, path: Path) -> Iterator[dict[str, str]]:
        rows = self._rows(path)
        headings = _headings(next(rows, None)) or []
        for _, cells in rows:
            if not isinstance(cells, str) and len(cells) == len(headings):
                yield dict(zip(headings, cells, strict=True))


def _headings(record: Record | None) -> list[str] | None:
    if record is None or isinstance(record[1], str):
        return None
    return [heading.removeprefix("\ufeff").strip() for heading in record[1]]


class _Counted:
    def __init__(self, items: Iterable[Numbered]) -> None:
        self._items, self.count = items, 0

    def __iter__(self) -> Iterator[Numbered]:
        for item in self._items:
            self.count += 1
            yield item
