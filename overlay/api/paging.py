"""Pages by keyset: a cursor is the place of a row in its list, opaque to clients, and of one kind of list only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from subgraphs.kit.errors import BadInput

__all__ = ["connection", "page_size", "read_cursor"]

T = TypeVar("T")


def page_size(first: int, most: int) -> int:
    if not 1 <= first <= most:
        raise BadInput(f"first is 1 to {most}, not {first}")
    return first


def read_cursor(kind: str, cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        found, _, place = base64.urlsafe_b64decode(cursor[:64]).decode().partition(":")
        if found != kind:
            raise ValueError
        return int(place)
    except (ValueError, binascii.Error):
        raise BadInput("the cursor does not belong to this list") from None


def connection(
    kind: str, rows: Sequence[T], first: int, started: bool, place: Callable[[T], int], show: Callable[[T], Any]
) -> dict[str, Any]:
    """A Relay connection of up to `first` rows; `rows` has one more where more follow."""
    page = rows[:first]
    edges = [{"cursor": _cursor(kind, place(row)), "node": show(row)} for row in page]
    return {
        "nodes": [edge["node"] for edge in edges],
        "edges": edges,
        "page_info": {
            "has_next_page": len(rows) > first,
            "has_previous_page": started,
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _cursor(kind: str, place: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{place}".encode()).decode()
