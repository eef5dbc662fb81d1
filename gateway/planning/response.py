"""Which key holds what in the merged response tree.

All fetches merge their data into one tree. A key of it must mean one thing: the client's `price(currency: EUR)` and
the `price` that some `@requires` needs cannot both stand under `price`. So planning keeps the tree's shape while it
walks, and gives whoever comes second a key of the gateway's own, `_g1_price`. The same happens where one subgraph
would refuse two types' fields under one key because their types differ (`String!` here, `String` there).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["ResponseNode"]

_RESERVED = frozenset({"__typename", "_entities"})
_RESERVED_PREFIX = "_g"
"""Of keys of the gateway's own, `plan.nodes.GATHER_EDGES` and the like among them."""


@dataclass(slots=True)
class _Entry:
    types: frozenset[str]
    signature: str
    shapes: dict[str, str]
    """Graph → the field's type there, as far as it matters for overlapping fields."""


@dataclass(slots=True)
class ResponseNode:
    """An object's place in the response tree (for lists: that of every item)."""

    entries: dict[str, list[_Entry]] = field(default_factory=dict)
    children: dict[str, ResponseNode] = field(default_factory=dict)

    def child(self, key: str) -> ResponseNode:
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = ResponseNode()
        return found

    def allocate(self, key: str, types: frozenset[str], signature: str, graph: str, shape: str) -> str:
        """The key to fetch the field under: `key`, unless that is taken for something else."""
        for candidate in _candidates(key):
            entries = self.entries.setdefault(candidate, [])
            if all(_agree(entry, types, signature, graph, shape) for entry in entries):
                _note(entries, types, signature, graph, shape)
                return candidate
        raise AssertionError("keys do not run out")

    def sources(self, key: str, type_name: str, signature: str) -> list[str]:
        """Where the field was put for objects of this type; more than one key only where shapes differed."""
        return [
            candidate
            for candidate, entries in self.entries.items()
            if (candidate == key or _is_own_key(candidate, key))
            and any(type_name in entry.types and entry.signature == signature for entry in entries)
        ]


def _candidates(key: str) -> Iterator[str]:
    if key not in _RESERVED and not key.startswith(_RESERVED_PREFIX):
        yield key
    number = 0
    while True:
        number += 1
        yield f"_g{number}_{key}"


def _is_own_key(candidate: str, key: str) -> bool:
    head, found, tail = candidate.partition(f"_{key}")
    return bool(found) and not tail and head[:2] == "_g" and head[2:].isdigit()


def _agree(entry: _Entry, types: frozenset[str], signature: str, graph: str, shape: str) -> bool:
    if entry.signature != signature and not entry.types.isdisjoint(types):
        return False
    return entry.shapes.get(graph, shape) == shape


def _note(entries: list[_Entry], types: frozenset[str], signature: str, graph: str, shape: str) -> None:
    for entry in entries:
        if entry.signature == signature and types <= entry.types:
            entry.shapes[graph] = shape
            return
    entries.append(_Entry(types, signature, {graph: shape}))
