"""A local index of mapped rows: how a store is read that cannot order, search or report changes well.

    source (files, documents, a slow server) ─▶ mapper ─▶ IndexBuilder ─▶ <region>.index.sqlite ─▶ IndexedStore

The index is one SQLite file, never the authority and rebuilt at will: when the source's stamp changes, a new file is
written beside the old one and takes its place at once, so a source that is half written or gone leaves the last good
index standing and shows its fault; where the source has a change feed, what has changed is applied in one transaction.
Secret rows never enter; quarantined rows lie apart. A request is answered by ranges of the index's own indexes
(`pages`), out of one state of it (`reader`).
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.evaluate import group_text, order_value
from adapters.guest import Gate
from adapters.index.keeper import IndexKeeper
from adapters.index.layout import Layout, issues_of, raw_of, row_of
from adapters.index.loaded import Loaded
from adapters.index.plan import PagePlan, is_tallied
from adapters.index.reader import IndexReader
from adapters.index.source import RowSource
from adapters.index.tally import grouped
from adapters.index.where import Conditions
from adapters.mapping.mapper import native_kinds
from adapters.mapping.model import Mapping
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
)
from adapters.status import Explanation, Reason, ReasonCode, StoreHealth
from contract.order import SortValue

__all__ = ["IndexedStore"]

_BATCH = 500


class IndexedStore:
    def __init__(
        self, mapping: Mapping, source: RowSource, cache_dir: Path | None, *, gate: Gate | None = None
    ) -> None:
        """`gate`: tells when the source may be looked at, where it is not the wall clock that does (in tests)."""
        self.mapping, self._source = mapping, source
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = mapping.capabilities
        self._own_folder = None if cache_dir else tempfile.TemporaryDirectory(prefix="gwc-index-")
        folder = cache_dir or Path(self._own_folder.name if self._own_folder else ".")
        self._keeper = IndexKeeper(mapping, source, folder, gate)
        self._reader = IndexReader(self._keeper.path)
        self._layout = Layout(mapping)
        self._conditions = Conditions(mapping, self._layout)

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """The index of an earlier run answers at once; where there is none, the first is waited for."""
        await self._keeper.open()

    async def close(self) -> None:
        await self._reader.close()
        await self._keeper.close()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    async def refresh(self) -> None:
        """Look at the source now, and wait until what it holds is the index, or is known to be unusable."""
        await self._keeper.refresh()

    async def _current(self) -> Loaded:
        return await self._keeper.current()

    async def health(self) -> StoreHealth:
        return self._keeper.health()

    async def explain(self, request: PageRequest) -> Explanation:
        """The index does all of every request: nothing is asked of the store."""
        statement = "; ".join(self._plan(request).statements)
        reason = Reason(ReasonCode.MODE, "the mapping has this store read through a local index")
        return Explanation("index", "index", "index", statement, request.limit + 1, (reason,))

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        loaded = await self._current()
        found = await self._reader.run(self._plan(request).read)
        has_more = len(found) > request.limit
        del found[request.limit :]
        if request.backward:
            found.reverse()
        rows = [self._row(text, flaws, loaded) for text, flaws, *_ in found]
        return Page(
            rows=rows,
            sort_values=[tuple(order_value(term.field, row) for term in request.order) for row in rows],
            native_values=[tuple(key) for _, _, *key in found],
            has_more=has_more,
        )

    def _plan(self, request: PageRequest) -> PagePlan:
        return PagePlan(request, self._conditions, self._layout)

    def _row(self, text: str, flaws: int, loaded: Loaded) -> Row:
        row = row_of(text, flaws)
        row["observedAt"] = loaded.as_of.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
        return row

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Map[str, Row]:
        loaded = await self._current()
        wanted = list(dict.fromkeys(natives))

        def read(db: sqlite3.Connection) -> list[tuple[str, int]]:
            found = []
            for start in range(0, len(wanted), _BATCH):
                values: list[Any] = []
                where = self._conditions.key_in(wanted[start : start + _BATCH], values)
                found += db.execute(f"SELECT row, flaws FROM asset WHERE {where}", values).fetchall()
            return found

        found = {row["native"]: row for text in await self._reader.run(read) for row in (self._row(*text, loaded),)}
        return {native: found[native] for native in wanted if native in found}

    async def count(self, filter_: Filter | None) -> int:
        loaded = await self._current()
        if filter_ is None:
            return loaded.listed
        values: list[Any] = []
        where = self._conditions.write(filter_, values)
        counted = "ifnull(sum(many), 0) FROM tally" if is_tallied(filter_) else "count(*) FROM asset"
        statement = f"SELECT {counted} WHERE {where}"
        (count,) = await self._reader.run(lambda db: db.execute(statement, values).fetchone())
        return int(count)

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        await self._current()
        values: list[Any] = []
        keys = [self._conditions.group_column(name) for name in by]
        where = self._conditions.write(filter_, values)
        tallied = is_tallied(filter_)
        found = await self._reader.run(lambda db: grouped(db, keys, self._layout, where, values, tallied=tallied))
        groups = [
            GroupRow(
                tuple(group_text(name, value) for name, value in zip(by, record, strict=False)),
                record[len(by)],
                *record[len(by) + 1 :],
            )
            for record in found
            if record[len(by)]
        ]
        return sorted(groups, key=lambda group: tuple((part is None, part or "") for part in group.key))

    async def quality(self) -> QualityReport:
        loaded = await self._current()
        return QualityReport(loaded.listed + loaded.quarantined, loaded.listed, loaded.quarantined, loaded.issues)

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        await self._current()
        statement = "SELECT place, raw, row, flaws FROM kept WHERE place > ? ORDER BY place LIMIT ?"
        values = (after[0] if after else "", limit)
        found = await self._reader.run(lambda db: db.execute(statement, values).fetchall())
        return [
            QuarantinedRow((place,), raw_of(raw, self._layout.columns), issues_of(row, flaws))
            for place, raw, row, flaws in found
        ]

    async def units(self) -> Sequence[Map[str, Any]]:
        return (await self._current()).units

    async def warehouses(self) -> Sequence[Map[str, Any]]:
        return (await self._current()).warehouses

    async def as_of(self) -> datetime:
        return (await self._current()).as_of

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return False
