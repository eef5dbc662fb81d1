"""A graph served as a subgraph: its root fields `_service` and `_entities`, which no graph serves; see `plan.nodes`.

`_entities` is an entity fetch like any other, only that its representations come from whoever asks and not from an
earlier fetch. So nothing is collected for it: keys, and what fields `@require`, are in the representations or they are
missing; and what of a representation is asked for again is answered from it. Each alias is a fetch of its own, in
which fields are placed as those of a jump are.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.language.errors import Code
from gateway.language.selections import field_paths
from gateway.plan.nodes import Echo
from gateway.planning.costs import refused
from gateway.planning.groups import Context, GivenFetch, Position
from gateway.planning.response import ResponseNode
from gateway.planning.walk import NO_GUARD, Walk
from gateway.query_graph import Node
from gateway.query_graph.selection import TYPENAME, Selected, SelectionSet
from gateway.supergraph.model import Served, Supergraph
from gateway.supergraph.served import ENTITIES, SERVICE

__all__ = ["ServedWalk"]


@dataclass(kw_only=True)
class ServedWalk(Walk):
    """A walk that starts at the root fields of the one graph, and at what the asker gives."""

    supergraph: Supergraph
    served: Served

    def root(self, root_type: str, selections: SelectionSet) -> None:
        others: list[Selected] = []
        for one in selections.for_type(root_type):
            if one.name == SERVICE:
                self._know(one, root_type)
            elif one.name == ENTITIES:
                self._give(one, root_type)
            else:
                others.append(one)
        super().root(root_type, SelectionSet(tuple(others)))

    def _know(self, one: Selected, root_type: str) -> None:
        key = self._key(self.response, one, root_type)
        known = self.known.setdefault(key, {})
        for inner in one.children.fields if one.children is not None else ():
            if inner.name != TYPENAME:
                known[self._key(self.response.child(key), inner, inner.on)] = self.served.sdl

    def _give(self, one: Selected, root_type: str) -> None:
        key = self._key(self.response, one, root_type)
        group = self._group(self.served.graph, (key, "@"), frozenset(), True)
        when = Context(frozenset(one.conditions))
        group.contexts.add(when)
        given = group.given = group.given or GivenFetch(one.arguments.removeprefix("representations:"))
        for name in self.served.entities:
            group.requires.setdefault((name, name), {})
            at = Position(
                group=group,
                selection=group.selection,
                node=Node(group.graph, name),
                response=self.response.child(key),
                path=group.path,
                condition=name,
                entity_type=name,
                pending=one.conditions,
                above=when,
            )
            for inner in one.children.for_type(name) if one.children is not None else ():
                if inner.name != TYPENAME:
                    self._give_field(at, inner, given)
        if not group.selection.entries:
            group.selection.typename_on[None] = None

    def _give_field(self, at: Position, one: Selected, given: GivenFetch) -> None:
        name = at.node.type
        if self._is_echoed(name, one.name):
            echo = self._echo(at.response, one, name)
            given.echoes[name, echo.key] = echo
            return
        move = self.graph.field(at.node, one.name, self.search.labels)
        if move is None or move.context_arguments:
            raise refused(Code.PLANNING_IMPOSSIBLE, f'"{name}.{one.name}" is not served by {at.node.graph} itself.')
        self._place(at, one, move, frozenset((name,)), name, NO_GUARD)

    def _is_echoed(self, type_name: str, field_name: str) -> bool:
        """Rows of a partitioned type say their keys themselves; a type that is gathered is nobody's row."""
        if type_name in self.supergraph.partitions[self.served.graph].types:
            return False
        keys = (join.key for join in self.supergraph.type_joins[type_name] if join.key is not None)
        return any(path[0] == field_name for key in keys for path in field_paths(key))

    def _echo(self, response: ResponseNode, one: Selected, type_name: str) -> Echo:
        if one.name == TYPENAME:
            return Echo(TYPENAME, TYPENAME)
        key = self._key(response, one, type_name)
        below = one.children.fields if one.children is not None else ()
        return Echo(key, one.name, tuple(self._echo(response.child(key), inner, inner.on) for inner in below))

    def _key(self, response: ResponseNode, one: Selected, type_name: str) -> str:
        """No graph gives these fields, so nothing but their meaning can conflict."""
        return response.allocate(one.key, frozenset((type_name,)), one.signature, self.served.graph, one.signature)
