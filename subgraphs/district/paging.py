"""Pages: the connection's arguments, and cursors to places in this member's own order.

A cursor is a row's sort key and serves every member (`contract.cursors`). For a cursor of region C, a member of
region M resumes after the native key when M is C; when M sorts before C its rows of equal values come before the
cursor, so it resumes past them; when M sorts after C they are still to come.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.evaluate import order_kinds
from adapters.model import OrderTerm, Page, PageRequest, Position
from contract.cursors import Cursor, InvalidCursor, cursor_writer, decode_cursor, shape_hash
from contract.order import Direction, Kind, SortValue
from subgraphs.kit.errors import BadInput, CodedError

__all__ = ["PAGE_SIZE_DEFAULT", "PAGE_SIZE_MAX", "PageArguments", "Paging", "order_terms", "paging_of"]

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 500

ORDER_FIELDS = {
    "CODE": "code",
    "NAME": "name",
    "CLASS": "classCode",
    "ACQUIRED_ON": "acquiredOn",
    "ORIGINAL_VALUE": "originalValue",
    "NET_VALUE": "netValue",
    "QUANTITY": "quantity",
    "STATUS": "status",
}
"""`AssetOrderField` → canonical field."""


@dataclass(frozen=True, slots=True)
class PageArguments:
    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def size(self) -> tuple[int, bool]:
        """(how many rows, whether from the end). Raises `BadInput`."""
        if self.first is not None and self.last is not None:
            raise BadInput("give `first` or `last`, not both")
        backward = self.first is None and (self.last is not None or self.before is not None)
        size = self.last if backward else self.first
        return page_size(PAGE_SIZE_DEFAULT if size is None else size, "last" if backward else "first"), backward


def page_size(size: int, name: str) -> int:
    if size < 0:
        raise BadInput(f"`{name}` must not be negative")
    if size > PAGE_SIZE_MAX:
        raise CodedError(
            f"`{name}` is at most {PAGE_SIZE_MAX}; page through the rest by cursors",
            code="PAGE_TOO_LARGE",
            maximum=PAGE_SIZE_MAX,
        )
    return size


def order_terms(order: Sequence[tuple[str, str]]) -> tuple[OrderTerm, ...]:
    """(order field, direction) pairs as terms on canonical fields; a field named again changes nothing."""
    terms: dict[str, OrderTerm] = {}
    for field, direction in order:
        name = ORDER_FIELDS[field]
        terms.setdefault(name, OrderTerm(name, Direction(direction)))
    return tuple(terms.values())


@dataclass(frozen=True, slots=True)
class Paging:
    """One page to be read from one member, and how its cursors are written."""

    region: str
    native_kinds: tuple[Kind, ...]
    order: tuple[OrderTerm, ...]
    kinds: tuple[Kind, ...]
    shape: str
    limit: int
    backward: bool
    after: Cursor | None
    before: Cursor | None

    def request(self, filter_: Any, columns: frozenset[str]) -> PageRequest | None:
        """What to ask the store; None when the cursors leave no room."""
        after, before = self._position(self.after), self._position(self.before)
        if not self.order:
            # Without order values a place of another region is before or after all rows: no question to the store.
            if after is not None and after.native is None:
                if not after.inclusive:
                    return None
                after = None
            if before is not None and before.native is None:
                if before.inclusive:
                    return None
                before = None
        return PageRequest(filter_, self.order, self.limit, self.backward, after, before, columns)

    def _position(self, cursor: Cursor | None) -> Position | None:
        if cursor is None:
            return None
        if cursor.region == self.region:
            return Position(cursor.values, cursor.native, inclusive=False)
        return Position(cursor.values, None, inclusive=self.region > cursor.region)

    def cursors(self, page: Page) -> list[str]:
        write = self._writer()
        return [write(values, native) for values, native in zip(page.sort_values, page.native_values, strict=True)]

    def page_info(self, page: Page, fields: Container[str]) -> dict[str, Any]:
        """The fields selected. A cursor's own row lies outside of the page, so there is a page on its side."""
        ends = [name in fields and len(page.native_values) > 0 for name in ("startCursor", "endCursor")]
        start, end = (self._cursor_at(page, at) if asked else None for at, asked in zip((0, -1), ends, strict=True))
        return {
            "hasNextPage": self.before is not None if self.backward else page.has_more,
            "hasPreviousPage": page.has_more if self.backward else self.after is not None,
            "startCursor": start,
            "endCursor": end,
        }

    def _cursor_at(self, page: Page, place: int) -> str:
        return self._writer()(page.sort_values[place], page.native_values[place])

    def _writer(self) -> Callable[[Sequence[SortValue], Sequence[SortValue]], str]:
        directions = (term.direction for term in self.order)
        return cursor_writer(self.shape, self.kinds, directions, self.region, self.native_kinds)


def paging_of(
    arguments: PageArguments,
    order: Sequence[tuple[str, str]],
    bound_to: Any,
    region: str,
    native_kinds: tuple[Kind, ...],
) -> Paging:
    """`bound_to`: plain JSON of the filter that the cursors belong to. Raises `BadInput` or `CURSOR_MISMATCH`."""
    terms = order_terms(order)
    limit, backward = arguments.size()
    kinds = order_kinds(terms)
    shape = shape_hash([(term.field, term.direction.value) for term in terms], bound_to)

    def read(text: str | None, name: str) -> Cursor | None:
        return None if text is None else _read_cursor(text, name, shape, kinds, terms, region, native_kinds)

    after, before = read(arguments.after, "after"), read(arguments.before, "before")
    return Paging(region, native_kinds, terms, kinds, shape, limit, backward, after, before)


def _read_cursor(
    text: str,
    name: str,
    shape: str,
    kinds: tuple[Kind, ...],
    terms: tuple[OrderTerm, ...],
    region: str,
    native_kinds: tuple[Kind, ...],
) -> Cursor:
    try:
        cursor = decode_cursor(text)
    except InvalidCursor as error:
        raise BadInput(f"`{name}`: {error}") from None
    if cursor.shape != shape:
        raise CodedError(
            f"`{name}` belongs to another orderBy or filter; start again without it", code="CURSOR_MISMATCH"
        )
    directions = tuple(term.direction for term in terms)
    fits = cursor.kinds == kinds and cursor.directions == directions
    if cursor.region == region:
        fits = fits and cursor.native_kinds == native_kinds
    if not fits:
        raise CodedError(f"`{name}` was made by another version; start again without it", code="CURSOR_MISMATCH")
    return cursor
