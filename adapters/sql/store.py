"""A live SQL store: each answer is read from the store when it is asked for.

Two ways to answer, and `explain` says which a request takes:

    pushed   filter, order, limit, keyset, counts and sums are the store's own query (see `adapters.sql.pushed`)
    scan     the store gives all its assets, we map, filter and sort them (bounded by `scan_rows_max`)

A request is pushed only where every field it speaks of has a form in the store's language that is proved to equal the
mapper (see `adapters.sql.forms`). A scan is kept while the store proves that nothing has changed; a store that cannot
tell is read again for each answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from adapters.mapping.mapper import RowMapper, native_kinds, parse_native, today_in_shanghai
from adapters.mapping.model import Mapping
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreConflict,
    StoreError,
    StoreUnsupported,
)
from adapters.snapshot import Snapshot
from adapters.sql.catalog import read_catalog
from adapters.sql.dialects import limited
from adapters.sql.engine import open_reader
from adapters.sql.facts import FactsKeeper
from adapters.sql.functions import prepare_functions
from adapters.sql.pushed import Pushed
from adapters.sql.reader import Reader, write_statement
from adapters.sql.sides import SideReader, open_source
from adapters.status import Explanation, HealthState, Reason, RequestPart, StoreHealth
from contract.order import SortValue

__all__ = ["SqlStore"]


class SqlStore:
    def __init__(self, mapping: Mapping, reader: Reader | None = None) -> None:
        """`reader`: another way to the store than its driver's; in tests."""
        self.mapping = mapping
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = mapping.capabilities
        self._pushed: Pushed | None = None
        self._keeper: FactsKeeper | None = None
        self._not_pushed: StoreUnsupported | None = None
        """Why nothing is."""
        self._reader = reader or open_reader(mapping.store, self._prepare, writes=mapping.write is not None)
        self._alive = write_statement(sa.select(sa.literal_column("1")), self._reader.dialect)
        self._loading = asyncio.Lock()
        self._snapshot: tuple[Hashable, Snapshot] | None = None
        self._mapper: tuple[Hashable, RowMapper] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        source = self._source = await open_source(self.mapping, self._reader)
        self._side_reader = SideReader(source, self._reader)
        # One row more than may be scanned, so that a table that is too long is found out before it has been read.
        scan = source.native_select()
        scan = limited(scan, self.mapping.store.scan_rows_max + 1, self._reader.dialect)
        self._scan = write_statement(scan, self._reader.dialect)
        try:
            catalog = await read_catalog(self.mapping, source.info, self._reader)
        except StoreUnsupported as error:
            self._not_pushed = error
            return
        self._keeper = FactsKeeper(source, catalog, self._reader, self._side_reader)
        self._pushed = Pushed(source, self._keeper, self._reader)

    async def close(self) -> None:
        await self._reader.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        prepare_functions(connection)

    # --- what is read once and kept while nothing changes -----------------------------------------------------------

    async def _token(self) -> Hashable | None:
        token = await (self._keeper.token() if self._keeper else self._reader.token())
        return None if token is None else (token, today_in_shanghai())

    async def _fresh_mapper(self) -> RowMapper:
        token = await self._token()
        if self._mapper is None or token is None or self._mapper[0] != token:
            self._mapper = (token, await self._side_reader.mapper())
        return self._mapper[1]

    async def _scanned(self, cause: StoreUnsupported) -> Snapshot:
        """All assets, mapped. Read again unless the store proves that nothing has changed."""
        token = await self._token()
        if self._snapshot is not None and token is not None and self._snapshot[0] == token:
            return self._snapshot[1]
        async with self._loading:
            token = await self._token()
            if self._snapshot is not None and token is not None and self._snapshot[0] == token:
                return self._snapshot[1]
            mapper = await self._fresh_mapper()
            raws = await self._reader.fetch(self._scan, {})
            rows_max = self.mapping.store.scan_rows_max
            if len(raws) > rows_max:
                raise StoreUnsupported(
                    f"{cause}, and the store has more than {rows_max} rows to do it ourselves: "
                    'write store.mode = "indexed", or raise store.scan_rows_max',
                    cause.reason,
                )
            snapshot = await asyncio.to_thread(Snapshot, mapper, raws, rows_max)
            self._snapshot = (token, snapshot)
            return snapshot

    def _push(self) -> Pushed:
        if self._pushed is None:
            assert self._not_pushed is not None
            raise self._not_pushed
        return self._pushed

    def _facts_keeper(self) -> FactsKeeper:
        self._push()
        assert self._keeper is not None
        return self._keeper

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        try:
            page = await self._push().page(request)
        except StoreUnsupported as error:
            return observed((await self._scanned(error)).page(request))
        if request.columns is None or "observedAt" in request.columns:
            now = now_text()
            for row in page.rows:  # nobody else's: they have just been made
                row["observedAt"] = now
        return page

    async def explain(self, request: PageRequest) -> Explanation:
        """A scan does all of a request here, whatever part of it keeps it from being pushed."""
        try:
            statement, advice = await self._push().explain(request)
            return Explanation("store", "store", "store", statement.sql, request.limit + 1, tuple(advice))
        except StoreUnsupported as error:
            reasons = await self._hindrances(request) or [Reason(error.reason, str(error))]
        rows_max = self.mapping.store.scan_rows_max + 1
        return Explanation("adapter", "adapter", "adapter", self._scan.sql, rows_max, tuple(reasons))

    async def _hindrances(self, request: PageRequest) -> list[Reason]:
        """Why this request cannot be pushed, part by part."""
        parts: tuple[tuple[RequestPart | None, PageRequest], ...] = (
            (None, PageRequest(None, (), 1)),
            ("filter", PageRequest(request.filter, (), 1)),
            ("order", PageRequest(None, request.order, 1)),
        )
        found: list[Reason] = []
        for part, alone in parts:
            try:
                await self._push().explain(alone)
            except StoreUnsupported as error:
                found.append(Reason(error.reason, str(error), part))
                if part is None:
                    break
        return found

    async def health(self) -> StoreHealth:
        try:
            await self._reader.fetch(self._alive, {})
            return StoreHealth(HealthState.OK, data_as_of=datetime.now(UTC))
        except StoreError as error:
            return StoreHealth(HealthState.UNAVAILABLE, error.fault)

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Map[str, Row]:
        wanted = [native for native in dict.fromkeys(natives) if parse_native(native, self.mapping.key) is not None]
        try:
            found = await self._push().rows(wanted)
        except StoreUnsupported as error:
            found = (await self._scanned(error)).rows(wanted)
        now = now_text()
        return {native: {**row, "observedAt": now} for native, row in found.items()}

    async def count(self, filter_: Filter | None) -> int:
        try:
            return await self._push().count(filter_)
        except StoreUnsupported as error:
            return (await self._scanned(error)).count(filter_)

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        try:
            return await self._push().groups(by, filter_)
        except StoreUnsupported as error:
            return (await self._scanned(error)).groups(by, filter_)

    async def quality(self) -> QualityReport:
        try:
            return await self._facts_keeper().report()
        except StoreUnsupported as error:
            return (await self._scanned(error)).quality()

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        try:
            rows = (await self._facts_keeper().of(frozenset())).quarantined()
        except StoreUnsupported as error:
            return (await self._scanned(error)).quarantine(limit, after)
        start = 0 if after is None else bisect_right([row.native for row in rows], after)
        return rows[start : start + limit]

    async def units(self) -> Sequence[Map[str, Any]]:
        return list((await self._fresh_mapper()).side.units.values())

    async def warehouses(self) -> Sequence[Map[str, Any]]:
        return list((await self._fresh_mapper()).side.warehouses.values())

    async def as_of(self) -> datetime:
        """Now: every answer is checked against the store as it is."""
        await self._reader.token()
        return datetime.now(UTC)

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        """Write a status where the mapping grants it, and only while the row is at the version that was seen.

        False: not granted, no code for this status, or no such row; the custody book keeps the change and it is exported
        as an instruction, and so it is where the row has changed in between (`StoreConflict`).
        """
        grant = self.mapping.write
        parts = parse_native(native, self.mapping.key)
        if grant is None or parts is None or status not in grant.codes:
            return False
        row = (await self.rows([native])).get(native)
        if row is None:
            return False
        if expected_version is not None and row["version"] != expected_version:
            raise StoreConflict("the row has changed since it was seen")
        update = self._source.status_update(grant)
        update = update.where(*self._source.own_conditions(update.table))
        statement = write_statement(update, self._reader.dialect)
        values: dict[str, Any] = {f"key_{at}": part for at, part in enumerate(parts)}
        values |= {"new_status": grant.codes[status], "seen_version": row["version"]}
        if grant.updated_column:
            values["now_utc"] = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
            if self.mapping.store.engine == "sqlite":
                values["now_utc"] = values["now_utc"].isoformat(" ")
        if await self._reader.execute(statement, values) != 1:
            raise StoreConflict("the row has changed while it was written")
        return True


def now_text() -> str:
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def observed(page: Page) -> Page:
    now = now_text()
    return Page([{**row, "observedAt": now} for row in page.rows], page.sort_values, page.native_values, page.has_more)
