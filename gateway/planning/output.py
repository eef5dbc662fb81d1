"""Stage 6: the shape of the client's answer, over the merged response tree.

Entries of one response key never hold at the same time: where the client selected one key several times (in
fragments, under conditions), there is one entry for each group of types, and for each combination of the variables
that switch it.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLInterfaceType, GraphQLObjectType

from gateway.language.selections import response_key
from gateway.plan.nodes import OutputField, OutputSelection
from gateway.planning.normalise import INTROSPECTION_FIELDS
from gateway.planning.response import ResponseNode
from gateway.planning.variants import variants
from gateway.query_graph.selection import TYPENAME, Conditions, Selected, SelectionSet, TypeTable

__all__ = ["shape_output"]


def shape_output(types: TypeTable, root_type: str, selections: SelectionSet, response: ResponseNode) -> OutputSelection:
    return _Shaper(types).selection(root_type, selections, response)


class _Shaper:
    def __init__(self, types: TypeTable) -> None:
        self.types = types

    def selection(self, parent: str, selections: SelectionSet, response: ResponseNode) -> OutputSelection:
        possible = self.types.possible(parent)
        by_key: dict[str, list[Selected]] = {}
        places: dict[Selected, int] = {}
        for place, one in enumerate(selections.fields):
            by_key.setdefault(one.key, []).append(one)
            places.setdefault(one, place)
        entries = [entry for same in by_key.values() for entry in self._entries(same, possible, response)]
        # A key stands in the answer where it is first asked for, and what is skipped asks for nothing.
        entries.sort(key=lambda entry: places[entry[0]])
        return OutputSelection(tuple(entry for _, entry in entries))

    def _entries(
        self, same: list[Selected], possible: frozenset[str], response: ResponseNode
    ) -> Iterator[tuple[Selected, OutputField]]:
        """All entries of one response key, each with the occurrence that comes first while it is in force."""
        for types in _split(same, possible):
            applying = [one for one in same if one.types is None or not types.isdisjoint(one.types)]
            for conditions, in_force in variants(applying):
                for source, same_source in self._by_source(in_force[0], types, response).items():
                    for type_, alike in self._by_type(in_force[0], same_source).items():
                        restricted = None if alike == possible else alike
                        yield in_force[0], self._entry(in_force, source, type_, restricted, conditions, response)

    def _by_source(self, one: Selected, types: frozenset[str], response: ResponseNode) -> dict[str, frozenset[str]]:
        if one.name.startswith("__"):
            return {one.key: types}
        found: dict[str, set[str]] = {}
        for name in sorted(types):
            sources = response.sources(one.key, name, one.signature)
            # A type that no subgraph can give has no source; no object will have it.
            found.setdefault(sources[0] if sources else one.key, set()).add(name)
        return {source: frozenset(names) for source, names in found.items()}

    def _by_type(self, one: Selected, types: frozenset[str]) -> dict[str, frozenset[str]]:
        """A type may promise more than its interface does (`String!` for `String`), and its promise is what counts."""
        if one.name.startswith("__"):
            return {"String!" if one.name == TYPENAME else "": types}
        if one.types is None and not self.types.is_abstract(one.on):
            return {self._type(one.on, one.name): types}
        found: dict[str, set[str]] = {}
        for name in sorted(types):
            found.setdefault(self._type(name, one.name), set()).add(name)
        return {type_: frozenset(names) for type_, names in found.items()}

    def _entry(
        self,
        in_force: list[Selected],
        source: str,
        type_: str,
        types: frozenset[str] | None,
        conditions: Conditions,
        response: ResponseNode,
    ) -> OutputField:
        first = in_force[0]
        if first.name == TYPENAME:
            return OutputField(first.key, TYPENAME, type_, types, conditions, meta=TYPENAME)
        if first.name in INTROSPECTION_FIELDS:
            assert first.node is not None
            return OutputField(first.key, response_key(first.node), type_, types, conditions, meta="introspection")
        selection = None
        if first.children is not None:
            below = [inner for one in in_force if one.children is not None for inner in one.children.fields]
            named = self.types.field_type(first.on, first.name)
            selection = self.selection(named, SelectionSet(tuple(below)), response.child(source))
        return OutputField(first.key, source, type_, types, conditions, selection=selection)

    def _type(self, parent: str, name: str) -> str:
        kind = self.types.schema.type_map[parent]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        return str(kind.fields[name].type)


def _split(same: list[Selected], possible: frozenset[str]) -> Iterator[frozenset[str]]:
    """Types for which the same of the occurrences apply; the widest first come."""
    if all(one.types is None for one in same):
        yield possible
        return
    groups: dict[tuple[bool, ...], set[str]] = {}
    for name in sorted(possible):
        applies = tuple(one.types is None or name in one.types for one in same)
        if any(applies):
            groups.setdefault(applies, set()).add(name)
    yield from (frozenset(names) for names in groups.values())
