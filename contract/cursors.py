"""Cursors: a row's place in the canonical order, opaque to clients, understood by every member and the gateway.

A member edge's cursor *is* its sort key: version, hash of order and filter, kinds, directions, values, region,
native key. One cursor serves every member: with a cursor of region R, a member of a region before R resumes at
rows whose values are strictly after the cursor's, a member after R at rows whose values are equal or after, and
R itself after the native key. A gateway's cursor carries beside it what the walk lacks so far: which members had not
answered for a page (`missed`), and which had answered for all (`present`). Members pass over both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contract.order import Direction, Kind, SortValue, sort_key, sort_keys

__all__ = [
    "CURSOR_LENGTH_MAX",
    "Cursor",
    "InvalidCursor",
    "cursor_writer",
    "decode_cursor",
    "encode_cursor",
    "mark_cursor",
    "shape_hash",
]

VERSION = 1
CURSOR_LENGTH_MAX = 4096
OWN_FIELDS = 8
"""What makes a member's cursor; a gateway's has `missed` and `present` behind it."""


class InvalidCursor(ValueError):
    """The text is no cursor of this version, or it belongs to another order or filter."""


@dataclass(frozen=True, slots=True)
class Cursor:
    shape: str
    """Hash of the order and filter the cursor was made under; see `shape_hash`."""
    kinds: tuple[Kind, ...]
    directions: tuple[Direction, ...]
    values: tuple[SortValue, ...]
    region: str
    native: tuple[SortValue, ...]
    native_kinds: tuple[Kind, ...]
    missed: frozenset[str] = field(default_factory=frozenset)
    """Regions whose members did not answer for some page of the walk."""
    present: frozenset[str] = field(default_factory=frozenset)
    """Regions whose members answered for every page of it."""

    @property
    def key(self) -> tuple[Any, ...]:
        """Comparable with the keys of other cursors of the same shape (same order)."""
        return sort_key(self.values, self.kinds, self.directions, self.region, self.native, self.native_kinds)


def shape_hash(order: Sequence[tuple[str, str]], filter_: Any) -> str:
    """Eight characters that change with the order (field, direction pairs) or the filter (plain JSON or None)."""
    material = orjson.dumps([[list(pair) for pair in order], filter_], option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.blake2b(material, digest_size=6).digest()).decode()


def encode_cursor(cursor: Cursor) -> str:
    walk = (sorted(cursor.missed), sorted(cursor.present)) if cursor.missed or cursor.present else ()
    write = cursor_writer(cursor.shape, cursor.kinds, cursor.directions, cursor.region, cursor.native_kinds, walk)
    return write(cursor.values, cursor.native)


def cursor_writer(
    shape: str,
    kinds: Iterable[Kind],
    directions: Iterable[Direction],
    region: str,
    native_kinds: Iterable[Kind],
    walk: Sequence[Sequence[str]] = (),
) -> Callable[[Sequence[SortValue], Sequence[SortValue]], str]:
    """Writes the cursors of many rows of one page: (values, native) → text."""
    turns = "".join("a" if direction is Direction.ASC else "d" for direction in directions)
    before = (VERSION, shape, "".join(kinds), turns)
    between = (region, "".join(native_kinds))
    return lambda values, native: _written((*before, values, *between, native, *walk))


def mark_cursor(text: str, missed: Iterable[str], present: Iterable[str]) -> str:
    """A member's cursor, which must be one, made a gateway's: it remembers what the walk lacks so far."""
    return _written([*_record(text)[:OWN_FIELDS], sorted(missed), sorted(present)])


def _written(record: Sequence[Any]) -> str:
    return binascii.b2a_base64(orjson.dumps(record), newline=False).translate(_URL_SAFE, b"=").decode()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _record(text: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def decode_cursor(text: str, shape: str | None = None) -> Cursor:
    """Read a cursor; with `shape`, refuse one made under another order or filter. Raises `InvalidCursor`."""
    if len(text) > CURSOR_LENGTH_MAX:
        raise InvalidCursor("the cursor is too long")
    try:
        version, made_under, kinds, directions, values, region, native_kinds, native, *walk = _record(text)
        missed, present = walk or ((), ())
    except (ValueError, TypeError, binascii.Error):
        raise InvalidCursor("the cursor cannot be read") from None
    if version != VERSION:
        raise InvalidCursor(f"the cursor has version {version!r}, this server reads {VERSION}")
    if shape is not None and made_under != shape:
        raise InvalidCursor("the cursor belongs to another orderBy or filter")
    try:
        cursor = Cursor(
            shape=made_under,
            kinds=tuple(Kind(kind) for kind in kinds),
            directions=tuple(Direction.ASC if d == "a" else Direction.DESC for d in directions),
            values=tuple(values),
            region=region,
            native=tuple(native),
            native_kinds=tuple(Kind(kind) for kind in native_kinds),
            missed=frozenset(missed),
            present=frozenset(present),
        )
        if not all(isinstance(one, str) for one in (made_under, region, *cursor.missed, *cursor.present)):
            raise TypeError("regions are texts")
        sort_keys((cursor.values,), cursor.kinds, cursor.directions, (region,), (cursor.native,), cursor.native_kinds)
    except (ValueError, TypeError):
        raise InvalidCursor("the cursor cannot be read") from None
    return cursor
