"""A request as the store's own statements: a shape, written once, and native values, bound each time.

*Segments.* Rows in order of a field fall into segments that the store can walk by an index of the bare column: those
with a value and, after them in both directions, those without; of a field with few values (a status), the rows of each
value in turn. A page takes from one segment after the other until it is full, mostly from one.

*Keyset.* What lies beyond a position is a comparison of row values where the engine walks an index by it, else
`a >= ? AND (a > ? OR …)`: the leading bound is what an index needs. Nothing is numbered, nothing skipped by counting.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import sqlalchemy as sa

from adapters.mapping.mapper import parse_native
from adapters.model import (
    And,
    Compare,
    Filter,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    OrderTerm,
    PageRequest,
    Position,
    StoreUnsupported,
    TextContains,
    TextPrefix,
    UnderClass,
)
from adapters.sql.columns import ColumnKind
from adapters.sql.forms import Condition, Expression, FixedForm, Form, TextForm
from adapters.sql.invert import Inverted
from adapters.status import ReasonCode
from contract.order import Direction, SortValue

__all__ = ["Asked", "Asking", "Segment", "fields_of"]

Shape: TypeAlias = "tuple[Any, ...]"
_RANKS_MAX = 64
"""More values than this are not walked one by one."""
_FILTERS_KEPT, _FILTER_VALUES_KEPT = 64, 256
"""Filters remembered with what they ask, and how many values one of them may have: pages of a walk share one."""
ROW_LIMIT = "row_limit"


def fields_of(filter_: Filter | None, order: Sequence[OrderTerm] = ()) -> frozenset[str]:
    """Of which fields a request speaks."""
    return _fields_of(filter_).union([term.field for term in order])


@lru_cache(maxsize=_FILTERS_KEPT)
def _fields_of(filter_: Filter | None) -> frozenset[str]:
    match filter_:
        case And(parts) | Or(parts):
            return frozenset().union(*map(_fields_of, parts))
        case Not(part):
            return _fields_of(part)
        case Compare(name) | In(name) | IsNull(name) | TextContains(name) | TextPrefix(name):
            return frozenset((name,))
        case UnderClass():
            return frozenset(("classCode",))
        case _:
            return frozenset()


@dataclass(frozen=True, slots=True)
class Segment:
    kind: str
    """`all`, `value` (sorted by the column), `null`, or `rank` (the rows of one value)."""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one segment."""

    segment: Segment
    shape: Hashable
    values: list[Any]


class Asking:
    """Writes what is asked; bound to an inverted mapping."""

    def __init__(self, inverted: Inverted) -> None:
        self._inverted = inverted
        self._row_values = inverted.catalog.engine in ("sqlite", "postgresql")
        self._ranks: dict[str, list[tuple[SortValue, Condition]] | None] = {}
        self._filters: dict[Filter | None, tuple[Shape, list[Any]]] = {}

    # --- filters --------------------------------------------------------------------------------------------------

    def shape(self, filter_: Filter | None, values: list[Any]) -> Shape:
        """What is asked, and in `values` the native values of it."""
        known = self._filters.get(filter_)
        if known is None:
            own: list[Any] = []
            known = self._shape(filter_, own), own
            if len(own) <= _FILTER_VALUES_KEPT:
                if len(self._filters) >= _FILTERS_KEPT:
                    self._filters.clear()
                self._filters[filter_] = known
        values += known[1]
        return known[0]

    def _shape(self, filter_: Filter | None, values: list[Any]) -> Shape:
        match filter_:
            case None:
                return ("and",)
            case And(parts):
                return ("and", *(self._shape(part, values) for part in parts))
            case Or(parts):
                return ("or", *(self._shape(part, values) for part in parts))
            case Not(part):
                return ("not", self._shape(part, values))
            case Compare(name) | In(name) | TextContains(name) | TextPrefix(name):
                test, natives = self._inverted.form(name).leaf(filter_)
                values += natives
                return ("test", name, test, len(natives))
            case UnderClass():
                test, natives = self._inverted.form("classCode").leaf(filter_)
                values += natives
                return ("test", "classCode", test, len(natives))
            case IsNull(name):
                return ("null", name)
            case KeyIn(natives):
                parsed = [parse_native(native, self._inverted.mapping.key) for native in natives]
                keys = [self._inverted.key_values(parts) for parts in parsed if parts is not None]
                found = [key for key in keys if key is not None]
                values += [part for key in found for part in key]
                return ("key", len(found))
            case Nothing():
                return ("or",)
            case _:
                raise StoreUnsupported("full text and issues are found by mapping each row", ReasonCode.FIELD)

    def where(self, shape: Shape, params: Iterator[Expression]) -> Condition:
        kind, *rest = shape
        match kind:
            case "and":
                return sa.and_(sa.true(), *(self.where(part, params) for part in rest))
            case "or":
                return sa.or_(sa.false(), *(self.where(part, params) for part in rest))
            case "not":
                return sa.not_(sa.func.coalesce(self.where(rest[0], params), sa.false()))
            case "test":
                name, test, count = rest
                return self._inverted.form(name).test(test, [next(params) for _ in range(count)])
            case "null":
                return self._inverted.form(rest[0]).null()
            case _:
                return self.key_in([[next(params) for _ in self._inverted.key] for _ in range(rest[0])])

    def key_in(self, keys: Sequence[Sequence[Expression]]) -> Condition:
        columns = self._inverted.key
        if len(columns) == 1:
            return columns[0].is_one_of([key[0] for key in keys])
        alternatives = (
            sa.and_(*(column.is_one_of([part]) for column, part in zip(columns, key, strict=True))) for key in keys
        )
        return sa.or_(sa.false(), *alternatives)

    # --- pages ----------------------------------------------------------------------------------------------------

    def page(self, request: PageRequest) -> list[Asked]:
        """What is asked of each segment that the page may take rows from, in the order of taking."""
        for position in (request.after, request.before):
            if position is not None and len(position.values) != len(request.order):
                raise StoreUnsupported("the position belongs to another order")
        filter_values: list[Any] = []
        shape = self.shape(request.filter, filter_values)
        found = []
        for segment in self._segments(request):
            values = list(filter_values)
            after = self._beyond(request.after, segment, request.order, values, after=True)
            before = self._beyond(request.before, segment, request.order, values, after=False)
            if after is not None and before is not None:
                whole = ("page", shape, request.order, request.backward, segment, after, before)
                found.append(Asked(segment, whole, values))
        return found

    def _segments(self, request: PageRequest) -> list[Segment]:
        if not request.order:
            return [Segment("all")]
        first, form = request.order[0], self._inverted.form(request.order[0].field)
        ranks = self.ranks(form)
        found = [Segment("value")] if ranks is None else [Segment("rank", at) for at in range(len(ranks))]
        if first.direction is Direction.DESC:
            found.reverse()
        if not form.never_null:
            found.append(Segment("null"))
        if request.backward:
            found.reverse()
        return found

    def ranks(self, form: Form) -> list[tuple[SortValue, Condition]] | None:
        if form.name not in self._ranks:
            found = form.ranks()
            if found is not None and len(found) > _RANKS_MAX:
                raise StoreUnsupported(f"{form.name} has too many values to be sorted by", ReasonCode.ORDER)
            self._ranks[form.name] = None if found is None else list(found)
        return self._ranks[form.name]

    def _rows_of(self, segment: Segment, order: Sequence[OrderTerm]) -> Condition:
        if segment.kind == "all":
            return sa.true()
        form = self._inverted.form(order[0].field)
        if segment.kind == "null":
            return form.null()
        ranks = self.ranks(form)
        if ranks is not None:
            return ranks[segment.rank][1]
        present = sa.not_(form.null())
        return (
            sa.and_(form.sortable() > sa.literal("", sa.types.NULLTYPE), present)
            if isinstance(form, TextForm)
            else present
        )

    def write(self, shape: Any) -> tuple[Condition, Condition, list[Expression]]:
        """(the filter, the segment and the positions, what to sort by) of a page's shape."""
        _, filter_, order, backward, segment, after, before = shape
        params = _params()
        where = self.where(filter_, params)
        within = [self._rows_of(segment, order)]
        terms = order if segment.kind in ("all", "value") else order[1:]
        within += [
            self._write_beyond(part, terms, params, segment, after=is_after)
            for part, is_after in ((after, True), (before, False))
        ]
        return where, sa.and_(*within), self._order_by(terms, segment, backward)

    def _order_by(self, terms: Sequence[OrderTerm], segment: Segment, backward: bool) -> list[Expression]:
        found: list[Expression] = []
        for at, term in enumerate(terms):
            form = self._inverted.form(term.field)
            if isinstance(form, FixedForm):
                continue
            has_value = form.never_null or (at == 0 and segment.kind == "value")
            expression = form.sortable() if has_value else _null_where_null(form)
            if not has_value:
                nulls = sa.case((expression.is_(None), sa.literal_column("1")), else_=sa.literal_column("0"))
                found.append(nulls.desc() if backward else nulls.asc())
            descending = (term.direction is Direction.DESC) is not backward
            found.append(expression.desc() if descending else expression.asc())
        keys = [column.sortable() for column in self._inverted.key]
        return found + [key.desc() if backward else key.asc() for key in keys]

    # --- positions ------------------------------------------------------------------------------------------------

    def _beyond(
        self, position: Position | None, segment: Segment, order: Sequence[OrderTerm], values: list[Any], *, after: bool
    ) -> Shape | None:
        """The shape of what lies beyond the position in the segment; None: nothing does."""
        if position is None:
            return ()
        terms, wanted = order, position.values
        if segment.kind != "all":
            relation = self._relation(segment, order[0], position.values[0])
            if relation != 0:
                return () if (relation > 0) is after else None
            if segment.kind != "value":
                terms, wanted = order[1:], position.values[1:]
        found: list[Any] = []
        for term, value in zip(terms, wanted, strict=True):
            found.append(self._step(term, value, values, upward=(term.direction is Direction.ASC) is after))
        if position.native is None:
            return (*found, "equal" if position.inclusive is after else "end")
        for column, part in zip(self._inverted.key, position.native, strict=True):
            values.append(self._key_bound(column, part))
        return (*found, "key")

    def _key_bound(self, column: Any, part: SortValue) -> Any:
        if column.kind is ColumnKind.TEXT:
            return column.text_bound(str(part))
        native = column.integer(int(part or 0))
        if native is None:
            raise StoreUnsupported("keys of this size are compared by scanning", ReasonCode.VALUE)
        return native

    def _relation(self, segment: Segment, term: OrderTerm, value: SortValue) -> int:
        """Where the segment stands to the value in forward order: 1 after it, -1 before it, 0: it holds it."""
        if segment.kind == "null":
            return 0 if value is None else 1
        if value is None:
            return -1
        ranks = self.ranks(self._inverted.form(term.field))
        if ranks is None:
            return 0
        return _compared(ranks[segment.rank][0], value, term.direction)

    def _step(self, term: OrderTerm, value: SortValue, values: list[Any], *, upward: bool) -> tuple[str, bool]:
        form = self._inverted.form(term.field)
        if isinstance(form, FixedForm):
            return self._fixed_step(form, term, value), upward
        if value is None:
            return "null", upward
        exact = form.exact(value)
        values.append(form.bound(value, upward) if exact is None else exact)
        return ("bound" if exact is None else "exact"), upward

    def _fixed_step(self, form: FixedForm, term: OrderTerm, value: SortValue) -> str:
        ranks = form.ranks() or []
        own = ranks[0][0] if ranks else None
        if own == value:
            return "same"
        if own is None or value is None:
            return "later" if own is None else "earlier"
        return "later" if _compared(own, value, term.direction) > 0 else "earlier"

    def _write_beyond(
        self, shape: Shape, terms: Sequence[OrderTerm], params: Iterator[Expression], segment: Segment, *, after: bool
    ) -> Condition:
        if not shape:
            return sa.true()
        *steps, end = shape
        found: list[_Step] = []
        for at, (term, (kind, upward)) in enumerate(zip(terms, steps, strict=True)):
            form = self._inverted.form(term.field)
            if isinstance(form, FixedForm):
                found.append(_Step(kind, upward, sa.null(), sa.null(), True))
                continue
            has_value = form.never_null or (at == 0 and segment.kind == "value")
            expression = form.sortable() if has_value else _null_where_null(form)
            param = sa.null() if kind == "null" else next(params)
            found.append(_Step(kind, upward, expression, param, has_value))
        if end == "key":
            found += [_Step("exact", after, column.sortable(), next(params), True) for column in self._inverted.key]
        return _past(found, self._row_values, equal=end == "equal", after=after)


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    """`exact`, `bound` (no row has the value), `null`; of a fixed field: `same`, `later`, `earlier`."""
    upward: bool
    expression: Expression
    param: Expression
    has_value: bool
    """No row that is compared has null here."""


def _past(steps: Sequence[_Step], row_values: bool, *, equal: bool, after: bool) -> Condition:
    """Rows beyond the position, in lexicographic order of the steps."""
    if not steps:
        return sa.true() if equal else sa.false()
    first, rest = steps[0], steps[1:]
    if first.kind == "same":
        return _past(rest, row_values, equal=equal, after=after)
    if first.kind in ("later", "earlier"):
        return sa.true() if (first.kind == "later") is after else sa.false()
    if first.kind == "null":
        same = sa.and_(first.expression.is_(None), _past(rest, row_values, equal=equal, after=after))
        return same if after else sa.or_(first.expression.is_not(None), same)
    if row_values and all(step.kind == "exact" and step.has_value and step.upward is first.upward for step in steps):
        return _beyond_row(steps, equal)
    beyond = first.expression > first.param if first.upward else first.expression < first.param
    if not first.has_value and after:
        beyond = sa.or_(beyond, first.expression.is_(None))
    if first.kind == "bound":
        return beyond
    tail = _past(rest, row_values, equal=equal, after=after)
    if not first.has_value:
        return sa.or_(beyond, sa.and_(first.expression == first.param, tail))
    leading = first.expression >= first.param if first.upward else first.expression <= first.param
    return sa.and_(leading, sa.or_(beyond, tail))


def _beyond_row(steps: Sequence[_Step], equal: bool) -> Condition:
    left: Any = steps[0].expression if len(steps) == 1 else sa.tuple_(*(step.expression for step in steps))
    right: Any = steps[0].param if len(steps) == 1 else sa.tuple_(*(step.param for step in steps))
    if steps[0].upward:
        return left >= right if equal else left > right  # type: ignore[no-any-return]
    return left <= right if equal else left < right  # type: ignore[no-any-return]


def _null_where_null(form: Form) -> Expression:
    return sa.case((form.null(), sa.null()), else_=form.sortable()) if isinstance(form, TextForm) else form.sortable()


def _compared(rank: SortValue, value: SortValue, direction: Direction) -> int:
    sign = int(rank > value) - int(value > rank)  # type: ignore[operator]
    return sign if direction is Direction.ASC else -sign


def _params() -> Iterator[Expression]:
    at = 0
    while True:
        yield sa.bindparam(f"v{at}", None, type_=sa.types.NULLTYPE)
        at += 1
