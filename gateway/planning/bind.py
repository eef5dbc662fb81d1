"""Stage 2: bind contextual arguments to the objects around that may give their values.

A field with `@fromContext` arguments takes their values from the nearest object above that sets the context. Which one
that is, the operation alone tells, but for abstract types: where only some of an object's possible types set the
context, the next one further up counts for the others. So each such field gets, for each context, how many objects
further up it may be set; and on each of these objects the context's selection is selected too, before all else, under
the conditions of the field. From then on it is planned like anything a client selects: it is not in the answer's shape.

    { account { card { fee } } }    becomes    { account { currency  card { fee: account is 1 further up } } }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import FieldNode, GraphQLInterfaceType

from gateway.language.selections import print_selection_set
from gateway.query_graph import QueryGraph
from gateway.query_graph.selection import Conditions, Flattener, Selected, SelectionSet
from gateway.supergraph.model import ContextArgument

__all__ = ["bind_contexts", "has_context"]


def bind_contexts(graph: QueryGraph, root_type: str, selections: SelectionSet) -> SelectionSet:
    """The same selection set where nothing takes anything from a context."""
    return _Binder(graph).bind(selections, root_type, ()) if graph.contextual else selections


def has_context(one: Selected, context: str) -> bool:
    """Whether an object around the field may set the context."""
    return any(name == context for name, _ in one.contexts)


_ForContexts: TypeAlias = dict[tuple[str, str, Conditions], list[Selected]]
"""What contexts select of an object: by selection, type and conditions."""


@dataclass(frozen=True, slots=True)
class _Level:
    """An object around, and the field that leads down from it."""

    type: str
    possible: frozenset[str]
    down: Selected
    selected: _ForContexts

    @property
    def applying(self) -> frozenset[str]:
        return self.possible if self.down.types is None else self.possible & self.down.types


@dataclass(frozen=True, slots=True)
class _Binder:
    graph: QueryGraph
    flat: dict[tuple[str, str], SelectionSet] = field(default_factory=dict)
    """(selection, type) → the selection on that type; one for all that take it, for search keeps results by identity."""

    def bind(self, selections: SelectionSet, type_name: str, around: tuple[_Level, ...]) -> SelectionSet:
        possible = self.graph.types.possible(type_name)
        selected: _ForContexts = {}
        bound: list[Selected] = []
        for one in selections.fields:
            bound.append(self.bind_field(one, possible, around))
            if one.children is not None:
                level = _Level(type_name, possible, one, selected)
                below = self.bind(one.children, self.graph.types.field_type(one.on, one.name), (*around, level))
                if below is not one.children:
                    bound[-1] = bound[-1].with_children(below)
        is_same = not selected and all(one is other for one, other in zip(bound, selections.fields, strict=True))
        return selections if is_same else SelectionSet((*(one for same in selected.values() for one in same), *bound))

    def bind_field(self, one: Selected, possible: frozenset[str], around: tuple[_Level, ...]) -> Selected:
        applying = possible if one.types is None else possible & one.types
        taken = {
            argument: None for name in sorted(applying) for argument in self.graph.contextual.get((name, one.name), ())
        }
        found = {(argument.context, up) for argument in taken for up in self.levels(argument, one, around)}
        return one.bound(frozenset(found)) if found else one

    def levels(self, argument: ContextArgument, one: Selected, around: tuple[_Level, ...]) -> Iterator[int]:
        """How many objects further up the context may be set; what it needs is selected there."""
        setters = self.graph.context_setters.get(argument.context, frozenset())
        conditions = set(one.conditions)
        for up, level in enumerate(reversed(around), 1):
            conditions.update(level.down.conditions)
            giving = level.applying & setters
            if giving:
                self.select(argument, level, giving, tuple(sorted(conditions)))
                yield up
            if level.applying <= setters:
                return

    def select(self, argument: ContextArgument, level: _Level, giving: frozenset[str], conditions: Conditions) -> None:
        as_a_whole = giving == level.possible and self.is_plain(argument, level.type)
        text = print_selection_set(argument.selection)
        for name in (level.type,) if as_a_whole else sorted(giving):
            found = [one.under(conditions).for_context() for one in self.flatten(argument, text, name).fields]
            if not as_a_whole:
                found = [one.restricted(frozenset((name,))) for one in found]
            level.selected.setdefault((text, name, conditions), found)

    def flatten(self, argument: ContextArgument, text: str, type_name: str) -> SelectionSet:
        found = self.flat.get((text, type_name))
        if found is None:
            found = self.flat[text, type_name] = Flattener(self.graph.types).flatten(argument.selection, type_name)
        return found

    def is_plain(self, argument: ContextArgument, type_name: str) -> bool:
        """Whether what is selected can stand on this type as a whole."""
        if not self.graph.types.is_abstract(type_name):
            return True
        type_ = self.graph.types.schema.type_map[type_name]
        return isinstance(type_, GraphQLInterfaceType) and all(
            isinstance(one, FieldNode) and one.name.value in type_.fields for one in argument.selection.selections
        )
