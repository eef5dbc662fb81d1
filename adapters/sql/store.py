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
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import sqlalchemy as sa

from adapters.evaluate import group_text, order_value
from adapters.mapping.compiled import CompiledMapper
from adapters.mapping.mapper import Fate, Mapped, RowMapper, native_kinds, parse_native, today_in_shanghai
from adapters.mapping.model import Mapping
from adapters.mapping.numbers import scaled
from adapters.model import (
    Filter,
    GroupRow,
    KeyIn,
    OrderTerm,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreConflict,
    StoreError,
    StoreUnsupported,
)
from adapters.snapshot import Snapshot, duplicate_code
from adapters.sql.dialects import limited
from adapters.sql.engine import open_reader
from adapters.sql.push import PushFunctions, SqlitePush, prepare_functions
from adapters.sql.reader import Reader, Statement, write_statement
from adapters.sql.request import (
    Parameters,
    condition_params,
    filter_shape,
    order_by,
    page_shape,
    write_position,
)
from adapters.sql.sides import SideReader, open_source
from adapters.status import Explanation, HealthState, Reason, ReasonCode, RequestPart, StoreHealth
from contract.order import SortValue

__all__ = ["SqlStore"]

_STATEMENTS_KEPT = 256
_MAPPERS_KEPT = 32
"""Sets of fields asked for; beyond, their mappers are compiled anew when needed."""
_KEYS_AT_ONCE = 400
_Written: TypeAlias = "tuple[Statement, Parameters]"


class SqlStore:
    def __init__(self, mapping: Mapping, reader: Reader | None = None) -> None:
        """`reader`: another way to the store than its driver's; in tests."""
        self.mapping = mapping
        self.region = mapping.region
        self.native_kinds = native_kinds(mapping.key)
        self.capabilities = mapping.capabilities
        self._functions = PushFunctions()
        self._push: SqlitePush | None = None
        self._pushed: _Pushed | None = None
        self._statements: OrderedDict[Hashable, _Written] = OrderedDict()
        self._reader = reader or open_reader(mapping.store, self._prepare, writes=mapping.write is not None)
        self._alive = write_statement(sa.select(sa.literal_column("1")), self._reader.dialect)
        self._loading = asyncio.Lock()
        self._snapshot: tuple[Hashable, Snapshot] | None = None
        self._mapper: tuple[Hashable, RowMapper] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self._source = await open_source(self.mapping, self._reader)
        self._side_reader = SideReader(self._source, self._reader)
        if self.mapping.store.engine == "sqlite":
            self._push = SqlitePush(self._source, self._functions)
        # One row more than may be scanned, so that a table that is too long is found out before it has been read.
        scan = self._source.native_select()
        scan = limited(scan, self.mapping.store.scan_rows_max + 1, self._reader.dialect)
        self._scan = write_statement(scan, self._reader.dialect)

    async def close(self) -> None:
        await self._reader.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        prepare_functions(connection, self._functions)

    # --- what is read once and kept while nothing changes -----------------------------------------------------------

    async def _token(self) -> Hashable | None:
        return _of_today(await self._reader.token())

    async def _fresh_mapper(self) -> RowMapper:
        token = await self._token()
        if self._mapper is None or token is None or self._mapper[0] != token:
            self._mapper = (token, await self._side_reader.mapper())
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
            raws = await self._reader.fetch(self._scan, {})
            snapshot = await asyncio.to_thread(Snapshot, mapper, raws, self.mapping.store.scan_rows_max)
            self._snapshot = (token, snapshot)
            return snapshot

    # --- pushed -----------------------------------------------------------------------------------------------------

    async def _pushable(self) -> _Pushed:
        """What pushed statements need; raises `StoreUnsupported` where this store's rows must be scanned."""
        return await self._pushable_at(await self._token())

    async def _pushable_at(self, token: Hashable | None) -> _Pushed:
        if self._push is None:
            raise StoreUnsupported(f"nothing is pushed into a {self.mapping.store.engine} store yet", ReasonCode.ENGINE)
        if self._pushed is None or self._pushed.token != token:
            listed = self._push.listed()
            mapper = await self._fresh_mapper()
            self._push.bind(mapper.side)
            irregular = await self._reader.fetch(write_statement(self._push.irregular_keys(), self._reader.dialect), {})
            doubles = frozenset() if irregular else await self._double_codes()
            self._pushed = _Pushed(token, mapper, listed, bool(irregular), doubles)
        if self._pushed.irregular:
            raise StoreUnsupported("some native keys are not kept as the mapping says", ReasonCode.KEY)
        return self._pushed

    async def _double_codes(self) -> frozenset[str]:
        """Printed codes that more than one row has, among all that are neither secret nor ignored."""
        assert self._push is not None
        code = self._push.field("code").expression()
        statement = self._source.select(code).where(code.is_not(None)).group_by(code).having(sa.func.count() > 1)
        found = await self._reader.fetch(write_statement(statement, self._reader.dialect), {})
        return frozenset(text for (text,) in found)

    def _written(self, shape: Hashable, write: Callable[[], tuple[sa.Select[Any], Parameters]]) -> _Written:
        kept = self._statements.get(shape)
        if kept is None:
            statement, params = write()
            kept = (write_statement(statement, self._reader.dialect), params)
            self._statements[shape] = kept
            if len(self._statements) > _STATEMENTS_KEPT:
                self._statements.popitem(last=False)
        return kept

    def _page_statement(self, request: PageRequest, pushed: _Pushed, values: list[Any]) -> _Written:
        push, fields = self._push, wanted_fields(request)
        assert push is not None

        def write() -> tuple[sa.Select[Any], Parameters]:
            where, params = condition_params(push, request.filter)
            statement = self._source.native_select(pushed.compiled(fields).columns).where(pushed.listed).where(where)
            for position, after in ((request.after, True), (request.before, False)):
                if position is not None:
                    statement = statement.where(write_position(position, request.order, push, params, after=after))
            ordered = statement.order_by(*order_by(request.order, push, request.backward))
            return ordered.limit(sa.bindparam("row_limit", 0)), params

        return self._written(("page", fields, page_shape(request, values)), write)

    async def _page_rows(self, request: PageRequest) -> tuple[_Pushed, list[tuple[Any, ...]]]:
        """The native rows, and what holds of the store they were read from.

        One question where nothing has changed since the last; else once more, by what is known of the store anew.
        """
        pushed = self._pushed or await self._pushable()
        for last in (False, True):
            values: list[Any] = []
            statement, params = self._page_statement(request, pushed, values)
            bound = {**params.bound(values), "row_limit": request.limit + 1}
            found, read_at = await self._reader.fetch_with_token(statement, bound)
            token = _of_today(read_at)
            if last or (token == pushed.token and not pushed.irregular):
                break
            pushed = await self._pushable_at(token)
        return pushed, found

    async def _push_page(self, request: PageRequest) -> Page:
        pushed, found = await self._page_rows(request)
        has_more = len(found) > request.limit
        del found[request.limit :]
        if request.backward:
            found.reverse()
        rows, natives = pushed.mapped(found, wanted_fields(request))
        return Page(
            rows=rows,
            sort_values=_sort_values(rows, request.order),
            native_values=natives,
            has_more=has_more,
        )

    async def _push_rows(self, natives: Sequence[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for start in range(0, len(natives), _KEYS_AT_ONCE):
            part = tuple(natives[start : start + _KEYS_AT_ONCE])
            page = await self._push_page(PageRequest(KeyIn(part), (), len(part)))
            found.update((row["native"], row) for row in page.rows)
        return {native: found[native] for native in natives if native in found}

    async def _push_count(self, filter_: Filter | None) -> int:
        pushed, push = await self._pushable(), self._push
        assert push is not None
        values: list[Any] = []

        def write() -> tuple[sa.Select[Any], Parameters]:
            where, params = condition_params(push, filter_)
            return self._source.select(sa.func.count()).where(pushed.listed).where(where), params

        statement, params = self._written(("count", filter_shape(filter_, values)), write)
        return int((await self._reader.fetch(statement, params.bound(values)))[0][0])

    async def _push_groups(self, by: Sequence[str], filter_: Filter | None) -> list[GroupRow]:
        pushed, push = await self._pushable(), self._push
        assert push is not None
        values: list[Any] = []
        sums = [push.sum_of(name) for name in ("quantity", "originalValue", "netValue")]

        def write() -> tuple[sa.Select[Any], Parameters]:
            where, params = condition_params(push, filter_)
            keys = [push.group_column(name).label(f"g{at}") for at, name in enumerate(by)]
            statement = self._source.select(*keys, sa.func.count(), *(total for total, _ in sums))
            statement = statement.where(pushed.listed).where(where)
            return statement.group_by(*(sa.literal_column(str(at + 1)) for at in range(len(by)))), params

        statement, params = self._written(("groups", tuple(by), filter_shape(filter_, values)), write)
        groups = []
        for record in await self._reader.fetch(statement, params.bound(values)):
            if record[len(by)]:
                key = tuple(group_text(name, value) for name, value in zip(by, record, strict=False))
                totals = [
                    scaled(Decimal(text), factor) for text, (_, factor) in zip(record[len(by) + 1 :], sums, strict=True)
                ]
                groups.append(GroupRow(key, record[len(by)], *totals))
        return sorted(groups, key=lambda group: tuple((part is None, part or "") for part in group.key))

    # --- the protocol -----------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        try:
            page = await self._push_page(request)
            if request.columns is None or "observedAt" in request.columns:
                now = now_text()
                for row in page.rows:
                    row["observedAt"] = now
            return page
        except StoreUnsupported:
            return observed((await self._scanned()).page(request))

    async def explain(self, request: PageRequest) -> Explanation:
        """A scan does all of a request here, whatever part of it keeps it from being pushed."""
        reasons = await self._hindrances(request)
        if not reasons:
            try:
                statement, _ = self._page_statement(request, await self._pushable(), [])
                return Explanation("store", "store", "store", statement.sql, request.limit + 1)
            except StoreUnsupported as error:
                reasons.append(Reason(error.reason, str(error)))
        rows_max = self.mapping.store.scan_rows_max + 1
        return Explanation("adapter", "adapter", "adapter", self._scan.sql, rows_max, tuple(reasons))

    async def _hindrances(self, request: PageRequest) -> list[Reason]:
        """Why this request cannot be pushed, part by part."""
        try:
            await self._pushable()
        except StoreUnsupported as error:
            return [Reason(error.reason, str(error))]
        push = self._push
        assert push is not None
        parts: tuple[tuple[RequestPart, Callable[[], object]], ...] = (
            ("filter", lambda: condition_params(push, request.filter)),
            ("order", lambda: order_by(request.order, push, request.backward)),
        )
        found = []
        for part, write in parts:
            try:
                write()
            except StoreUnsupported as error:
                found.append(Reason(error.reason, str(error), part))
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
            found = await self._push_rows(wanted)
        except StoreUnsupported:
            found = (await self._scanned()).rows(wanted)
        now = now_text()
        return {native: {**row, "observedAt": now} for native, row in found.items()}

    async def count(self, filter_: Filter | None) -> int:
        try:
            return await self._push_count(filter_)
        except StoreUnsupported:
            return (await self._scanned()).count(filter_)

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        try:
            return await self._push_groups(by, filter_)
        except StoreUnsupported:
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


@dataclass(slots=True)
class _Pushed:
    """What holds while the store does not change: the mapper, which rows are listed, what is known of the others."""

    token: Hashable | None
    mapper: RowMapper
    listed: sa.ColumnElement[bool]
    irregular: bool
    double_codes: frozenset[str]
    mappers: dict[frozenset[str] | None, CompiledMapper] = field(default_factory=dict)

    def compiled(self, fields: frozenset[str] | None) -> CompiledMapper:
        found = self.mappers.get(fields)
        if found is None:
            if len(self.mappers) >= _MAPPERS_KEPT:
                self.mappers.clear()
            found = self.mappers[fields] = CompiledMapper(self.mapper, fields)
        return found

    def mapped(
        self, raws: Sequence[tuple[Any, ...]], fields: frozenset[str] | None
    ) -> tuple[list[Row], list[tuple[SortValue, ...]]]:
        """Rows that the store lists, and their native keys; with issues only where they are asked for."""
        compiled = self.compiled(fields)
        if not compiled.with_issues:
            return compiled.rows(raws)
        found = compiled.map(raws)
        return [self._with_double(one) for one in found], [one.native for one in found]

    def _with_double(self, mapped: Mapped) -> Row:
        row = mapped.row
        if row is None or mapped.fate is not Fate.LISTED:
            raise StoreUnsupported("the store lists a row that the mapping would not")
        if row["code"] in self.double_codes:
            row["issues"].append(duplicate_code(row["code"]))
            row["issues"].sort(key=lambda found: (found["code"], found["field"] or ""))
        return row


def wanted_fields(request: PageRequest) -> frozenset[str] | None:
    """The canonical fields that a page must hold, those of its order among them; None: all."""
    if request.columns is None:
        return None
    return request.columns.union(term.field for term in request.order)


def _sort_values(rows: Sequence[Row], order: Sequence[OrderTerm]) -> list[tuple[SortValue, ...]]:
    if not order:
        return [()] * len(rows)
    return [tuple(order_value(term.field, row) for term in order) for row in rows]


def _of_today(token: Hashable | None) -> Hashable | None:
    """Mapping depends on the day: what is known of the store holds for as long."""
    return None if token is None else (token, today_in_shanghai())


def now_text() -> str:
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def observed(page: Page) -> Page:
    now = now_text()
    return Page([{**row, "observedAt": now} for row in page.rows], page.sort_values, page.native_values, page.has_more)
