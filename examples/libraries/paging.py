"""What makes a server a member, in one place: rows in the canonical order, a cursor that is the row's sort key, and a
page that starts behind whatever cursor it is given, its own or another member's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from contract.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor
from examples.libraries.serving import bad_input

__all__ = ["connection"]

PAGE_SIZE = 20
PAGE_SIZE_MAX = 100

Row: TypeAlias = tuple[Cursor, Any]
"""Its cursor, and what the client sees of it."""


def connection(rows: Iterable[Row], shape: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`rows` in any order, all of `shape`; `arguments`: `first` and `after`, or `last` and `before`."""
    ordered = sorted(rows, key=lambda row: row[0].key)
    after, before = _key(arguments.get("after"), shape), _key(arguments.get("before"), shape)
    window = [
        row for row in ordered if (after is None or after < row[0].key) and (before is None or row[0].key < before)
    ]
    first, last = arguments.get("first"), arguments.get("last")
    backwards = first is None and last is not None
    page = window[-_size(last) :] if backwards and last else window[: _size(last if backwards else first)]
    more, came_from = len(window) > len(page), before is not None if backwards else after is not None
    edges = [{"cursor": encode_cursor(cursor), "node": node} for cursor, node in page]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": came_from if backwards else more,
            "hasPreviousPage": more if backwards else came_from,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
        "totalCount": len(ordered),
    }


def _size(wanted: int | None) -> int:
    size = PAGE_SIZE if wanted is None else wanted
    if not 0 <= size <= PAGE_SIZE_MAX:
        raise bad_input(f"A page has at most {PAGE_SIZE_MAX} rows.")
    return size


def _key(cursor: str | None, shape: str) -> Any:
    try:
        return None if cursor is None else decode_cursor(cursor, shape).key
    except InvalidCursor as error:
        raise bad_input(f"{error}.") from None
