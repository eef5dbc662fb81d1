"""The page that a store gives of the rows it has, by the contract of cursors: a member of its own, one store of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from contract.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor

__all__ = ["Page", "as_a_store_says", "page_of", "place"]

PAGE_SIZE = 50
"""Of a page when the client names no number."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: tuple[Row, ...]
    cursors: tuple[str, ...]
    """One for each row."""
    has_next: bool
    has_previous: bool

    @property
    def info(self) -> dict[str, Any]:
        return {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": self.cursors[0] if self.cursors else None,
            "endCursor": self.cursors[-1] if self.cursors else None,
        }


def page_of(rows: Iterable[tuple[Cursor, Row]], shape: str, arguments: Mapping[str, Any]) -> Page[Row]:
    """`rows` in any order, each with its cursor, all of `shape`. Raises `InvalidCursor`."""
    first, last = arguments.get("first"), arguments.get("last")
    after = decode_cursor(arguments["after"], shape).key if arguments.get("after") else None
    before = decode_cursor(arguments["before"], shape).key if arguments.get("before") else None
    window = [
        (cursor, row)
        for cursor, row in sorted(rows, key=lambda pair: pair[0].key)
        if (after is None or after < cursor.key) and (before is None or cursor.key < before)
    ]
    if first is None and (last is not None or before is not None):
        size = PAGE_SIZE if last is None else last
        chosen = window[-size:] if size else []
        has_next, has_previous = before is not None, len(window) > len(chosen)
    else:
        chosen = window[: PAGE_SIZE if first is None else first]
        has_next, has_previous = len(window) > len(chosen), after is not None
    cursors = tuple(encode_cursor(cursor) for cursor, _ in chosen)
    return Page(tuple(row for _, row in chosen), cursors, has_next, has_previous)


def place(cursor: str) -> Cursor:
    """Where a cursor points, without what its walk lacks."""
    return replace(decode_cursor(cursor), missed=frozenset(), present=frozenset())


def as_a_store_says(answer: Any) -> Any:
    """A gateway's answer with its cursors as a store writes them, which knows nothing of members."""
    match answer:
        case dict():
            return {key: as_a_store_says(value) for key, value in answer.items()}
        case list():
            return [as_a_store_says(one) for one in answer]
        case str():
            try:
                return encode_cursor(place(answer))
            except InvalidCursor:
                return answer
    return answer
