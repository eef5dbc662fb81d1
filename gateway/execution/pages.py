"""Merge members' pages of one connection into the page that one store holding all rows would give.

A member edge's cursor is its sort key (`contract.cursors`), so the merge compares cursors and knows nothing of the
rows. Nothing a member says is believed: its cursors must be of the walk's form, in strictly ascending order, of its own
region, and beyond the place where the page starts. Else the member is cut out of the answer.

*The walk's form* (hash of order and filter, kinds, directions) is known from the client's cursor. A first page has none:
there it is what most members say, so one that answers another question cuts out nobody but itself.

*The frontier.* A member that has more rows than it sent may hold any row behind its last one; so rows behind the
nearest such place are not given, and the page stays true whatever page sizes the members keep to.

*What a walk lacks.* A cursor remembers which members did not answer for a page before it, and which answered for all.
Who is in neither set was no member then. So a member that left, or that joined in the middle, is named like one that
was down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge as merge_sorted
from itertools import islice
from operator import lt
from typing import Any, TypeAlias

from contract.cursors import Cursor, decode_cursor, mark_cursor
from gateway.execution.cursors import CursorFault, Form, Key, Places, form_of, read_cursors
from gateway.execution.shapes import ConnectionKeys
from gateway.execution.trust import foreign_row
from gateway.language.errors import Code

__all__ = [
    "PAGE_SIZE_DEFAULT",
    "Filling",
    "MemberPage",
    "Page",
    "PageRequest",
    "PageViolation",
    "Rest",
    "common_form",
    "filling_of",
    "mark_edge",
    "merge_pages",
    "read_page",
]

PAGE_SIZE_DEFAULT = 50
"""Rows of a page when the client names no number."""


class PageViolation(Exception):
    """A member's page breaks the contract of cursors; the text says how."""

    def __init__(self, message: str, code: Code = Code.PARTITION_ORDER_VIOLATION) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The paging arguments of one connection field, read once for all members."""

    limit: int
    is_backward: bool
    after: Cursor | None = None
    before: Cursor | None = None
    after_key: Key | None = None
    before_key: Key | None = None
    anchor: str | None = None
    """The client's cursor from which its walk goes on."""
    directions: str | None = None
    """As the order argument names them; None: it names none, or in another way."""

    @staticmethod
    def of(
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        order: Any = None,
    ) -> PageRequest:
        """Raises `InvalidCursor` for a cursor that cannot be read."""
        is_backward = first is None and (last is not None or before is not None)
        size = last if is_backward else first
        lower = None if after is None else decode_cursor(after)
        upper = None if before is None else decode_cursor(before)
        return PageRequest(
            limit=PAGE_SIZE_DEFAULT if size is None else max(0, size),
            is_backward=is_backward,
            after=lower,
            before=upper,
            after_key=None if lower is None else lower.key,
            before_key=None if upper is None else upper.key,
            anchor=before if is_backward else after,
            directions=_directions(order),
        )

    @property
    def start(self) -> Cursor | None:
        """The place from which the walk goes on; it remembers what the walk lacks."""
        return self.before if self.is_backward else self.after


def _directions(order: Any) -> str | None:
    """Of an order argument of the usual shape: a list of objects with a `direction`, ascending where there is none."""
    if not isinstance(order, list) or not order or not all(isinstance(term, dict) for term in order):
        return None
    return "".join("d" if term.get("direction") == "DESC" else "a" for term in order)


@dataclass(frozen=True, slots=True)
class MemberPage:
    region: str
    value: dict[str, Any]
    cursors: Sequence[str]
    form: Form | None
    """None: it has no rows, so nothing speaks against any form."""
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
    present: frozenset[str]
    start_cursor: str | None
    end_cursor: str | None


# One member's page


def read_page(
    region: str, own_codes: Collection[str], value: Any, keys: ConnectionKeys, request: PageRequest
) -> MemberPage:
    """Check a member's page as far as it can be judged alone. Raises `PageViolation`."""
    if not isinstance(value, dict):
        raise PageViolation("the connection is no object")
    cursors = _cursors(value, keys)
    _check_lengths(value, keys, len(cursors))
    has_next, has_previous = _page_info(value, keys)
    try:
        places = read_cursors(cursors)
    except CursorFault as fault:
        raise PageViolation(str(fault)) from None
    if not places.regions <= frozenset(own_codes):
        raise PageViolation("it gave rows of another region", Code.PARTITION_FOREIGN_ROW)
    _check_directions(places, request)
    _check_order(places, request)
    for key, node, row_keys in keys.owned:
        rows = value[key] if node is None else [edge.get(node) for edge in value[key]]
        if foreign_row(rows, row_keys, own_codes) is not None:
            raise PageViolation("it gave rows of another region", Code.PARTITION_FOREIGN_ROW)
    if not cursors and request.limit and (has_previous if request.is_backward else has_next):
        raise PageViolation("its page is empty although it says that rows follow")
    return MemberPage(region, value, cursors, places.form, places.keys, has_next, has_previous)


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
    if any(not set(map(type, value[key])) <= {dict} for key, _ in keys.edges):
        raise PageViolation("an edge is no object")


def _page_info(value: dict[str, Any], keys: ConnectionKeys) -> tuple[bool, bool]:
    found: dict[str, bool] = {}
    for key, fields in keys.pages:
        info = value.get(key)
        if not isinstance(info, dict):
            raise PageViolation("its pageInfo is no object")
        found.update((name, bool(info.get(inner))) for inner, name in fields if name.startswith("has"))
    return found.get("hasNextPage", False), found.get("hasPreviousPage", False)


def _check_directions(places: Places, request: PageRequest) -> None:
    if places.form is not None and request.directions is not None and places.form[2] != request.directions:
        raise PageViolation("its rows are in another order than asked for")


def _check_order(places: Places, request: PageRequest) -> None:
    keys = places.keys
    if not keys:
        return
    for cursor in (request.after, request.before):
        if cursor is not None and form_of(cursor) != places.form:
            raise PageViolation("its cursors are of another order or filter than the one given")
    if request.after_key is not None and not request.after_key < keys[0]:
        raise PageViolation("it gave rows that are not after the cursor")
    if request.before_key is not None and not keys[-1] < request.before_key:
        raise PageViolation("it gave rows that are not before the cursor")
    if not all(map(lt, keys, islice(keys, 1, None))):
        raise PageViolation("its rows are out of order, or repeated")


# All members' pages


def common_form(pages: Sequence[MemberPage]) -> Form | None:
    """What most pages with rows are of. None: they are of one mind in nothing, so none of them can be believed."""
    told = Counter(page.form for page in pages if page.form is not None).most_common(2)
    if not told or (len(told) > 1 and told[0][1] == told[1][1]):
        return None
    return told[0][0]


def merge_pages(pages: Sequence[MemberPage], missing: Collection[str], request: PageRequest) -> Page:
    """One page out of the members' checked pages; `missing` are the members that did not answer for this page."""
    rows = _backward(pages, request.limit) if request.is_backward else _forward(pages, request.limit)
    left_over = sum(len(page.cursors) for page in pages) > len(rows)
    has_next = any(page.has_next for page in pages) or (left_over and not request.is_backward)
    has_previous = any(page.has_previous for page in pages) or (left_over and request.is_backward)
    missed, present = _walked(frozenset(page.region for page in pages), frozenset(missing), request.start)
    start, end = (_cursor_of(rows[0]), _cursor_of(rows[-1])) if rows else (request.anchor, request.anchor)
    return Page(
        rows,
        has_next,
        has_previous,
        missed,
        present,
        start_cursor=None if start is None else mark_cursor(start, missed, present),
        end_cursor=None if end is None else mark_cursor(end, missed, present),
    )


def _walked(
    answered: frozenset[str], missing: frozenset[str], start: Cursor | None
) -> tuple[frozenset[str], frozenset[str]]:
    """What the walk lacks with this page, and who answered for all of it."""
    if start is None:
        return missing, answered
    if not start.present and not start.missed:
        # A member's own cursor: nobody kept a record of the walk.
        return missing, answered
    missed = start.missed | missing | (start.present ^ answered)
    return missed, start.present & answered


# How full the page is


@dataclass(frozen=True, slots=True)
class Rest:
    """Rows that a page may still need of one member: so many, after its last one."""

    after: str
    count: int


@dataclass(frozen=True, slots=True)
class Filling:
    """Where a page's rows came from, and who could give more to one that is not full."""

    is_full: bool
    taken: Mapping[str, int]
    """Region → its rows on the page."""
    wanted: Mapping[str, Rest]
    """By region, where a member has more rows and may have to give some; empty when paging backwards."""


def filling_of(pages: Sequence[MemberPage], merged: Page, request: PageRequest) -> Filling:
    taken = Counter(page.region for page, _ in merged.rows)
    lacking = request.limit - len(merged.rows)
    wanted: dict[str, Rest] = {}
    if lacking and not request.is_backward:
        for page in pages:
            count = lacking - (len(page.keys) - taken[page.region])
            if page.has_next and page.keys and count > 0:
                wanted[page.region] = Rest(page.cursors[-1], count)
    return Filling(not lacking, {page.region: taken[page.region] for page in pages}, wanted)


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


def mark_edge(row: Row, edges_key: str, cursor_keys: Sequence[str], page: Page) -> dict[str, Any]:
    """The row's edge with a cursor that remembers what the walk lacks."""
    own, index = row
    cursor = mark_cursor(_cursor_of(row), page.missed, page.present)
    return {**own.value[edges_key][index], **dict.fromkeys(cursor_keys, cursor)}
