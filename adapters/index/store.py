"""A local index of mapped rows: how a store is read that cannot order, search or report changes well.

    source (files, documents, a slow server) ─▶ mapper ─▶ IndexBuilder ─▶ <region>.index.sqlite ─▶ IndexedStore

The index is one SQLite file, never the authority and rebuilt at will: when the source's stamp changes, a new file is
written beside the old one and takes its place at once, so a source that is half written or gone leaves the last good
index standing and shows its fault. Columns are encoded so that SQLite's own order *is* the canonical one (text as
UTF-8 bytes, decimals by `sortable_decimal`, enums by rank). Secret rows never enter; quarantined rows lie apart.
Memory is bounded: rows pass through in batches, keys and codes that occur twice are found by SQLite.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect

from adapters.evaluate import GROUP_FIELDS, group_text, order_value
from adapters.index.build import FORMAT, SUMMED, IndexBuilder
from adapters.index.columns import IndexColumns, prepare_index
from adapters.index.source import RowSource
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper, native_kinds, today_in_shanghai
from adapters.mapping.model import Mapping
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreCapabilities,
    StoreError,
    StoreUnavailable,
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
from contract.order import SortValue

__all__ = ["IndexedStore"]

log = logging.getLogger(__name__)
_BATCH = 500
_STATEMENTS_KEPT = 256


@dataclass(slots=True)
class _Loaded:
    """What is known of the index in use."""

    token: str
    as_of: datetime
    listed: int
    quarantined: int
    issues: dict[tuple[str, str | None], int]
    units: list[dict[str, Any]] = field(default_factory=list)
    warehouses: list[dict[str, Any]] = field(default_factory=list)


class IndexedStore:
    def __init__(self, mapping: Mapping, source: RowSource, cache_dir: Path | None) -> None:
        self.mapping, self._source = mapping, source
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = StoreCapabilities(write=False, mode="indexed")
        self.fault: str | None = None
        """Why the newest state of the source is not the one shown."""
        self._own_folder = None if cache_dir else tempfile.TemporaryDirectory(prefix="gwc-index-")
        self._folder = cache_dir or Path(self._own_folder.name if self._own_folder else ".")
        self._path = self._folder / f"{mapping.region}.index.sqlite"
        self._reader = SqliteReader(replace(mapping.store, engine="sqlite", url=str(self._path)), prepare_index)
        self._columns = IndexColumns(mapping)
        self._digest = hashlib.blake2b(
            f"{FORMAT} {replace(mapping, path=Path())!r}".encode(), digest_size=16
        ).hexdigest()
        self._loaded: _Loaded | None = None
        self._looked_at = float("-inf")
        self._building = asyncio.Lock()
        self._statements: OrderedDict[Hashable, tuple[Statement, Parameters]] = OrderedDict()
        dialect = sqlite_dialect.dialect(paramstyle="qmark")
        self._dialect = dialect

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._source.open()
        self._loaded = await asyncio.to_thread(self._left_over)
        await self._current()
        await self._reader.open()

    async def close(self) -> None:
        await self._reader.close()
        await self._source.close()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    def _left_over(self) -> _Loaded | None:
        """The index of an earlier run, if it was written by this mapping; a broken one counts as none."""
        if not self._path.exists():
            return None
        try:
            with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as db:
                meta = {name: orjson.loads(value) for name, value in db.execute("SELECT name, value FROM meta")}
            db.close()
            if meta["digest"] != self._digest or meta["format"] != FORMAT:
                return None
            return _Loaded(
                meta["token"],
                datetime.fromisoformat(meta["asOf"]),
                meta["listed"],
                meta["quarantined"],
                {(code, name): count for code, name, count in meta["issues"]},
                meta["units"],
                meta["warehouses"],
            )
        except (sqlite3.Error, KeyError, ValueError):
            return None

    async def _current(self) -> _Loaded:
        """The index in use, after looking at the source if it was not looked at lately."""
        due = time.monotonic() - self._looked_at >= self.mapping.store.reread_s
        if self._loaded is not None and (not due or self._building.locked()):
            return self._loaded
        async with self._building:
            if self._loaded is not None and time.monotonic() - self._looked_at < self.mapping.store.reread_s:
                return self._loaded
            try:
                await self._look()
            except StoreError as error:
                self.fault = str(error)
                log.warning("store %s: %s", self.region, error)
                if self._loaded is None:
                    raise
            self._looked_at = time.monotonic()
            assert self._loaded is not None
            return self._loaded

    async def _look(self) -> None:
        stamp = await self._source.stamp()
        self.fault = stamp.fault
        token = f"{stamp.token} {today_in_shanghai()}"  # a day later, dates in the future may not be any more
        if self._loaded is not None and self._loaded.token == token:
            return
        stamp = replace(stamp, token=token)
        path = self._path.with_suffix(".building")
        made: list[IndexBuilder] = []

        def make(side: SideTables) -> IndexBuilder:
            builder = IndexBuilder(path, RowMapper(self.mapping, side))
            made.append(builder)
            return builder

        try:
            builder = await self._source.load(stamp, make)
            await asyncio.to_thread(builder.finish, stamp, self._digest)
        except BaseException:
            for builder in made:
                builder.abandon()
            raise
        path.replace(self._path)
        self._loaded = await asyncio.to_thread(self._left_over)
        if self._loaded is None:
            raise StoreUnavailable("the local index cannot be read back")

    # --- statements -----------------------------------------------------------------------------------------------

    async def _fetch(
        self,
        shape: Hashable,
        write: Callable[[], tuple[sa.Select[Any], Parameters]],
        values: Sequence[Any],
        **more: Any,
    ) -> list[tuple[Any, ...]]:
        kept = self._statements.get(shape)
        if kept is None:
            statement, params = write()
            kept = (write_statement(statement, self._dialect), params)
            self._statements[shape] = kept
            if len(self._statements) > _STATEMENTS_KEPT:
                self._statements.popitem(last=False)
        return await self._reader.fetch(kept[0], {**kept[1].bound(values), **more})

    def _select(self, *columns: str) -> sa.Select[Any]:
        return sa.select(*(sa.column(name) for name in columns)).select_from(sa.table("asset"))

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        loaded = await self._current()
        values: list[Any] = []
        shape = ("page", page_shape(request, values))
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

        found = await self._fetch(shape, write, values, row_limit=request.limit + 1)
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

    def _row(self, text: str, loaded: _Loaded) -> Row:
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
