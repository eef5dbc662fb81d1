"""Many cursors of one member, read at once; nothing in them is believed.

A member edge's cursor is its sort key (`contract.cursors`). A page over many members has hundreds, and every one is read
to see that the member keeps to the order, so they are read column by column. What comes out compares; what does not
raises `CursorFault`, and never any other error.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from contract.cursors import CURSOR_LENGTH_MAX, OWN_FIELDS, VERSION, Cursor
from contract.order import Direction, Kind, sort_keys

__all__ = ["CursorFault", "Form", "Key", "Places", "form_of", "read_cursors"]

Key: TypeAlias = tuple[Any, ...]
"""What rows are merged by: `contract.order.sort_key`."""
Form: TypeAlias = tuple[str, str, str]
"""What all cursors of one walk have in common: hash of order and filter, kinds of the values, directions."""

_DIRECTIONS = {"a": Direction.ASC, "d": Direction.DESC}


class CursorFault(Exception):
    """Cursors that cannot be read, or of which two are one row's; the text says which, of the member."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the rows of one page stand in the order."""

    form: Form | None = None
    """None: there are no rows."""
    regions: frozenset[str] = frozenset()
    keys: Sequence[Key] = ()


def read_cursors(texts: Sequence[Any]) -> Places:
    """Raises `CursorFault`."""
    if not texts:
        return Places()
    try:
        records = [_record(text) for text in texts]
        versions, shapes, kinds, directions, values, regions, native_kinds, natives = zip(*records, strict=True)
        forms = set(zip(versions, shapes, kinds, directions, native_kinds, strict=True))
    except (ValueError, TypeError, binascii.Error):
        raise CursorFault("a cursor cannot be read") from None
    if len(forms) > 1:
        raise CursorFault("its cursors are of several orders or filters")
    [(version, *form, native)] = forms
    if version != VERSION:
        raise CursorFault("its cursors are of another version")
    if set(map(type, (*form, native, *regions))) != {str}:
        raise CursorFault("a cursor cannot be read")
    try:
        keys = sort_keys(_rows(values), _kinds(form[1]), _directions(form[2]), regions, _rows(natives), _kinds(native))
        is_repeated = len(set(map(tuple, natives))) < len(natives)
    except (ValueError, TypeError, KeyError):
        raise CursorFault("its cursors do not compare") from None
    if is_repeated:
        raise CursorFault("it gave a row twice")
    return Places((form[0], form[1], form[2]), frozenset(regions), keys)


def _record(text: Any) -> list[Any]:
    """A cursor's own fields. A member's has no others: what a walk lacks is not for members to say."""
    if not isinstance(text, str) or len(text) > CURSOR_LENGTH_MAX:
        raise ValueError
    # As `urlsafe_b64decode`, at a third of its cost; superfluous padding does no harm.
    record = orjson.loads(binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==="))
    if record.__class__ is not list or len(record) != OWN_FIELDS:
        raise ValueError
    return record


def _rows(values: Sequence[Any]) -> Sequence[list[Any]]:
    if set(map(type, values)) != {list}:
        raise ValueError
    return values


@lru_cache(maxsize=256)
def _kinds(text: str) -> tuple[Kind, ...]:
    return tuple(Kind(one) for one in text)


@lru_cache(maxsize=256)
def _directions(text: str) -> tuple[Direction, ...]:
    return tuple(_DIRECTIONS[one] for one in text)


def form_of(cursor: Cursor) -> Form:
    return (
        cursor.shape,
        "".join(cursor.kinds),
        "".join("a" if direction is Direction.ASC else "d" for direction in cursor.directions),
    )
