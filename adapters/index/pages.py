"""A page as ranges of one index: each is read in order until the page is full.

An order `price` has the index `(price, key)`. Behind a position with the price `p` come, in forward order,

    tie    price = p, keys behind the position's      range  price > p      null  rows without a price

and each is a range of that index, so a page costs what it returns, however deep it lies. Of a descending order the rows of
one value are sorted by their keys, unless they are so many that the index has a twin (`adapters.index.settle`). Further
terms are for `adapters.index.blocks`, or sort the rows that share the first term's value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.evaluate import field_of
from adapters.index.layout import Layout
from adapters.index.where import Conditions
from adapters.model import OrderTerm, PageRequest, Position, StoreUnsupported
from contract.order import Direction, SortValue

__all__ = ["Range", "ranges"]


@dataclass(frozen=True, slots=True)
class Range:
    where: str
    values: list[Any]
    order_by: str


@dataclass(frozen=True, slots=True)
class _Term:
    column: str
    descending: bool
    encode: Callable[[SortValue], Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """A position, encoded: the first term's value apart."""

    first: Any
    rest: tuple[Any, ...]
    native: tuple[SortValue, ...] | None
    inclusive: bool


def ranges(request: PageRequest, conditions: Conditions, layout: Layout) -> list[Range]:
    """In the order of reading: from the end where the page is read backward."""
    terms = [_term(term, conditions) for term in request.order]
    return list(_Writer(terms, layout.keys, request).ranges())


def _term(term: OrderTerm, conditions: Conditions) -> _Term:
    field_of(term.field, "order")
    column = conditions.column(term.field)
    return _Term(column, term.direction is Direction.DESC, conditions.sort_encoder(term.field))


class _Writer:
    def __init__(self, terms: Sequence[_Term], keys: Sequence[str], request: PageRequest) -> None:
        self._terms, self._keys, self._backward = terms, keys, request.backward
        self._after, self._before = self._place(request.after), self._place(request.before)

    def _place(self, position: Position | None) -> _Place | None:
        if position is None:
            return None
        if len(position.values) != len(self._terms):
            raise StoreUnsupported("the position belongs to another order")
        pairs = zip(self._terms, position.values, strict=True)
        encoded = [None if value is None else term.encode(value) for term, value in pairs]
        return _Place(encoded[0] if encoded else None, tuple(encoded[1:]), position.native, position.inclusive)

    def ranges(self) -> Iterator[Range]:
        found = self._without_order() if not self._terms else self._forward()
        return reversed(list(found)) if self._backward else iter(list(found))

    def _without_order(self) -> Iterator[Range]:
        yield self._range([], [self._beyond(self._after, after=True), self._beyond(self._before, after=False)], "")

    def _forward(self) -> Iterator[Range]:
        column, after, before = self._terms[0].column, self._after, self._before
        if after and before and after.first == before.first:
            both = [self._beyond(after, after=True), self._beyond(before, after=False)]
            yield self._range([self._is(after.first)], both, "")
            return
        if after and before and self._lies_behind(after.first, before.first):
            return
        if after:
            yield self._range([self._is(after.first)], [self._beyond(after, after=True)], "")
        if after is None or after.first is not None:
            bounds: list[tuple[str, list[Any]]] = [(f"{column} IS NOT NULL", [])]
            up, down = ("<", ">") if self._terms[0].descending else (">", "<")
            if after:
                bounds.append((f"{column} {up} ?", [after.first]))
            if before and before.first is not None:
                bounds.append((f"{column} {down} ?", [before.first]))
            yield self._range(bounds, [], column)
            if before is None:
                yield self._range([(f"{column} IS NULL", [])], [], "")
        if before:
            yield self._range([self._is(before.first)], [self._beyond(before, after=False)], "")

    def _lies_behind(self, value: Any, other: Any) -> bool:
        """Nulls lie behind every value, whatever the direction."""
        if value is None or other is None:
            return value is None
        return bool(value < other if self._terms[0].descending else value > other)

    def _is(self, value: Any) -> tuple[str, list[Any]]:
        column = self._terms[0].column
        return (f"{column} IS NULL", []) if value is None else (f"{column} = ?", [value])

    def _range(
        self, bounds: Sequence[tuple[str, list[Any]]], more: Sequence[tuple[str, list[Any]]], first: str
    ) -> Range:
        parts = [*bounds, *more]
        where = " AND ".join(text for text, _ in parts) or "1"
        return Range(where, [value for _, values in parts for value in values], self._order_by(first))

    def _order_by(self, first: str) -> str:
        """`first`: the first term's column, where it has more than one value in this range."""
        terms = []
        if first:
            terms.append(f"{first} {self._word(self._terms[0].descending)}")
        for term in self._terms[1:]:
            terms.append(f"({term.column} IS NULL) {self._word(False)}")
            terms.append(f"{term.column} {self._word(term.descending)}")
        return ", ".join(terms + [f"{key} {self._word(False)}" for key in self._keys])

    def _word(self, descending: bool) -> str:
        return "DESC" if descending is not self._backward else "ASC"

    def _beyond(self, place: _Place | None, *, after: bool) -> tuple[str, list[Any]]:
        """Of rows that share the first term's value with the place: those strictly behind (or before) it."""
        if place is None:
            return "1", []
        alternatives: list[str] = []
        values: list[Any] = []
        same: list[str] = []
        same_values: list[Any] = []
        for term, value in zip(self._terms[1:], place.rest, strict=True):
            beyond = self._term_beyond(term, value, after=after)
            if beyond is not None:
                alternatives.append(" AND ".join([*same, beyond]))
                values += same_values + ([] if value is None else [value])
            same.append(f"{term.column} IS NULL" if value is None else f"{term.column} = ?")
            same_values += [] if value is None else [value]
        if place.native is not None:
            row, marks = ", ".join(self._keys), ", ".join("?" * len(self._keys))
            alternatives.append(" AND ".join([*same, f"({row}) {'>' if after else '<'} ({marks})"]))
            values += [*same_values, *place.native]
        elif place.inclusive is after:
            alternatives.append(" AND ".join(same) or "1")
            values += same_values
        return f"({' OR '.join(f'({text})' for text in alternatives)})" if alternatives else "0", values

    def _term_beyond(self, term: _Term, value: Any, *, after: bool) -> str | None:
        if value is None:
            return None if after else f"{term.column} IS NOT NULL"
        operator = ">" if term.descending is not after else "<"
        return f"({term.column} {operator} ? OR {term.column} IS NULL)" if after else f"{term.column} {operator} ?"
