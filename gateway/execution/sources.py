"""`SOURCES`: what each member says of itself, and a record by the gateway for each that says nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from gateway.execution.parts import Missing, Part, StoodIn
from gateway.execution.shapes import Shape
from gateway.supergraph.model import SourceField, SourceStatus

__all__ = ["gather_sources"]

_FILLED = frozenset(SourceField)


def _source_value(name: SourceField, lost: Missing, language: str) -> Any:
    match name:
        case SourceField.REGION:
            return lost.member.region
        case SourceField.NAME:
            return lost.member.name_in(language)
        case SourceField.STATUS:
            return lost.status.value
        case SourceField.LATENCY_MS:
            return None if lost.latency_ms is None else round(lost.latency_ms, 1)
        case SourceField.AS_OF:
            return None
        case _:
            assert_never(name)


def gather_sources(shape: Shape, parts: Sequence[Part], missing: Sequence[Missing], language: str) -> list[Any]:
    """What members say of themselves, and a record for each that says nothing; in the order of regions."""
    by_region: list[tuple[str, list[Any]]] = []
    for part in parts:
        own = [dict(one) for one in part.value if isinstance(one, dict)] if isinstance(part.value, list) else []
        for one in own:
            for key in shape.keys_of(SourceField.LATENCY_MS):
                one[key] = round(part.latency_ms, 1)
            if part.stale is not None:
                _mark_stale(one, shape, part.stale)
        by_region.append((part.member.region, own))
    for lost in missing:
        record = {
            key: _source_value(SourceField(name), lost, language) for key, name in shape.fields if name in _FILLED
        }
        for key in shape.keys_of("__typename"):
            record[key] = shape.element_type or None
        by_region.append((lost.member.region, [record]))
    by_region.sort(key=lambda pair: pair[0])
    return [record for _, own in by_region for record in own]


def _mark_stale(record: dict[str, Any], shape: Shape, stale: StoodIn) -> None:
    """What it said then of its data's age stands; else its data is as old as its answer."""
    for key in shape.keys_of(SourceField.STATUS):
        record[key] = SourceStatus.STALE.value
    for key in shape.keys_of(SourceField.AS_OF):
        if record.get(key) is None:
            record[key] = datetime.fromtimestamp(stale.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
