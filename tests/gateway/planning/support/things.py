"""What the universe is made of: objects, and the numbers that everything about them is worked out from."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

__all__ = ["REGIONS", "Homed", "Placed", "Row", "Thing", "at_home", "canonical", "number", "region_in", "rows_of"]

REGIONS = ("e", "n", "s")
"""Of each partitioned graph: one member each."""
ROWS = 8
"""Entities of each partitioned type, dealt over the regions in turn: not all have equally many."""


def number(*parts: Any) -> int:
    return zlib.crc32("/".join(str(one) for one in parts).encode())


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@dataclass(frozen=True)
class Thing:
    """An object: its real type and what it is."""

    type: str
    id: str


@dataclass(frozen=True, eq=False)
class Homed(Thing):
    """What one member has; what it refers to is at home there, too."""

    region: str


@dataclass(frozen=True, eq=False)
class Row(Homed):
    """An entity of a partitioned type; its `id` is the value of the key that names its region."""

    key: str
    """The key field."""
    place: int
    """With its type, its native key in its member."""


@dataclass(frozen=True)
class Placed:
    """A thing as the oracle came to it."""

    thing: Thing
    around: Placed | None = None

    @property
    def type(self) -> str:
        return self.thing.type


def at_home(thing: Thing, with_: Thing) -> Thing:
    """What belongs to something that one member has, is had there."""
    return Homed(thing.type, thing.id, with_.region) if isinstance(with_, Homed) else thing


def rows_of(type_name: str, key: str, segment: int | None) -> list[Thing]:
    """`Asset:n:4` for a key whose segment 1 is the region; the region itself where the whole key is."""
    if segment is None:
        return [Row(type_name, region, region, key, place) for place, region in enumerate(REGIONS)]
    found: list[Thing] = []
    for place in range(ROWS):
        region = REGIONS[place % len(REGIONS)]
        parts = [type_name, str(place)]
        parts.insert(segment, region)
        found.append(Row(type_name, ":".join(parts), region, key, place))
    return found


def region_in(text: str) -> str:
    """The region that an id, or a region's own code, names. All ids of these tests have it in one of three places."""
    return next((one for one in text.split(":") if one in REGIONS), text)
