"""Pages of sensors (in order of id) and of alarms (the newest first), by opaque cursors; no offset."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from subgraphs.kit.errors import BadInput
from subgraphs.telemetry.model import Alarm, SensorSpec, to_ms
from subgraphs.telemetry.store import AlarmQuery, TelemetryStore

__all__ = ["Page", "alarm_page", "check_count", "sensor_page"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    nodes: Sequence[T]
    has_next: bool
    has_previous: bool
    start: str | None
    end: str | None


def check_count(name: str, count: int, most: int) -> None:
    if not 0 <= count <= most:
        raise BadInput(f"`{name}` is between 0 and {most}")


def sensor_page(sensors: Sequence[SensorSpec], first: int, after: str | None) -> Page[SensorSpec]:
    begin = 0
    if after is not None:
        (last_id,) = _decode(after, str)
        begin = bisect_right(sensors, last_id, key=lambda each: each.id)
    nodes = sensors[begin : begin + first]
    cursors = [_encode(each.id) for each in (nodes[0], nodes[-1])] if nodes else [after, after]
    return Page(nodes, begin + first < len(sensors), begin > 0, *cursors)


async def alarm_page(store: TelemetryStore, query: AlarmQuery, first: int, after: str | None) -> Page[Alarm]:
    place = None
    if after is not None:
        raised, last_id = _decode(after, int, str)
        place = (raised, last_id)
    found = await store.alarms(query, first=first + 1, after=place)
    nodes = found[:first]
    cursors = [_encode(to_ms(each.raised_at), each.id) for each in (nodes[0], nodes[-1])] if nodes else [after, after]
    return Page(nodes, len(found) > first, after is not None, *cursors)


def _encode(*parts: str | int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _decode(cursor: str, *kinds: type) -> list[Any]:
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor[:2048] + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or [type(each) for each in parts] != list(kinds):
        raise BadInput("`after` is no cursor of this list")
    return parts
