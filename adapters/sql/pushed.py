"""Requests as the store's own queries: pages, counts and sums over regular rows, merged with the irregular ones.

Statements are written once for a request's shape and kept; a page then costs its values, one statement and the mapping
of its rows. SQLite has no statistics to choose an index by. Where one index serves filter and order, it is left to SQLite. Where one
serves the filter and another the order, a count of the filter's rows (up to `_FEW_ROWS`) says, once for a filter, which
of both is less work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from heapq import merge
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.operators import desc_op

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS, group_text, order_value, predicate, row_key
from adapters.mapping.mapper import native_kinds
from adapters.mapping.numbers import plus, scaled
from adapters.model import FieldKind, Filter, GroupRow, KeyIn, OrderTerm, Page, PageRequest, Row, StoreUnsupported
from adapters.sql.asking import ROW_LIMIT, Asked, fields_of
from adapters.sql.columns import ColumnKind, NativeColumn
from adapters.sql.facts import Facts, FactsKeeper, Keyed
from adapters.sql.forms import Condition, FixedForm, TextForm
from adapters.sql.measured_forms import NumberForm
from adapters.sql.reader import Reader, Statement, write_statement
from adapters.sql.source import SqlSource
from adapters.status import Reason, ReasonCode
from contract.order import SortValue

__all__ = ["Pushed"]

_STATEMENTS_KEPT = 256
_HINTS_KEPT = 1024
_KEYS_AT_ONCE = 400
_FEW_ROWS = 5_000
"""So many rows of a filter are sorted rather than looked for in another order."""
_SORTS = "USE TEMP B-TREE FOR ORDER BY"
"""Of all rows; those that are alike in the first term are sorted otherwise."""
_SUMMED = ("quantity", "originalValue", "netValue")


@dataclass(frozen=True, slots=True)
class _Written:
    plain: Statement
    """Where there is another: what looks for the filter's rows and sorts them."""
    by_order: Statement | None = None
    """Walks the rows in order and passes over those that the filter does not want."""
    count: Statement | None = None
    """How many rows the filter has, up to `_FEW_ROWS`."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What SQLite says it would do, line by line: `SEARCH asset_row USING INDEX by_status (status=? AND asset_id>?)`."""

    lines: Sequence[str]

    @property
    def sorts(self) -> bool:
        return any(_SORTS in line for line in self.lines)

    @property
    def searches(self) -> list[str]:
        """By which indexes, without what is looked for in them."""
        return [line.partition(" (")[0] for line in self.lines if "SEARCH" in line]

    def is_in_order(self, narrow: _Plan) -> bool:
        """Whether this finds its rows as `narrow` does, by the filter's index, and in order besides."""
        return not self.sorts and self.searches == narrow.searches


class Pushed:
    def __init__(self, source: SqlSource, keeper: FactsKeeper, reader: Reader) -> None:
        self._source, self._keeper, self._reader = source, keeper, reader
        self._kinds = native_kinds(source.mapping.key)
        self._facts: Facts | None = None
        self._statements: OrderedDict[Hashable, _Written] = OrderedDict()
        self._hints: OrderedDict[Hashable, bool] = OrderedDict()

    async def facts(self, names: frozenset[str]) -> Facts:
        facts = await self._keeper.of(names)
        if facts is not self._facts:
            self._facts = facts
            self._statements.clear()
            self._hints.clear()
        return facts

    # --- pages ----------------------------------------------------------------------------------------------------

    async def page(self, request: PageRequest) -> Page:
        facts, raws = await self._read(request)
        beside = facts.rows_beside(fields_of(request.filter, request.order))
        fields, has_more = wanted_fields(request), len(raws) > request.limit
        if not len(beside):
            rows, natives = facts.mapped(raws[: request.limit], fields)
        else:
            others = beside.page(replace(request, limit=request.limit + 1))
            found = self._merged(request, list(zip(*facts.mapped(raws, fields), strict=True)), others)
            has_more = len(found) > request.limit
            rows, natives = [row for row, _ in found[: request.limit]], [native for _, native in found[: request.limit]]
        if request.backward:
            rows.reverse()
            natives.reverse()
        return Page(rows, _sort_values(rows, request.order), natives, has_more)

    async def _read(self, request: PageRequest) -> tuple[Facts, list[tuple[Any, ...]]]:
        """The native rows, and what holds of the store that they were read from.

        One question where nothing has changed since the last; else once more, by what is known of the store anew.
        """
        names = fields_of(request.filter, request.order)
        facts = self._facts
        if facts is None or not self._keeper.proves or not names <= facts.irregular.keys():
            facts = await self.facts(names)
        while True:
            raws, tokens = await self._read_by(facts, names, request)
            if not self._keeper.proves or all(self._keeper.holds(facts, token) for token in tokens):
                return facts, raws
            facts = await self.facts(names)

    async def _read_by(
        self, facts: Facts, names: frozenset[str], request: PageRequest
    ) -> tuple[list[tuple[Any, ...]], list[Hashable | None]]:
        wanted = request.limit + 1
        raws: list[tuple[Any, ...]] = []
        tokens: list[Hashable | None] = []
        columns = facts.compiled(wanted_fields(request)).columns
        for asked in facts.asking.page(request):
            statement = await self._chosen(facts, names, asked, columns)
            values = {f"v{at}": value for at, value in enumerate(asked.values)}
            values[ROW_LIMIT] = wanted - len(raws)
            found, token = await self._fetch(statement, values)
            raws += found
            tokens.append(token)
            if len(raws) >= wanted:
                break
        return raws, tokens

    async def _fetch(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        """The rows, and the token of the state that they were read from."""
        rows, token = await self._reader.fetch_with_token(statement, values)
        if self._keeper.token_column is None:
            return rows, token
        token = rows[-1][-1] if rows else await self._keeper.token()
        return [row[:-1] for row in rows], token

    def _merged(self, request: PageRequest, rows: Sequence[Keyed], beside: Page) -> list[Keyed]:
        """In the order of taking. A row that both have is the store's: it has just been read."""
        seen = {row["native"] for row, _ in rows}
        others = [
            ({**row}, native)
            for row, native in zip(beside.rows, beside.native_values, strict=True)
            if row["native"] not in seen
        ]
        if request.backward:
            others.reverse()

        def key(pair: Keyed) -> Any:
            return row_key(pair[0], pair[1], request.order, self._kinds)

        return list(merge(rows, others, key=key, reverse=request.backward))

    async def _chosen(self, facts: Facts, names: frozenset[str], asked: Asked, columns: tuple[str, ...]) -> Statement:
        written = self._statements.get((asked.shape, columns))
        if written is None:
            written = await self._write_page(facts, names, asked, columns)
            self._keep((asked.shape, columns), written)
        if written.by_order is None or written.count is None:
            return written.plain
        shape: Any = asked.shape
        values = {f"v{at}": value for at, value in enumerate(asked.values)}
        # Of the filter alone: a page's position has no say in it. Its other values are constants of the shape.
        hint = (shape[1], *(values[name] for name in written.count.names if name in values))
        many = self._hints.get(hint)
        if many is None:
            many = (await self._reader.fetch(written.count, values))[0][0] > _FEW_ROWS
            self._hints[hint] = many
            if len(self._hints) > _HINTS_KEPT:
                self._hints.popitem(last=False)
        return written.by_order if many else written.plain

    def _keep(self, shape: Hashable, written: _Written) -> None:
        self._statements[shape] = written
        if len(self._statements) > _STATEMENTS_KEPT:
            self._statements.popitem(last=False)

    async def _write_page(
        self, facts: Facts, names: frozenset[str], asked: Asked, columns: tuple[str, ...]
    ) -> _Written:
        where, within, order = facts.asking.write(asked.shape)
        regular = facts.regular(names)
        plain = self._page_statement(columns, where, sa.and_(within, regular), order)
        shape: Any = asked.shape
        if facts.inverted.catalog.engine != "sqlite" or shape[1][0] == "key" or len(shape[1]) == 1:
            return _Written(plain)
        unindexed = sa.func.likely(sa.func.coalesce(where, sa.false()))
        by_order = self._page_statement(columns, unindexed, sa.and_(within, regular), order)
        unordered = [_turned(sa.func.coalesce(term.element, sa.null()), term) for term in order]
        by_filter = self._page_statement(columns, where, sa.and_(sa.func.likely(within), regular), unordered)
        values = {f"v{at}": value for at, value in enumerate(asked.values)} | {ROW_LIMIT: 1}
        ordered, narrow = await self._plan(by_order, values), await self._plan(by_filter, values)
        if ordered.sorts or not narrow.searches or (await self._plan(plain, values)).is_in_order(narrow):
            return _Written(plain)
        some = self._source.select_all(sa.literal_column("1")).where(where)
        some = some.limit(sa.literal_column(str(_FEW_ROWS + 1)))
        count = sa.select(sa.func.count()).select_from(some.subquery("some"))
        return _Written(by_filter, by_order, write_statement(count, self._reader.dialect))

    def _page_statement(
        self, columns: Sequence[str], where: Condition, rest: Condition, order: Sequence[Any]
    ) -> Statement:
        told: list[Any] = list(self._source.native_columns(columns))
        if self._keeper.token_column is not None:
            told.append(self._keeper.token_column)
        statement = self._source.select_all(*told).where(where, rest)
        limited = statement.order_by(*order).limit(sa.bindparam(ROW_LIMIT, 0))
        return write_statement(limited, self._reader.dialect)

    async def _plan(self, statement: Statement, values: Mapping[str, Any]) -> _Plan:
        explained = replace(statement, sql=f"EXPLAIN QUERY PLAN {statement.sql}")
        return _Plan([line[-1] for line in await self._reader.fetch(explained, values)])

    async def explain(self, request: PageRequest) -> tuple[Statement, list[Reason]]:
        """The statement that a page begins with, and what would make it quicker."""
        names = fields_of(request.filter, request.order)
        facts = await self.facts(names)
        columns = facts.compiled(wanted_fields(request)).columns
        asked = facts.asking.page(request)
        statement = await self._chosen(facts, names, asked[0], columns) if asked else Statement("", (), {})
        return statement, list(self._advice(facts, request))

    def _advice(self, facts: Facts, request: PageRequest) -> Iterator[Reason]:
        """A text whose own collation is another order is sorted, all rows of the filter for each page."""
        postgres = facts.inverted.catalog.engine == "postgresql"
        for column in _sorted_texts(facts, request):
            if not column.ordered:
                index = f'an index over ({column.name} COLLATE "C")' if postgres else "a column in utf8mb4_bin"
                message = f'every page sorts all rows by {column.name}: {index} helps, or store.mode = "indexed"'
                yield Reason(ReasonCode.ORDER, message, "order")

    # --- the others -------------------------------------------------------------------------------------------------

    async def rows(self, natives: Sequence[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for start in range(0, len(natives), _KEYS_AT_ONCE):
            part = tuple(natives[start : start + _KEYS_AT_ONCE])
            page = await self.page(PageRequest(KeyIn(part), (), len(part)))
            found.update((row["native"], row) for row in page.rows)
        return {native: found[native] for native in natives if native in found}

    async def count(self, filter_: Filter | None) -> int:
        names = fields_of(filter_)
        facts = await self.facts(names)
        values: list[Any] = []
        shape = ("count", facts.asking.shape(filter_, values))
        statement = self._aggregate(facts, names, shape, [], [])
        bound = {f"v{at}": value for at, value in enumerate(values)}
        count = int((await self._reader.fetch(statement, bound))[0][0])
        return count + sum(map(predicate(filter_), facts.rows_beside(names)))

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> list[GroupRow]:
        for name in by:
            if name not in GROUP_FIELDS:
                raise StoreUnsupported(f"rows cannot be grouped by {name!r}")
        fields = ["classCode" if name == "classTop" else name for name in by]
        names = fields_of(filter_) | frozenset(fields) | frozenset(_SUMMED)
        facts = await self.facts(names)
        forms = [facts.inverted.form(name) for name in fields]
        sums = [self._sum(facts, name) for name in _SUMMED]
        values: list[Any] = []
        shape = ("groups", tuple(by), facts.asking.shape(filter_, values))
        keys = [form.group() for form in forms]
        statement = self._aggregate(facts, names, shape, keys, [total for total, _ in sums])
        bound = {f"v{at}": value for at, value in enumerate(values)}
        found: dict[tuple[str | None, ...], list[Any]] = {}
        for record in await self._reader.fetch(statement, bound):
            count, *totals = record[len(by) :]
            key = tuple(
                _group_key(name, form.group_value(_text(value)))
                for name, form, value in zip(by, forms, record, strict=False)
            )
            amounts = [scaled(Decimal(total or 0), factor) for total, (_, factor) in zip(totals, sums, strict=True)]
            _add(found, key, count, amounts)
        keep = predicate(filter_)
        for row in filter(keep, facts.rows_beside(names)):
            key = tuple(_group_key(name, row[field]) for name, field in zip(by, fields, strict=True))
            _add(found, key, 1, [Decimal(row[name] or 0) for name in _SUMMED])
        ordered = sorted(found.items(), key=lambda pair: tuple((part is None, part or "") for part in pair[0]))
        return [GroupRow(key, *group) for key, group in ordered if group[0]]

    def _aggregate(
        self, facts: Facts, names: frozenset[str], shape: Any, keys: Sequence[Any], sums: Sequence[Any]
    ) -> Statement:
        written = self._statements.get(shape)
        if written is None:
            params = (sa.bindparam(f"v{at}", None, type_=sa.types.NULLTYPE) for at in range(10**6))
            where = facts.asking.where(shape[-1], params)
            columns = [*(key.label(f"g{at}") for at, key in enumerate(keys)), sa.func.count(), *sums]
            statement = self._source.select_all(*columns).where(where, facts.regular(names))
            statement = statement.group_by(*(sa.literal_column(str(at + 1)) for at in range(len(keys))))
            written = _Written(write_statement(statement, self._reader.dialect))
            self._keep(shape, written)
        return written.plain

    def _sum(self, facts: Facts, name: str) -> tuple[Any, Decimal]:
        """(the exact sum, what to multiply it by)."""
        form = facts.inverted.form(name)
        if isinstance(form, FixedForm):
            return sa.func.count(), Decimal(form.value or 0)
        if not isinstance(form, NumberForm):
            raise StoreUnsupported(f"{name} is summed by mapping each row")
        if facts.inverted.catalog.engine == "sqlite":
            return sa.func.gwc_total(form.column.sql), form.factor
        if form.column.kind is ColumnKind.FLOAT:
            raise StoreUnsupported(f"{name} is kept in binary fractions, which the store does not add exactly")
        return sa.func.sum(form.column.sql), form.factor


def wanted_fields(request: PageRequest) -> frozenset[str] | None:
    """The canonical fields that a page must hold, those of its order among them; None: all."""
    if request.columns is None:
        return None
    return request.columns.union(term.field for term in request.order)


def _turned(expression: Any, like: Any) -> Any:
    return expression.desc() if like.modifier is desc_op else expression.asc()


def _sorted_texts(facts: Facts, request: PageRequest) -> Iterator[NativeColumn]:
    for term in request.order[:1]:
        if isinstance(form := facts.inverted.form(term.field), TextForm):
            yield form.column
    yield from (column for column in facts.inverted.key[:1] if column.kind is ColumnKind.TEXT)


def _sort_values(rows: Sequence[Row], order: Sequence[OrderTerm]) -> list[tuple[SortValue, ...]]:
    if not order:
        return [()] * len(rows)
    return [tuple([order_value(term.field, row) for term in order]) for row in rows]


def _group_key(name: str, value: Any) -> str | None:
    if value is None or name == "classTop":
        return None if value is None else value[:3]
    if CANONICAL_FIELDS[name].kind is FieldKind.BOOLEAN:
        return group_text(name, value)
    return str(value)


def _add(
    groups: dict[tuple[str | None, ...], list[Any]], key: tuple[str | None, ...], count: int, amounts: Sequence[Decimal]
) -> None:
    group = groups.setdefault(key, [0, Decimal(0), Decimal(0), Decimal(0)])
    group[0] += count
    for at, amount in enumerate(amounts, 1):
        group[at] = plus(group[at], amount)


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
