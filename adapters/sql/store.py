"""A live SQL store: each answer is read from the store when it is asked for.

Two ways to answer, and `explain` says which a request takes:

    pushed   filter, order, limit, keyset, counts and sums are the store's own query; rows are mapped as they come
    scan     the store gives all its assets, we map, filter and sort them (bounded by `scan_rows_max`)

A request is pushed only where every expression it needs is proved to equal the mapper's value for every row, good or
bad (see `adapters.sql.push`). A scan is kept while the store proves that nothing has changed (SQLite's
`data_version`); a store that cannot tell is read again for each answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from datetime import UTC, datetime
from typing import Any

from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper, native_kinds, parse_native, today_in_shanghai
from adapters.mapping.model import Listing, Mapping
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreCapabilities,
)
from adapters.sides import listing_entries, lookup_entries
from adapters.snapshot import Snapshot
from adapters.sql.reader import Statement, open_reader, write_statement
from adapters.sql.source import SqlSource
from contract.order import SortValue

__all__ = ["SqlStore"]


class SqlStore:
    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = StoreCapabilities(write=mapping.write is not None, mode="live")
        self._reader = open_reader(mapping.store, self._prepare)
        self._loading = asyncio.Lock()
        self._snapshot: tuple[Hashable, Snapshot] | None = None
        self._mapper: tuple[Hashable, RowMapper] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        await self._reader.open()
        tables = await self._reader.tables(SqlSource.tables_of(self.mapping))
        self._source = SqlSource(self.mapping, tables, self._reader.dialect)
        self._native = write_statement(self._source.native_select(), self._reader.dialect)
        self._lookups = {
            name: write_statement(self._source.lookup_select(lookup), self._reader.dialect)
            for name, lookup in self.mapping.lookups.items()
        }
        self._listings = {
            listing.kind: (listing, *self._listing_statement(listing))
            for listing in (self.mapping.units, self.mapping.warehouses)
            if listing.origin == "table"
        }

    async def close(self) -> None:
        await self._reader.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Functions of ours that pushed statements use."""

    def _listing_statement(self, listing: Listing) -> tuple[Statement, list[str]]:
        statement, columns = self._source.listing_select(listing)
        return write_statement(statement, self._reader.dialect), columns

    # --- what is read once and kept while nothing changes -----------------------------------------------------------

    async def _token(self) -> Hashable | None:
        token = await self._reader.token()
        return None if token is None else (token, today_in_shanghai())

    async def _sides(self) -> SideTables:
        side = SideTables()
        for name, statement in self._lookups.items():
            side.lookups[name] = lookup_entries(await self._reader.fetch(statement, {}))
        for kind, (listing, statement, columns) in self._listings.items():
            rows = await self._reader.fetch(statement, {})
            entries = listing_entries(listing, (dict(zip(columns, row, strict=True)) for row in rows))
            if kind == "units":
                side.units = entries
            else:
                side.warehouses = entries
        return side

    async def _fresh_mapper(self) -> RowMapper:
        token = await self._token()
        if self._mapper is None or token is None or self._mapper[0] != token:
            self._mapper = (token, RowMapper(self.mapping, await self._sides()))
        return self._mapper[1]

    async def _scanned(self) -> Snapshot:
        """All assets, mapped. Read again unless the store proves that nothing has changed."""
        token = await self._token()
        if self._snapshot is not None and token is not None and self._snapshot[0] == token:
            return self._snapshot[1]
        async with self._loading:
            token = await self._token()
            if self._snapshot is not None and token is not None and self._snapshot[0] == token:
                return self._snapshot[1]
            mapper = await self._fresh_mapper()
            raws = await self._reader.fetch(self._native, {})
            snapshot = await asyncio.to_thread(Snapshot, mapper, raws, self.mapping.store.scan_rows_max, judged=True)
            self._snapshot = (token, snapshot)
            return snapshot

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        return observed((await self._scanned()).page(request))

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Map[str, Row]:
        wanted = [native for native in natives if parse_native(native, self.mapping.key) is not None]
        now = now_text()
        return {native: {**row, "observedAt": now} for native, row in (await self._scanned()).rows(wanted).items()}

    async def count(self, filter_: Filter | None) -> int:
        return (await self._scanned()).count(filter_)

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        return (await self._scanned()).groups(by, filter_)

    async def quality(self) -> QualityReport:
        return (await self._scanned()).quality()

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        return (await self._scanned()).quarantine(limit, after)

    async def units(self) -> Sequence[Map[str, Any]]:
        return list((await self._fresh_mapper()).side.units.values())

    async def warehouses(self) -> Sequence[Map[str, Any]]:
        return list((await self._fresh_mapper()).side.warehouses.values())

    async def as_of(self) -> datetime:
        await self._reader.token()
        return datetime.now(UTC)

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return False


def now_text() -> str:
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def observed(page: Page) -> Page:
    now = now_text()
    return Page([{**row, "observedAt": now} for row in page.rows], page.sort_values, page.native_values, page.has_more)
