"""Which key holds what in the merged response tree.

All fetches merge their data into one tree. A key of it must mean one thing: the client's `price(currency: EUR)` and
the `price` that some `@requires` needs cannot both stand under `price`. So planning keeps the tree's shape while it
walks, and gives whoever comes second a key of the gateway's own, `_g1_price`. The same happens where one subgraph
would refuse two types' fields under one key because their types differ (`String!` here, `String` there).

Of one type's objects, the same field stands under one key, whoever asks for it: a half of an object here and a half
there would be no object, and what is switched off for one must not be read for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

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
    _sources: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    """(key that was wished for, signature) → type → keys under which the field stands."""

    def child(self, key: str) -> ResponseNode:
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = ResponseNode()
        return found

    def sources(self, key: str, type_name: str, signature: str) -> Sequence[str]:
        """Where the field was put for objects of this type: under one key, but for what is told at `allocate`."""
        return self._sources.get((key, signature), {}).get(type_name, ())

    def fits(self, key: str, types: frozenset[str], signature: str, graph: str, shape: str) -> bool:
        """Whether the field can be put under one key for all these types, and stands nowhere else for any of them."""
        standing = self._standing(key, types, signature)
        return len(standing) <= 1 and all(self._may_take(one, types, signature, graph, shape) for one in standing)

    def allocate(self, key: str, types: frozenset[str], signature: str, graph: str, shape: str) -> str:
        """The key to fetch the field under: where it stands already, else `key`, unless that is taken for something else.

        What does not fit (see `fits`) is put under a second key; then the field is *torn*, for some types."""
        wished = () if key in _RESERVED or key.startswith(_RESERVED_PREFIX) else (key,)
        for candidate in chain(self._standing(key, types, signature), wished, _own_keys(key)):
            if self._may_take(candidate, types, signature, graph, shape):
                self._note(key, candidate, types, signature, graph, shape)
                return candidate
        raise AssertionError("keys do not run out")

    def is_torn(self, key: str, types: frozenset[str], signature: str) -> bool:
        return any(len(self.sources(key, name, signature)) > 1 for name in types)

    def _standing(self, key: str, types: frozenset[str], signature: str) -> dict[str, None]:
        known = self._sources.get((key, signature))
        return {} if known is None else {one: None for name in sorted(types) for one in known.get(name, ())}

    def _may_take(self, key: str, types: frozenset[str], signature: str, graph: str, shape: str) -> bool:
        return all(_agree(entry, types, signature, graph, shape) for entry in self.entries.get(key, ()))

    def _note(self, wished: str, key: str, types: frozenset[str], signature: str, graph: str, shape: str) -> None:
        by_type = self._sources.setdefault((wished, signature), {})
        for name in types:
            sources = by_type.setdefault(name, [])
            if key not in sources:
                sources.append(key)
        entries = self.entries.setdefault(key, [])
        for entry in entries:
            if entry.signature == signature and types <= entry.types:
                entry.shapes[graph] = shape
                return
        entries.append(_Entry(types, signature, {graph: shape}))


def _own_keys(key: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"_g{number}_{key}"


def _agree(entry: _Entry, types: frozenset[str], signature: str, graph: str, shape: str) -> bool:
    if entry.signature != signature and not entry.types.isdisjoint(types):
        return False
    return entry.shapes.get(graph, shape) == shape
