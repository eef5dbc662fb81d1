"""Where contextual values are read: noted while the walk goes on, settled when it is done.

A value is found under some key of an object further up, and in which fetch it comes is known only when everything has
its place. So the walk notes who takes what (`take`) and in which fetches the selections made for contexts lie (`hold`),
and in the end each fetch learns where its values stand and what it has to wait for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gateway.language.selections import print_selection_set
from gateway.plan.nodes import ContextValue
from gateway.planning.groups import Ancestor, Contextual, Group, Position
from gateway.planning.operations import unused
from gateway.planning.response import ResponseNode
from gateway.query_graph import FieldMove, QueryGraph
from gateway.query_graph.selection import Flattener, Selected, SelectionSet
from gateway.supergraph.model import ContextArgument

__all__ = ["Contexts"]

Way = tuple[str, ...]
"""Response keys from an object to a value."""


class Contexts:
    def __init__(self, graph: QueryGraph, variables: Collection[str]) -> None:
        """`variables`: names that the client has taken."""
        self._graph = graph
        self._variables = variables
        self._taken: dict[tuple[int, str, str, str], Contextual] = {}
        self._holders: dict[tuple[int, str, str], set[Group]] = {}
        self._flat: dict[tuple[str, str], SelectionSet] = {}

    def take(self, at: Position, one: Selected, move: FieldMove) -> list[tuple[str, Contextual]]:
        """The field's contextual arguments by name. Fields of one place share equal values."""
        return [(argument.name, self._take(at, one, argument)) for argument in move.context_arguments]

    def _take(self, at: Position, one: Selected, argument: ContextArgument) -> Contextual:
        key = (id(at.response), argument.context, print_selection_set(argument.selection), argument.type)
        found = self._taken.get(key)
        if found is None:
            variable = unused(f"context_{len(self._taken)}", self._variables)
            found = self._taken[key] = Contextual(argument, variable, at.ancestors)
        found.ancestors = tuple(map(Ancestor.joined, found.ancestors, at.ancestors))
        found.levels.update(up for context, up in one.contexts if context == argument.context)
        return found

    def by_variable(self, at: Position, one: Selected, move: FieldMove) -> dict[str, Contextual]:
        return {each.variable: each for _, each in self.take(at, one, move)}

    def hold(self, response: ResponseNode, one: Selected, holders: set[Group]) -> None:
        """What was selected for a context lies in these fetches."""
        self._holders.setdefault((id(response), one.key, one.signature), set()).update(holders)

    def settle(self, groups: list[Group]) -> None:
        for contextual in self._taken.values():
            contextual.values = tuple(
                value
                for up in sorted(contextual.levels)
                for value in self._values(contextual, contextual.ancestors[-up])
            )
        for group in groups:
            for contextual in group.contextual.values():
                group.deps |= self._holding(contextual)

    def _values(self, contextual: Contextual, ancestor: Ancestor) -> Iterator[ContextValue]:
        ways: dict[Way, list[str]] = {}
        for name, selections in self._selections(contextual):
            way = self._way(ancestor.response, selections, name)
            if way is not None:
                ways.setdefault(way, []).append(name)
        for way, names in ways.items():
            types = () if ancestor.possible <= set(names) else tuple(names)
            yield ContextValue(ancestor.path, types, way)

    def _holding(self, contextual: Contextual) -> set[Group]:
        found: set[Group] = set()
        for up in contextual.levels:
            response = contextual.ancestors[-up].response
            for _, selections in self._selections(contextual):
                for one in selections.fields:
                    found |= self._holders.get((id(response), one.key, one.signature), set())
        return found

    def _selections(self, contextual: Contextual) -> Iterator[tuple[str, SelectionSet]]:
        """By object type that sets the context."""
        argument = contextual.argument
        for name in sorted(self._graph.context_setters.get(argument.context, ())):
            key = (print_selection_set(argument.selection), name)
            if key not in self._flat:
                self._flat[key] = Flattener(self._graph.types).flatten(argument.selection, name)
            yield name, self._flat[key]

    def _way(self, response: ResponseNode, selections: SelectionSet, type_name: str) -> Way | None:
        """None: nothing was selected on this type here."""
        for one in selections.fields:
            for source in response.sources(one.key, type_name, one.signature):
                if one.children is None:
                    return (source,)
                inner = self._graph.types.possible(self._graph.types.field_type(one.on, one.name))
                ways = (self._way(response.child(source), one.children, name) for name in sorted(inner))
                below = next((way for way in ways if way is not None), None)
                if below is not None:
                    return (source, *below)
        return None
