"""Whether rows are their member's to give: nothing that a member says of a row's identity is believed.

Rows of a partitioned type live in exactly one member, found by a part of their key. So a row under another region's key
is wrong wherever it stands: on a page, in a list, as the one answer of a routed field, as an entity. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from gateway.plan.nodes import gather_key
from gateway.supergraph.model import Partitioned

__all__ = ["RowKey", "foreign_row", "region_code", "repeated_row", "row_keys"]

RowKey: TypeAlias = tuple[str, int | None]
"""(response key of a partition key, the segment of it that names the region; None: all of it)."""


def region_code(value: str, segment: int | None = 1) -> str:
    """The region a value names: the segment of an id, or a plain region code."""
    if segment is None or ":" not in value:
        return value
    parts = value.split(":")
    return parts[segment] if segment < len(parts) else value


def row_keys(keys: Collection[str], partitioned: Iterable[Partitioned]) -> tuple[RowKey, ...]:
    """Where partition keys stand among a row's response keys: planning has added what was not selected plainly."""
    found = ((gather_key(one) if gather_key(one) in keys else one.key, one.segment) for one in partitioned)
    return tuple(one for one in found if one[0] in keys)


def foreign_row(rows: Iterable[Any], keys: Sequence[RowKey], codes: Collection[str]) -> str | None:
    """The first key that names another region than one of `codes`, or that is none, as Python writes it; else None."""
    for key, segment in keys:
        values = [row[key] for row in rows if row.__class__ is dict and key in row]
        if not _are_of(values, segment, codes):
            return next(
                repr(one) for one in values if not isinstance(one, str) or region_code(one, segment) not in codes
            )
    return None


def _are_of(values: Sequence[Any], segment: int | None, codes: Collection[str]) -> bool:
    """Every row of every member is looked at, so the usual case, ids of one region, is told at once."""
    if not set(map(type, values)) <= {str}:
        return False
    if segment is None:
        return set(values) <= set(codes)
    try:
        return {value.split(":", segment + 1)[segment] for value in values} <= set(codes)
    except IndexError:
        return all(region_code(value, segment) in codes for value in values)


def repeated_row(rows: Sequence[Any], keys: Sequence[RowKey]) -> Any:
    """The first key that two rows have; else None. The keys are texts: no row is `foreign_row`."""
    for key, _ in keys:
        seen: set[Any] = set()
        for row in rows:
            if row.__class__ is dict and key in row:
                if row[key] in seen:
                    return row[key]
                seen.add(row[key])
    return None
