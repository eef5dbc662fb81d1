"""A local index of mapped rows: how a store is read that cannot order, search or report changes well.

    source (files, documents, a slow server) ─▶ mapper ─▶ IndexBuilder ─▶ <region>.index.sqlite ─▶ IndexedStore

The index is one SQLite file, never the authority and rebuilt at will: when the source's stamp changes, a new file is
written beside the old one and takes its place at once, so a source that is half written or gone leaves the last good
index standing and shows its fault. Columns are encoded so that SQLite's own order *is* the canonical one (text as
UTF-8 bytes, decimals by `sortable_decimal`, enums by rank). Secret rows never enter; quarantined rows lie apart.
Memory is bounded: rows pass through in batches, keys and codes that occur twice are found by SQLite.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect

from adapters.evaluate import GROUP_FIELDS, group_text, order_value
from adapters.index.build import SUMMED
from adapters.index.columns import IndexColumns, prepare_index
from adapters.index.keeper import IndexKeeper
from adapters.index.loaded import Loaded
from adapters.index.source import RowSource
from adapters.mapping.mapper import native_kinds
from adapters.mapping.model import Guest, Mapping
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreUnsupported,
)
from adapters.sql.reader import SqliteReader, Statement, write_statement
from adapters.sql.request import (
    Parameters,
    condition_params,
    filter_shape,
    order_by,
    page_shape,
    unchanged,
    write_position,
    write_where,
)
from adapters.status import Explanation, Reason, ReasonCode, StoreHealth
from contract.order import SortValue

__all__ = ["IndexedStore"]

_BATCH = 500
_STATEMENTS_KEPT = 256


class IndexedStore:
    def __init__(self, mapping: Mapping, source: RowSource, cache_dir: Path | None) -> None:
        self.mapping, self._source = mapping, source
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = mapping.capabilities
        self._own_folder = None if cache_dir else tempfile.TemporaryDirectory(prefix="gwc-index-")
        folder = cache_dir or Path(self._own_folder.name if self._own_folder else ".")
        self._keeper = IndexKeeper(mapping, source, folder)
        # The local index is no legacy store: nobody's guest.
        settings = replace(mapping.store, engine="sqlite", url=str(self._keeper.path), guest=Guest())
        self._reader = SqliteReader(settings, prepare_index)
        self._columns = IndexColumns(mapping)
        self._statements: OrderedDict[Hashable, tuple[Statement, Parameters]] = OrderedDict()
        self._dialect = sqlite_dialect.dialect(paramstyle="qmark")

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """The index of an earlier run answers at once; where there is none, the first is waited for."""
        await self._keeper.open()
        await self._reader.open()

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
        statement, _ = self._written(*self._page_statement(request, []))
        reason = Reason(ReasonCode.MODE, "the mapping has this store read through a local index")
        return Explanation("index", "index", "index", statement.sql, request.limit + 1, (reason,))

    # --- statements -----------------------------------------------------------------------------------------------

    async def _fetch(
        self,
        shape: Hashable,
        write: Callable[[], tuple[sa.Select[Any], Parameters]],
        values: Sequence[Any],
        **more: Any,
    ) -> list[tuple[Any, ...]]:
        statement, params = self._written(shape, write)
        return await self._reader.fetch(statement, {**params.bound(values), **more})

    def _written(
        self, shape: Hashable, write: Callable[[], tuple[sa.Select[Any], Parameters]]
    ) -> tuple[Statement, Parameters]:
        kept = self._statements.get(shape)
        if kept is None:
            statement, params = write()
            kept = (write_statement(statement, self._dialect), params)
            self._statements[shape] = kept
            if len(self._statements) > _STATEMENTS_KEPT:
                self._statements.popitem(last=False)
        return kept

    def _select(self, *columns: str) -> sa.Select[Any]:
        return sa.select(*(sa.column(name) for name in columns)).select_from(sa.table("asset"))

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        loaded = await self._current()
        values: list[Any] = []
        found = await self._fetch(*self._page_statement(request, values), values, row_limit=request.limit + 1)
        has_more = len(found) > request.limit
        del found[request.limit :]
        if request.backward:
            found.reverse()
        rows = [self._row(text, loaded) for text, *_ in found]
        return Page(
            rows=rows,
            sort_values=[tuple(order_value(term.field, row) for term in request.order) for row in rows],
            native_values=[tuple(key) for _, *key in found],
            has_more=has_more,
        )

    def _page_statement(
        self, request: PageRequest, values: list[Any]
    ) -> tuple[Hashable, Callable[[], tuple[sa.Select[Any], Parameters]]]:
        """(its shape, how it is written); the values that it is bound to are appended to `values`."""
        keys = [f"k{at}" for at in range(len(self.mapping.key))]

        def write() -> tuple[sa.Select[Any], Parameters]:
            where, params = condition_params(self._columns, request.filter)
            statement = self._select("row", *keys).where(where)
            for position, after in ((request.after, True), (request.before, False)):
                if position is not None:
                    statement = statement.where(
                        write_position(position, request.order, self._columns, params, after=after)
                    )
            ordered = statement.order_by(*order_by(request.order, self._columns, request.backward))
            return ordered.limit(sa.bindparam("row_limit", 0)), params

        return ("page", page_shape(request, values)), write

    def _row(self, text: str, loaded: Loaded) -> Row:
        row: Row = orjson.loads(text)
        row["observedAt"] = loaded.as_of.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
        return row

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Map[str, Row]:
        loaded = await self._current()
        wanted = list(dict.fromkeys(natives))
        found: dict[str, Row] = {}
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]

            def write(count: int = len(part)) -> tuple[sa.Select[Any], Parameters]:
                params = Parameters()
                where = self._columns.key_in([params.add(unchanged) for _ in range(count)])
                return self._select("native", "row").where(where), params

            for native, text in await self._fetch(("rows", len(part)), write, part):
                found[native] = self._row(text, loaded)
        return {native: found[native] for native in wanted if native in found}

    async def count(self, filter_: Filter | None) -> int:
        loaded = await self._current()
        if filter_ is None:
            return loaded.listed
        values: list[Any] = []
        shape = ("count", filter_shape(filter_, values))

        def write() -> tuple[sa.Select[Any], Parameters]:
            params = Parameters()
            where = write_where(filter_, self._columns, params)
            return sa.select(sa.func.count()).select_from(sa.table("asset")).where(where), params

        return int((await self._fetch(shape, write, values))[0][0])

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        await self._current()
        values: list[Any] = []
        shape = ("groups", tuple(by), filter_shape(filter_, values))

        def write() -> tuple[sa.Select[Any], Parameters]:
            params = Parameters()
            keys = [self._group_column(name) for name in by]
            sums = [sa.func.gwc_sum(sa.column(f"s{at}")) for at in range(len(SUMMED))]
            where = write_where(filter_, self._columns, params)
            statement = sa.select(*keys, sa.func.count(), *sums).select_from(sa.table("asset")).where(where)
            return (statement.group_by(*keys) if keys else statement), params

        found = await self._fetch(shape, write, values)
        groups = [
            GroupRow(
                tuple(group_text(name, value) for name, value in zip(by, record, strict=False)),
                record[len(by)],
                *(Decimal(total) for total in record[len(by) + 1 :]),
            )
            for record in found
            if record[len(by)]
        ]
        return sorted(groups, key=lambda group: tuple((part is None, part or "") for part in group.key))

    def _group_column(self, name: str) -> sa.ColumnElement[Any]:
        if name not in GROUP_FIELDS:
            raise StoreUnsupported(f"rows cannot be grouped by {name!r}")
        if name == "classTop":
            return sa.func.substr(self._columns.field("classCode").expression(), 1, 3)
        return self._columns.field(name).expression()

    async def quality(self) -> QualityReport:
        loaded = await self._current()
        return QualityReport(loaded.listed + loaded.quarantined, loaded.listed, loaded.quarantined, loaded.issues)

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        await self._current()

        def write() -> tuple[sa.Select[Any], Parameters]:
            params = Parameters()
            place: sa.ColumnElement[str] = sa.column("place", sa.Text)
            statement: sa.Select[Any] = sa.select(place, sa.column("raw"), sa.column("issues")).select_from(
                sa.table("quarantine")
            )
            return statement.where(place > params.add(unchanged)).order_by(place).limit(
                sa.bindparam("row_limit", 0)
            ), params

        start = after[0] if after else ""
        found = await self._fetch("quarantine", write, [start], row_limit=limit)
        return [QuarantinedRow((place,), orjson.loads(raw), orjson.loads(issues)) for place, raw, issues in found]

    async def units(self) -> Sequence[Map[str, Any]]:
        return (await self._current()).units

    async def warehouses(self) -> Sequence[Map[str, Any]]:
        return (await self._current()).warehouses

    async def as_of(self) -> datetime:
        return (await self._current()).as_of

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return False
