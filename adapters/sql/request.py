"""A request's shape and its values, apart: what is written as SQL once, and what is bound anew each time.

`shape_of` walks a filter and a position and gives a hashable shape and the list of values. `write_where` and
`write_position` walk the same way and take one parameter for each value, in the same order, so a shape written once
serves every request that differs in values only. The logic stays two-valued: SQL's unknown counts as false, and what
stands under a `Not` is made so before it is negated.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any, Protocol, assert_never

import sqlalchemy as sa

from adapters.model import (
    And,
    Compare,
    Filter,
    HasIssues,
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
    TextMatch,
    TextPrefix,
    UnderClass,
)
from contract.order import Direction, SortValue

__all__ = [
    "Column",
    "Columns",
    "Parameters",
    "condition_params",
    "filter_shape",
    "order_by",
    "page_shape",
    "unchanged",
    "write_position",
    "write_where",
]

Encoder = Callable[[Any], Any]


class Column(Protocol):
    """A canonical field as an SQL expression, or what stands for it in comparisons."""

    def expression(self) -> sa.ColumnElement[Any]: ...

    def encoder(self, op: str) -> Encoder:
        """From a canonical value (of ops `sort_…`: a sort value) to what `expression() op ?` needs; a value that no
        row can have becomes None, with which nothing compares."""


class Columns(Protocol):
    """What can be said in SQL of a store's rows. Raises `StoreUnsupported` for what cannot."""

    dialect: str

    def field(self, name: str) -> Column: ...

    def native(self) -> Sequence[Column]: ...

    def key_in(self, params: list[sa.BindParameter[Any]]) -> sa.ColumnElement[bool]: ...

    def key_encoder(self) -> Encoder: ...

    def matched(self) -> sa.ColumnElement[str]:
        """The folded texts `TextMatch` looks into, joined by `MATCH_SEPARATOR`."""

    def has_issues(self) -> sa.ColumnElement[bool]: ...


@dataclass(slots=True)
class Parameters:
    """The parameters of a statement being written; `encoders` follow the order of the shape's values."""

    encoders: list[Encoder] = field(default_factory=list)

    def add(self, encoder: Encoder) -> sa.BindParameter[Any]:
        self.encoders.append(encoder)
        return sa.bindparam(f"v{len(self.encoders) - 1}", None, type_=sa.types.NULLTYPE)

    def bound(self, values: Sequence[Any]) -> dict[str, Any]:
        return {f"v{at}": encode(value) for at, (encode, value) in enumerate(zip(self.encoders, values, strict=True))}


# --- shapes -------------------------------------------------------------------------------------------------------


def filter_shape(filter_: Filter | None, values: list[Any]) -> Hashable:
    match filter_:
        case None:
            return None
        case And(parts):
            return ("and", *(filter_shape(part, values) for part in parts))
        case Or(parts):
            return ("or", *(filter_shape(part, values) for part in parts))
        case Not(part):
            return ("not", filter_shape(part, values))
        case Compare(name, op, value):
            values.append(value)
            return ("compare", name, op)
        case In(name, wanted):
            values.extend(wanted)
            return ("in", name, len(wanted))
        case IsNull(name):
            return ("null", name)
        case TextContains(name, value):
            values.append(value)
            return ("contains", name)
        case TextPrefix(name, value):
            values.append(value)
            return ("prefix", name)
        case UnderClass(codes):
            values.extend(codes)
            return ("under", len(codes))
        case TextMatch(groups):
            values.extend(text for group in groups for text in group)
            return ("match", *(len(group) for group in groups))
        case KeyIn(natives):
            values.extend(natives)
            return ("key", len(natives))
        case HasIssues(wanted_):
            return ("issues", wanted_)
        case Nothing():
            return ("nothing",)
        case _:
            assert_never(filter_)


def _position_shape(position: Position | None, order: Sequence[OrderTerm], values: list[Any]) -> Hashable:
    if position is None:
        return None
    if len(position.values) != len(order):
        raise StoreUnsupported("the position belongs to another order")
    for value in (*(value for value in position.values if value is not None), *(position.native or ())):
        values += (value, value)  # once to be equal to, once to lie beyond
    nulls = tuple(value is None for value in position.values)
    return (nulls, position.native is not None, position.inclusive)


def page_shape(request: PageRequest, values: list[Any]) -> Hashable:
    return (
        filter_shape(request.filter, values),
        request.order,
        request.backward,
        _position_shape(request.after, request.order, values),
        _position_shape(request.before, request.order, values),
    )


# --- conditions ---------------------------------------------------------------------------------------------------


def condition_params(columns: Columns, filter_: Filter | None) -> tuple[sa.ColumnElement[bool], Parameters]:
    params = Parameters()
    return write_where(filter_, columns, params), params


def write_where(filter_: Filter | None, columns: Columns, params: Parameters) -> sa.ColumnElement[bool]:
    match filter_:
        case None:
            return sa.true()
        case And(parts):
            return sa.and_(sa.true(), *(write_where(part, columns, params) for part in parts))
        case Or(parts):
            return sa.or_(sa.false(), *(write_where(part, columns, params) for part in parts))
        case Not(part):
            return sa.not_(sa.func.coalesce(write_where(part, columns, params), sa.false()))
        case Compare(name, op, _):
            column = columns.field(name)
            return _OPERATORS[op](column.expression(), params.add(column.encoder(op)))
        case In(name, wanted):
            column = columns.field(name)
            return _any_of(column.expression() == params.add(column.encoder("eq")) for _ in wanted)
        case IsNull(name):
            return columns.field(name).expression().is_(None)
        case TextContains(name, _):
            return _find(columns, columns.field(name).expression(), params.add(unchanged)) > 0
        case TextPrefix(name, _):
            return _find(columns, columns.field(name).expression(), params.add(unchanged)) == 1
        case UnderClass(codes):
            code = columns.field("classCode").expression()
            return _any_of(_find(columns, code, params.add(unchanged)) == 1 for _ in codes)
        case TextMatch(groups):
            matched = columns.matched()
            return sa.and_(
                sa.true(),
                *(_any_of(_find(columns, matched, params.add(unchanged)) > 0 for _ in group) for group in groups),
            )
        case KeyIn(natives):
            encode = columns.key_encoder()
            return columns.key_in([params.add(encode) for _ in natives])
        case HasIssues(wanted_):
            return columns.has_issues() if wanted_ else sa.not_(columns.has_issues())
        case Nothing():
            return sa.false()
        case _:
            assert_never(filter_)


_OPERATORS: Map[str, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def unchanged(value: Any) -> Any:
    """The encoder of what SQL keeps as the contract has it."""
    return value


def _any_of(parts: Any) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *parts)


def _find(columns: Columns, text: sa.ColumnElement[Any], part: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Where `part` begins in `text`, from 1; 0: nowhere. Exact, by the collation `text` has."""
    if columns.dialect == "postgresql":
        return sa.func.strpos(text, sa.cast(part, sa.Text))
    return sa.func.instr(text, part)


# --- order and position -------------------------------------------------------------------------------------------


def order_by(order: Sequence[OrderTerm], columns: Columns, backward: bool) -> list[sa.ColumnElement[Any]]:
    """Nulls last in both directions, then the native key; backward turns all of it around."""
    terms: list[sa.ColumnElement[Any]] = []
    for term in order:
        expression = columns.field(term.field).expression()
        nulls = sa.case((expression.is_(None), 1), else_=0)
        descending = (term.direction is Direction.DESC) is not backward
        terms.append(nulls.desc() if backward else nulls)
        terms.append(expression.desc() if descending else expression.asc())
    native = [part.expression() for part in columns.native()]
    return terms + [part.desc() if backward else part.asc() for part in native]


def write_position(
    position: Position, order: Sequence[OrderTerm], columns: Columns, params: Parameters, *, after: bool
) -> sa.ColumnElement[bool]:
    """Rows strictly after (or before) the position, in forward order, as a lexicographic comparison."""
    terms: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]] = []
    for term, value in zip(order, position.values, strict=True):
        column = columns.field(term.field)
        upward = (term.direction is Direction.ASC) is after
        terms.append(_beyond(column, value, params, upward=upward, after=after))
    native: Sequence[SortValue] = position.native or ()
    for part, value in zip(columns.native(), native, strict=False):
        terms.append(_beyond(part, value, params, upward=after, after=after))
    alternatives = [sa.and_(*(same for same, _ in terms[:at]), beyond) for at, (_, beyond) in enumerate(terms)]
    if position.native is None and position.inclusive is after:
        alternatives.append(sa.and_(sa.true(), *(same for same, _ in terms)))
    return sa.or_(sa.false(), *alternatives)


def _beyond(
    column: Column, value: SortValue, params: Parameters, *, upward: bool, after: bool
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """(the row's value is this one, it lies beyond it). Nulls lie after every value, whatever the direction."""
    expression = column.expression()
    if value is None:
        return expression.is_(None), sa.false() if after else expression.is_not(None)
    same = expression == params.add(column.encoder("sort_eq"))
    limit = params.add(column.encoder("sort_gt" if upward else "sort_lt"))
    beyond = expression > limit if upward else expression < limit
    return same, sa.or_(beyond, expression.is_(None)) if after else beyond
