"""A virtual warehouse's rule: how it is combined, how large it may be, and which regions it can concern.

A rule is kept as it was made: its own condition and the ids of the virtual warehouses that it unites with, is
restricted to, or leaves out. It is spelled out into one `AssetFilter` when it is asked for, so a change of one
warehouse shows in all that build on it. References form no circle: a command that would close one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.regions import REGIONS

__all__ = [
    "CONDITIONS_MAX",
    "DEPTH_MAX",
    "Definition",
    "RuleTooLarge",
    "builders_on",
    "measure",
    "regions_of",
    "spell_out",
]

Filter = dict[str, Any]

CONDITIONS_MAX = 400
DEPTH_MAX = 12
"""Of nested and/or/not, everything spelled out."""


class RuleTooLarge(ValueError):
    """The rule, spelled out, is larger than a member is asked to evaluate."""


@dataclass(frozen=True, slots=True)
class Definition:
    filter: Filter | None = None
    union: tuple[str, ...] = ()
    intersection: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()
    references: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "references", (*self.union, *self.intersection, *self.difference))

    @property
    def is_empty(self) -> bool:
        return self.filter is None and not self.union and not self.intersection

    def to_json(self) -> dict[str, Any]:
        return {
            "filter": self.filter,
            "union": list(self.union),
            "intersection": list(self.intersection),
            "difference": list(self.difference),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Definition:
        sets = (tuple(data[name]) for name in ("union", "intersection", "difference"))
        return Definition(data["filter"], *sets)


def builders_on(warehouse_id: str, standing: Mapping[str, Definition]) -> set[str]:
    """All that build on a warehouse, directly or through others."""
    direct: dict[str, list[str]] = {}
    for one, definition in standing.items():
        for reference in definition.references:
            direct.setdefault(reference, []).append(one)
    found: set[str] = set()
    waiting = [warehouse_id]
    while waiting:
        new = set(direct.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def spell_out(definition: Definition, look_up: Callable[[str], Definition]) -> Filter:
    """(own condition ∪ united) ∩ each restriction − each left out, as one filter. Raises `RuleTooLarge`."""
    result = _spell_out(definition, look_up, DEPTH_MAX)
    conditions, depth = measure(result)
    if conditions > CONDITIONS_MAX or depth > DEPTH_MAX:
        raise RuleTooLarge
    return result


def _spell_out(definition: Definition, look_up: Callable[[str], Definition], depth_left: int) -> Filter:
    if depth_left == 0:
        raise RuleTooLarge

    def other(reference: str) -> Filter:
        return _spell_out(look_up(reference), look_up, depth_left - 1)

    united = [] if definition.filter is None else [definition.filter]
    united += [other(reference) for reference in definition.union]
    parts: list[Filter] = [_joined("or", united)] if united else []
    parts += [other(reference) for reference in definition.intersection]
    parts += [{"not": other(reference)} for reference in definition.difference]
    return _joined("and", parts)


def _joined(operator: str, parts: Sequence[Filter]) -> Filter:
    return dict(parts[0]) if len(parts) == 1 else {operator: list(parts)}


def measure(filter_: Filter) -> tuple[int, int]:
    """How many conditions a filter has, and how deep it nests."""
    conditions, deepest = 0, 0
    for name, value in filter_.items():
        if name in ("and", "or") and value is not None:
            inner = [measure(part) for part in value]
            conditions += sum(count for count, _ in inner)
            deepest = max([deepest, *(depth for _, depth in inner)])
        elif name == "not" and value is not None:
            count, depth = measure(value)
            conditions, deepest = conditions + count, max(deepest, depth)
        else:
            conditions += max(1, sum(len(one) if isinstance(one, list) else 1 for one in _operands(value)))
    return conditions, deepest + 1


def _operands(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else [value]


def regions_of(filter_: Filter) -> list[str] | None:
    """The only regions whose rows can match, or None where any can. Never leaves one out that could."""
    found = _regions(filter_)
    return None if found is None else sorted(found & set(REGIONS))


def _regions(filter_: Filter) -> set[str] | None:
    result = _named(filter_.get("region")) if filter_.get("region") else None
    ids = _named(filter_.get("id")) if filter_.get("id") else None
    if ids is not None:
        result = _meet(result, {one.split(":")[1] if one.count(":") >= 2 else "" for one in ids})
    for part in filter_.get("and") or ():
        result = _meet(result, _regions(part))
    if filter_.get("or") is not None:
        parts = [_regions(part) for part in filter_["or"]]
        united: set[str] | None = set()
        for part_regions in parts:
            united = None if united is None or part_regions is None else united | part_regions
        result = _meet(result, united)
    return result


def _named(condition: Mapping[str, Any] | None) -> set[str] | None:
    if not condition:
        return None
    result = {condition["eq"]} if condition.get("eq") is not None else None
    return _meet(result, set(condition["in"])) if condition.get("in") is not None else result


def _meet(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
