"""Data quality of one region: counts for everybody, raw rows for its own officers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson

from adapters.model import QuarantinedRow
from contract.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor, shape_hash
from contract.order import Kind, SortValue
from subgraphs.district.connections import source_of
from subgraphs.district.member import DistrictContext, Member
from subgraphs.district.paging import page_size
from subgraphs.district.rows import issue_rows
from subgraphs.kit.errors import BadInput, CodedError
from subgraphs.kit.selection import Selection

__all__ = ["read_quality", "read_quarantine"]

Json = dict[str, Any]

_SHAPE = shape_hash([], "quarantine")
_NOTHING: Json = {"rows": 0, "listed": 0, "quarantined": 0, "issues": [], "sources": []}


async def read_quality(context: DistrictContext, is_asked: bool, selected: Selection) -> Json:
    """A `DataQuality`; nothing is counted when this region is not among those asked for."""
    member = context.member
    if not is_asked:
        return {**_NOTHING, "is_asked": False}
    started = time.monotonic()
    found: Json = {"is_asked": True}
    if selected.names & {"rows", "listed", "quarantined", "issues"}:
        report = await member.store.quality()
        found |= {"rows": report.rows, "listed": report.listed, "quarantined": report.quarantined}
        issues = sorted(report.issues.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        found["issues"] = [{"code": code, "field": field, "count": count} for (code, field), count in issues]
    if "sources" in selected:
        found["sources"] = [await source_of(member, started)]
    return found


async def read_quarantine(context: DistrictContext, is_asked: bool, first: int, after: str | None) -> Json:
    """A `QuarantineConnection`. Raises `Forbidden` for all but the region's officers."""
    viewer = await context.viewer()
    viewer.check_quarantine()
    size = page_size(first, "first")
    cursor = None if after is None else _read_cursor(after)
    found = await _rows_after(context.member, cursor, size + 1) if is_asked else []
    rows, has_more = found[:size], len(found) > size
    nodes = [
        {
            "region": context.member.region,
            "raw": orjson.dumps(dict(row.raw), default=str, option=orjson.OPT_NON_STR_KEYS).decode(),
            "issues": issue_rows(row.issues, viewer, context.caller.language),
        }
        for row in rows
    ]
    viewer.raw_of.update(" ".join(map(str, row.native)) or "*" for row in rows)
    cursors = [_cursor(context.member.region, row.native) for row in rows]
    return {
        "nodes": nodes,
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": has_more,
            "hasPreviousPage": after is not None,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _cursor(region: str, native: tuple[SortValue, ...]) -> str:
    return encode_cursor(Cursor(_SHAPE, (), (), (), region, native, (Kind.TEXT,) * len(native)))


async def _rows_after(member: Member, cursor: Cursor | None, limit: int) -> Sequence[QuarantinedRow]:
    """By region, then the store's own places: regions before the cursor's are done, those after it have not begun."""
    if cursor is not None and member.region < cursor.region:
        return []
    place = cursor.native if cursor is not None and member.region == cursor.region else None
    return await member.store.quarantine(limit, place)


def _read_cursor(after: str) -> Cursor:
    try:
        cursor = decode_cursor(after)
    except InvalidCursor as error:
        raise BadInput(f"`after`: {error}") from None
    is_readable = all(isinstance(value, str) for value in cursor.native)
    if cursor.shape != _SHAPE or not is_readable:
        raise CodedError("`after` belongs to another list; start again without it", code="CURSOR_MISMATCH")
    return cursor
