"""Merge members' pages of one connection into the page that one store holding all rows would give.

A member edge's cursor is its sort key (`contract.cursors`), so the merge compares cursors and knows nothing of the
rows. Nothing a member says is believed: its cursors must be of one shape with the others', in strictly ascending
order, of its own region, and beyond the place where the page starts. Else the member is cut out of the answer.

*The frontier.* A member that has more rows than it sent may hold any row behind its last one; so rows behind the
nearest such place are not given, and the page stays true whatever page sizes the members keep to.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import InvalidOperation
from heapq import merge as merge_sorted
from itertools import islice, pairwise
from typing import Any, TypeAlias

import orjson

from contract.cursors import CURSOR_LENGTH_MAX, VERSION, Cursor, InvalidCursor, decode_cursor, encode_cursor
from contract.order import Direction, Kind, sort_key
from gateway.execution.shapes import ConnectionKeys

__all__ = [
    "PAGE_SIZE_DEFAULT",
    "InvalidCursor",
    "MemberPage",
    "Page",
    "PageRequest",
    "PageViolation",
    "mark_missed",
    "merge_pages",
    "read_page",
]

PAGE_SIZE_DEFAULT = 50
"""Rows of a page when the client names no number."""

Key: TypeAlias = tuple[Any, ...]


class PageViolation(Exception):
    """A member's page breaks the contract of cursors; the text says how."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The paging arguments of one connection field."""

    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None

    @property
    def is_backward(self) -> bool:
        return self.first is None and (self.last is not None or self.before is not None)

    @property
    def limit(self) -> int:
        size = self.last if self.is_backward else self.first
        return PAGE_SIZE_DEFAULT if size is None else max(0, size)

    def bounds(self) -> tuple[Cursor | None, Cursor | None]:
        """The cursors that the page lies between. Raises `InvalidCursor`."""
        return (
            None if self.after is None else decode_cursor(self.after),
            None if self.before is None else decode_cursor(self.before),
        )


@dataclass(frozen=True, slots=True)
class MemberPage:
    region: str
    value: dict[str, Any]
    cursors: Sequence[str]
    keys: Sequence[Key]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[tuple[MemberPage, int]]
    """Which row of which member, in order."""
    has_next: bool
    has_previous: bool
    missed: frozenset[str]
    start_cursor: str | None
    end_cursor: str | None


def read_page(
    region: str,
    own_codes: Collection[str],
    value: Any,
    keys: ConnectionKeys,
    request: PageRequest,
    shape: tuple[Any, ...] | None,
) -> tuple[MemberPage, tuple[Any, ...] | None]:
    """Check a member's page; `shape` is what the cursors before had in common. Raises `PageViolation`."""
    if not isinstance(value, dict):
        raise PageViolation("the connection is no object")
    cursors = _cursors(value, keys)
    _check_lengths(value, keys, len(cursors))
    has_next, has_previous = _page_info(value, keys)
    sort_keys: list[Key] = []
    for text in cursors:
        found, region_of_row, key = _read_cursor(text)
        if shape is None:
            shape = found
        elif found != shape:
            raise PageViolation("its cursors are of another order or filter than the others'")
        if region_of_row not in own_codes:
            raise PageViolation("it gave rows of another region")
        sort_keys.append(key)
    _check_order(sort_keys, request)
    if not cursors and request.limit and (has_previous if request.is_backward else has_next):
        raise PageViolation("its page is empty although it says that rows follow")
    return MemberPage(region, value, cursors, sort_keys, has_next, has_previous), shape


def _cursors(value: dict[str, Any], keys: ConnectionKeys) -> list[str]:
    for edges_key, cursor_keys in keys.edges:
        if not cursor_keys:
            continue
        edges = value.get(edges_key)
        if not isinstance(edges, list):
            raise PageViolation("its edges are no list")
        name = cursor_keys[0]
        try:
            return [edge[name] for edge in edges]
        except (TypeError, KeyError):
            raise PageViolation("an edge has no cursor") from None
    raise PageViolation("the operation asked for no cursors")


def _check_lengths(value: dict[str, Any], keys: ConnectionKeys, count: int) -> None:
    for key in (*keys.nodes, *(key for key, _ in keys.edges)):
        rows = value.get(key)
        if not isinstance(rows, list) or len(rows) != count:
            raise PageViolation("its nodes and edges are not the same rows")
    if any(not isinstance(edge, dict) for key, _ in keys.edges for edge in value[key]):
        raise PageViolation("an edge is no object")


def _page_info(value: dict[str, Any], keys: ConnectionKeys) -> tuple[bool, bool]:
    found: dict[str, bool] = {}
    for key, fields in keys.pages:
        info = value.get(key)
        if not isinstance(info, dict):
            raise PageViolation("its pageInfo is no object")
        found.update((name, bool(info.get(inner))) for inner, name in fields if name.startswith("has"))
    return found.get("hasNextPage", False), found.get("hasPreviousPage", False)


def _read_cursor(text: Any) -> tuple[tuple[Any, ...], str, Key]:
    """(what all cursors of one walk share, region, sort key); `decode_cursor` without making a `Cursor` for each row."""
    if not isinstance(text, str) or len(text) > CURSOR_LENGTH_MAX:
        raise PageViolation("a cursor cannot be read")
    try:
        # As `urlsafe_b64decode`, at a third of its cost; this runs for every row of every member.
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        record = orjson.loads(binascii.a2b_base64(padded))
        version, shape, kinds, directions, values, region, native_kinds, native = record[:8]
        key = sort_key(values, _KINDS[kinds], _DIRECTIONS[directions], region, native, _KINDS[native_kinds])
        comparable = isinstance(region, str) and _compare(values, _KINDS[kinds])
        comparable = comparable and _compare(native, _KINDS[native_kinds])
    except (ValueError, TypeError, KeyError, InvalidOperation, binascii.Error):
        raise PageViolation("a cursor cannot be read") from None
    if version != VERSION:
        raise PageViolation("its cursors are of another version")
    if not comparable:
        raise PageViolation("its cursors do not compare")
    return (shape, kinds, directions), region, key


_NUMBER, _TEXT = Kind.NUMBER, Kind.TEXT


def _compare(values: Sequence[Any], kinds: Sequence[Kind]) -> bool:
    """Whether values that make a sort key compare with any others of these kinds."""
    for value, kind in zip(values, kinds, strict=True):
        if value is None:
            continue
        if kind is _NUMBER:
            if value.__class__ is str and "N" in value.upper():  # NaN
                return False
        elif value.__class__ is not (str if kind is _TEXT else int):
            return False
    return True


class _Kinds(dict[str, tuple[Kind, ...]]):
    def __missing__(self, text: str) -> tuple[Kind, ...]:
        return tuple(Kind(one) for one in text)


class _Directions(dict[str, tuple[Direction, ...]]):
    def __missing__(self, text: str) -> tuple[Direction, ...]:
        return tuple(Direction.ASC if one == "a" else Direction.DESC for one in text)


# The few combinations that exist in practice are kept; others are worked out each time (nothing a member sends grows
# this process).
_KINDS = _Kinds({text: tuple(Kind(one) for one in text) for text in ("", "t", "n", "r", "tt", "nn", "tn", "nt")})
_DIRECTIONS = _Directions({text: _Directions()[text] for text in ("", "a", "d", "aa", "ad", "da", "dd")})


def _check_order(keys: Sequence[Key], request: PageRequest) -> None:
    after, before = request.bounds()
    try:
        if keys and after is not None and not after.key < keys[0]:
            raise PageViolation("it gave rows that are not after the cursor")
        if keys and before is not None and not keys[-1] < before.key:
            raise PageViolation("it gave rows that are not before the cursor")
        for one, following in pairwise(keys):
            if not one < following:
                raise PageViolation("its rows are out of order, or repeated")
    except (TypeError, InvalidOperation):
        raise PageViolation("its cursors do not compare") from None


def merge_pages(pages: Sequence[MemberPage], missing: Collection[str], request: PageRequest) -> Page:
    """One page out of the members' checked pages; `missing` are the members that did not answer for this page."""
    rows = _backward(pages, request.limit) if request.is_backward else _forward(pages, request.limit)
    left_over = sum(len(page.cursors) for page in pages) > len(rows)
    anchor = request.before if request.is_backward else request.after
    missed = frozenset(missing) | _missed_of(anchor)
    has_next = any(page.has_next for page in pages) or (left_over and not request.is_backward)
    has_previous = any(page.has_previous for page in pages) or (left_over and request.is_backward)
    start: str | None
    end: str | None
    if rows:
        start = _with_missed(_cursor_of(rows[0]), missed)
        end = _with_missed(_cursor_of(rows[-1]), missed)
    else:
        start = end = None if anchor is None else _with_missed(anchor, missed)
    return Page(rows, has_next, has_previous, missed, start, end)


Row: TypeAlias = tuple[MemberPage, int]


def _forward(pages: Sequence[MemberPage], limit: int) -> list[Row]:
    ends = [page.keys[-1] for page in pages if page.has_next and page.keys]
    frontier = min(ends) if ends else None
    streams = [_stream(place, page, range(len(page.keys))) for place, page in enumerate(pages)]
    found: list[Row] = []
    for key, place, index in islice(merge_sorted(*streams), limit):
        if frontier is not None and frontier < key:
            break
        found.append((pages[place], index))
    return found


def _backward(pages: Sequence[MemberPage], limit: int) -> list[Row]:
    starts = [page.keys[0] for page in pages if page.has_previous and page.keys]
    frontier = max(starts) if starts else None
    streams = [_stream(place, page, range(len(page.keys) - 1, -1, -1)) for place, page in enumerate(pages)]
    found: list[Row] = []
    for key, place, index in islice(merge_sorted(*streams, reverse=True), limit):
        if frontier is not None and key < frontier:
            break
        found.append((pages[place], index))
    found.reverse()
    return found


def _stream(place: int, page: MemberPage, indexes: range) -> Iterator[tuple[Key, int, int]]:
    keys = page.keys
    return ((keys[index], place, index) for index in indexes)


def _cursor_of(row: Row) -> str:
    page, index = row
    return page.cursors[index]


def _missed_of(anchor: str | None) -> frozenset[str]:
    return frozenset() if anchor is None else decode_cursor(anchor).missed


def _with_missed(cursor: str, missed: frozenset[str]) -> str:
    if not missed:
        return cursor
    return encode_cursor(replace(decode_cursor(cursor), missed=missed))


def mark_missed(row: Row, edges_key: str, cursor_keys: Sequence[str], missed: frozenset[str]) -> dict[str, Any]:
    """The row's edge with a cursor that remembers which members the walk lacks."""
    page, index = row
    cursor = _with_missed(_cursor_of(row), missed)
    return {**page.value[edges_key][index], **dict.fromkeys(cursor_keys, cursor)}
