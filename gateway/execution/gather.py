"""Members' values of one field become one value: pure functions, one for each way to gather.

    CONNECTION  merged by cursors (`pages`)          GROUPS   merged by their keys, other fields fold
    LIST        joined in the order of members       FOLD     an object, field by field
    ONE         the first answer                     SOURCES  each member's state; members that failed are added

Members that gave no value are `missing`: they cost their own rows and nothing else. Every total that lacks a member,
or something of one, or has one's earlier answer in it, says so (`ALL` folds to false). A member found out while
gathering (a value of another form, rows out of order, another region's rows, a sum that is no number) is cut out of that
field and reported in `GatherNotes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, assert_never

from contract.decimals import InvalidDecimal, parse_decimal
from gateway.execution.folds import fold
from gateway.execution.jury import Jury
from gateway.execution.pages import Page, PageRequest, filling_of, mark_edge, merge_pages
from gateway.execution.parts import GatherNotes, Missing, Moved, Part
from gateway.execution.shapes import MISSING, Shape
from gateway.execution.sources import gather_sources
from gateway.language.paths import ResponsePath
from gateway.plan.nodes import GATHER_EDGES
from gateway.supergraph.model import GatherKind

__all__ = ["GROUPS_MAX", "TooManyGroups", "gather"]

GROUPS_MAX = 10_000
"""Of one field, over all members: groups are fetched whole, never cut to the largest."""


class TooManyGroups(Exception):
    """More than `GROUPS_MAX`."""


def gather(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath = ()
) -> Any:
    """The value of `shape`'s field over all members. `path` is where it stands below the fetched root or entity."""
    jury = Jury(parts, missing, notes, path)
    jury.forms(shape)
    parts, missing = jury.good, jury.missing
    kind = shape.kind
    match kind:
        case None:
            return _fold_or_plain(shape, parts, missing, notes, path)
        case GatherKind.CONNECTION:
            return _connection(shape, parts, missing, notes, path)
        case GatherKind.LIST:
            return _list(shape, parts, missing, notes, path)
        case GatherKind.GROUPS:
            return _groups(shape, parts, missing, notes, path)
        case GatherKind.FOLD:
            return _object(shape, parts, missing, notes, path)
        case GatherKind.ONE:
            return parts[0].value if parts else None
        case GatherKind.SOURCES:
            return gather_sources(shape, parts, missing, notes.language)
        case _:
            assert_never(kind)


# Objects


def _fold_or_plain(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    if shape.fold is not None:
        complete = not missing and all(part.stale is None and part.is_whole for part in parts)
        return fold(shape.fold, [part.value for part in parts], shape.is_decimal, complete=complete)
    if shape.children:
        inner = [part for part in parts if isinstance(part.value, dict)]
        return _object(shape, inner, missing, notes, path) if inner or missing else None
    return parts[0].value if parts else None


def _object(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> dict[str, Any]:
    """Field by field: children by their own rule, plain fields from the first member."""
    jury = Jury(parts, missing, notes, path)
    jury.numbers(shape)
    parts, missing = jury.good, jury.missing
    built = dict(parts[0].value) if parts else dict.fromkeys((key for key, _ in shape.fields), None)
    _children_into(built, shape, parts, missing, notes, path)
    return built


def _children_into(
    built: dict[str, Any],
    shape: Shape,
    parts: Sequence[Part],
    missing: Sequence[Missing],
    notes: GatherNotes,
    path: ResponsePath,
) -> None:
    for key, child in shape.children.items():
        inner = [replace(part, value=part.value[key]) for part in parts if part.value.get(key) is not None]
        if parts and not inner and not missing and child.kind is not None:
            built[key] = None
            continue
        built[key] = gather(child, inner, missing, notes, (*path, key))


# Connections


def _connection(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> dict[str, Any]:
    keys = shape.connection
    assert keys is not None
    if not keys.has_rows:
        return _object(shape, parts, missing, notes, path)
    request = _page_request(shape, notes.variables)
    jury = Jury(parts, missing, notes, path)
    jury.numbers(shape)
    pages = jury.pages(keys, request)
    merged = merge_pages(pages, [one.member.region for one in jury.missing], request)
    notes.missed_earlier |= merged.missed - {one.member.region for one in jury.missing}
    if not path:
        notes.filling = filling_of(pages, merged, request)
    good = jury.good
    built = dict(good[0].value) if good else dict.fromkeys((key for key, _ in shape.fields), None)
    for key in keys.nodes:
        built[key] = [page.value[key][index] for page, index in merged.rows]
    for key, cursor_keys in keys.edges:
        built[key] = _edges(key, cursor_keys, merged)
    for key, fields in keys.pages:
        built[key] = {inner: _page_field(name, merged) for inner, name in fields}
    _children_into(built, shape, good, jury.missing, notes, path)
    if notes.trace:
        regions = [page.region for page in pages]
        _trace_rows(merged, regions, (*keys.nodes, *(key for key, _ in keys.edges)), notes, path)
    return built


def _page_request(shape: Shape, variables: Mapping[str, Any]) -> PageRequest:
    """The paging arguments. Raises `InvalidCursor` for a cursor that cannot be read."""

    def value(name: str) -> Any:
        found = shape.arguments.get(name, variables)
        return None if found is MISSING else found

    order = shape.gather.order if shape.gather is not None else None
    return PageRequest.of(
        value("first"), value("last"), value("after"), value("before"), None if order is None else value(order)
    )


def _edges(key: str, cursor_keys: Sequence[str], merged: Page) -> list[Any]:
    if not cursor_keys or key == GATHER_EDGES:
        return [page.value[key][index] for page, index in merged.rows]
    return [mark_edge(row, key, cursor_keys, merged) for row in merged.rows]


def _page_field(name: str, merged: Page) -> Any:
    match name:
        case "hasNextPage":
            return merged.has_next
        case "hasPreviousPage":
            return merged.has_previous
        case "startCursor":
            return merged.start_cursor
        case "endCursor":
            return merged.end_cursor
        case "__typename":
            return "PageInfo"
        case _:
            return None


def _trace_rows(
    merged: Page, regions: Sequence[str], keys: Sequence[str], notes: GatherNotes, path: ResponsePath
) -> None:
    by_region: dict[str, dict[int, int]] = {region: {} for region in regions}
    for place, (page, index) in enumerate(merged.rows):
        by_region[page.region][index] = place
    for region, indexes in by_region.items():
        notes.moved.extend(Moved(region, (*path, key), indexes) for key in keys)


# Lists, groups


def _list(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    joined: list[Any] = []
    jury = Jury(parts, missing, notes, path)
    jury.rows(shape)
    if not jury.good and jury.missing:
        return None
    for part in jury.good:
        if notes.trace:
            notes.moved.append(
                Moved(part.member.region, path, {old: len(joined) + old for old in range(len(part.value))})
            )
        joined.extend(part.value)
    return joined


def _groups(
    shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], notes: GatherNotes, path: ResponsePath
) -> Any:
    """Groups of equal keys become one; they come in the order of their keys, whoever has which."""
    groups: dict[tuple[Any, ...], list[Part]] = {}
    for part in parts:
        for one in part.value:
            identity = tuple(_comparable_key(one[key], key in shape.decimals_by) for key in shape.by)
            groups.setdefault(identity, []).append(replace(part, value=one))
            if len(groups) > GROUPS_MAX:
                raise TooManyGroups
    # A group that some members do not have is whole all the same: only members that failed make it incomplete.
    return [_object(shape, groups[identity], (), notes, path) for identity in sorted(groups)]


def _comparable_key(value: Any, is_decimal: bool) -> tuple[int, Any]:
    """Numbers and decimals by value, texts by code points, what cannot be compared by its spelling; nulls last."""
    if is_decimal and isinstance(value, str):
        with suppress(InvalidDecimal):
            return 1, parse_decimal(value)
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, value
    return (4, "") if value is None else (3, repr(value))
