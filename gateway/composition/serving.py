"""Which graph can serve what from where: the moves that `satisfiability` is made of.

All answers are the least fixed point of the rules: a thing can be had if there is a way to have it that does not need
the thing itself. Ways in progress are on a stack and count as "not yet".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    parse_type,
)

from gateway.language.selections import canonical_field_set, parse_field_set
from gateway.supergraph.elements import named_type
from gateway.supergraph.model import FieldJoin, Supergraph, TypeJoin

__all__ = ["NOTHING_AROUND", "Around", "Position", "Serving"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """An object stands here: `graph` returned it as a `type`; `provided` are externals it brought along."""

    graph: str
    type: str
    provided: str = ""


Reaches: TypeAlias = frozenset[frozenset[Position]]
"""Where an object may be found: from each place where it stands, by itself."""


Around: TypeAlias = frozenset[tuple[str, str]]
"""(context, selection): what the nearest objects above can give to contextual arguments."""
NOTHING_AROUND: Around = frozenset()


@dataclass(frozen=True, slots=True)
class _Key:
    """A way into a graph: who enters stands there as `seen_as`."""

    join: TypeJoin
    seen_as: str
    needs_type: bool
    """The key is the type's own: of use only when somebody knows that the object is of this type."""


class Serving:
    def __init__(self, supergraph: Supergraph, active_labels: frozenset[str]) -> None:
        self.supergraph = supergraph
        self.schema = supergraph.schema
        self.active_labels = active_labels
        self._reached: dict[tuple[str, frozenset[Position]], frozenset[Position]] = {}
        self._growing: dict[tuple[str, frozenset[Position]], set[Position]] = {}
        self._meeting: set[tuple[str, str, str, frozenset[Position]]] = set()
        self._used_unfinished = False
        """Set when an answer in progress was consulted: what follows from it holds for this moment only."""
        self._set_by = self._contexts_by_type()
        self._taken_from = self._selections_by_context()

    # Where things are

    def everywhere(self, type_name: str) -> frozenset[Position]:
        return frozenset(Position(join.graph, type_name) for join in self.supergraph.type_joins.get(type_name, ()))

    def field_join(self, graph: str, type_name: str, field: str) -> FieldJoin | None:
        """On what terms the graph has the field of the type as it sees it; None: it has not."""
        type_ = self.schema.type_map.get(type_name)
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or field not in type_.fields:
            return None
        joins = self.supergraph.field_joins.get((type_name, field))
        if joins is None:
            has_type = any(join.graph == graph for join in self.supergraph.type_joins.get(type_name, ()))
            return FieldJoin(graph) if has_type else None
        found = next((join for join in joins if join.graph == graph), None)
        if found is None or not self._is_in_force(found, joins):
            return None
        return found

    def _is_in_force(self, join: FieldJoin, joins: tuple[FieldJoin, ...]) -> bool:
        """Of a plain override the winner serves; of a labelled one, whoever the label names."""
        if join.override_label is not None:
            is_winner = join.override_from is not None
            return is_winner == (join.override_label in self.active_labels)
        return not join.used_overridden

    def type_joins(self, graph: str, type_name: str) -> list[TypeJoin]:
        return [join for join in self.supergraph.type_joins.get(type_name, ()) if join.graph == graph]

    def is_interface_object(self, graph: str, type_name: str) -> bool:
        return any(join.is_interface_object for join in self.type_joins(graph, type_name))

    def possible(self, graph: str, type_name: str) -> frozenset[str]:
        """Object types an object seen as `type_name` in the graph may really be."""
        type_ = self.schema.type_map.get(type_name)
        if isinstance(type_, GraphQLUnionType):
            return self.supergraph.union_members.get(type_name, {}).get(graph, frozenset())
        if isinstance(type_, GraphQLInterfaceType):
            if self.is_interface_object(graph, type_name):
                return frozenset(one.name for one in self.schema.get_possible_types(type_))
            return frozenset(
                one.name
                for one in self.schema.get_possible_types(type_)
                if type_name in self.supergraph.implements.get(one.name, {}).get(graph, ())
            )
        return frozenset({type_name})

    def can_be(self, positions: frozenset[Position], object_type: str) -> bool:
        """Subgraphs that share a field return the same object: where one of them could never return such a one, it is
        never one."""
        return all(object_type in self.possible(one.graph, one.type) for one in positions)

    def narrow(self, positions: frozenset[Position], object_type: str) -> frozenset[Position]:
        """The positions that may hold an object of this type, with the graph now knowing it (or never: see above)."""
        found = set()
        for one in positions:
            if object_type in self.possible(one.graph, one.type):
                seen_as = one.type if self.is_interface_object(one.graph, one.type) else object_type
                found.add(Position(one.graph, seen_as, one.provided))
        return frozenset(found)

    # What can be reached and served

    def reach(self, type_name: str, start: frozenset[Position]) -> frozenset[Position]:
        """All positions of an object of this type that standing at `start` leads to."""
        question = (type_name, start)
        if question in self._reached:
            return self._reached[question]
        if question in self._growing:
            self._used_unfinished = True
            return frozenset(self._growing[question])
        outer, self._used_unfinished = self._used_unfinished, False
        reached = self._grow(type_name, start)
        if not self._used_unfinished or not (self._growing or self._meeting):
            self._reached[question] = reached
        self._used_unfinished = self._used_unfinished or outer
        return reached

    def _grow(self, type_name: str, start: frozenset[Position]) -> frozenset[Position]:
        if self.schema.query_type is not None and type_name == self.schema.query_type.name:
            return start | self.everywhere(type_name)
        reached = self._growing[type_name, start] = set(start)
        candidates = self._candidates(type_name)
        grew = True
        while grew:
            grew = False
            for key in candidates:
                position = Position(key.join.graph, key.seen_as)
                if position not in reached and self._opens(key, type_name, reached):
                    reached.add(position)
                    grew = True
        del self._growing[type_name, start]
        return frozenset(reached)

    def _opens(self, key: _Key, type_name: str, reached: set[Position]) -> bool:
        if key.join.key is None or (key.needs_type and all(one.type != type_name for one in reached)):
            return False
        return self.has_all(type_name, key.join.key, frozenset((frozenset(reached),)))

    def _candidates(self, type_name: str) -> list[_Key]:
        """Keys by which an object of this type can be looked up: its own, and those of its interfaces."""
        own = self.supergraph.type_joins.get(type_name, ())
        found = [_Key(join, type_name, needs_type=True) for join in own if join.resolvable]
        type_ = self.schema.type_map.get(type_name)
        for interface in type_.interfaces if isinstance(type_, GraphQLObjectType) else ():
            for join in self.supergraph.type_joins.get(interface.name, ()):
                if join.resolvable and join.is_interface_object:
                    found.append(_Key(join, interface.name, needs_type=False))
                elif join.resolvable and type_name in self.possible(join.graph, interface.name):
                    found.append(_Key(join, type_name, needs_type=False))
        return found

    def reaches(self, type_name: str, start: frozenset[Position]) -> Reaches:
        """What each position leads to by itself: an object that several graphs return is fetched from each of them, and
        no part of it can lend its key, or what is required, to another."""
        return frozenset(self.reach(type_name, frozenset((one,))) for one in start)

    def serve(
        self, type_name: str, field: str, reaches: Reaches, around: Around = NOTHING_AROUND
    ) -> frozenset[Position]:
        """Where the field's value may stand when it is asked for at `reaches`; empty: nobody can serve it."""
        if field == "__typename":
            return frozenset().union(*reaches)
        found = set()
        for reach in reaches:
            for position in reach:
                value = self._serve_at(type_name, field, position, reach, around)
                if value is not None:
                    found.add(value)
        return frozenset(found)

    def _serve_at(
        self, type_name: str, field: str, position: Position, reach: frozenset[Position], around: Around
    ) -> Position | None:
        provided = self._provided_at(position, field)
        join = self.field_join(position.graph, position.type, field)
        if join is None or (join.external and provided is None):
            return None
        if not self.has_context(join, around):
            return None
        is_sent = join.requires is not None or join.context_arguments
        if is_sent and not self._meets(type_name, field, position, join, reach):
            return None
        below = provided or ""
        if join.provides is not None:
            below = (
                canonical_field_set(join.provides) if not below else below + " " + canonical_field_set(join.provides)
            )
        return Position(position.graph, self._value_type(position.type, field, join), below)

    def _meets(
        self, type_name: str, field: str, position: Position, join: FieldJoin, reach: frozenset[Position]
    ) -> bool:
        """What is required, or comes of a context, must be had elsewhere and brought along: so the graph must take the
        object by a key."""
        question = (join.graph, type_name, field, reach)
        if question in self._meeting:
            self._used_unfinished = True
            return False
        self._meeting.add(question)
        try:
            keys = [one.key for one in self.type_joins(join.graph, position.type) if one.key and one.resolvable]
            alone = frozenset((reach,))
            can_enter = any(self.has_all(type_name, key, alone) for key in keys)
            return can_enter and (join.requires is None or self.has_all(type_name, join.requires, alone))
        finally:
            self._meeting.discard(question)

    # Contexts

    def _contexts_by_type(self) -> dict[str, set[str]]:
        """Roots of changes and events set none: nothing can be read from them a second time."""
        found: dict[str, set[str]] = {}
        for context, types in self.supergraph.contexts.items():
            for type_name in types:
                for possible in self._possible_anywhere(type_name):
                    found.setdefault(possible, set()).add(context)
        for root in (self.schema.mutation_type, self.schema.subscription_type):
            found.pop(root.name if root is not None else "", None)
        return found

    def _selections_by_context(self) -> dict[str, dict[str, SelectionSetNode]]:
        found: dict[str, dict[str, SelectionSetNode]] = {}
        for joins in self.supergraph.field_joins.values():
            for one in (argument for join in joins for argument in join.context_arguments):
                found.setdefault(one.context, {})[canonical_field_set(one.selection)] = one.selection
        return found

    def has_context(self, join: FieldJoin, around: Around) -> bool:
        return all((one.context, canonical_field_set(one.selection)) in around for one in join.context_arguments)

    def around_below(self, type_name: str, reaches: Reaches, around: Around) -> Around:
        """What is around the fields of an object of this type: of contexts that it sets itself, only what it can give."""
        own = self._set_by.get(type_name)
        if own is None:
            return around
        given = {
            (context, text)
            for context in own
            for text, selection in self._taken_from.get(context, {}).items()
            if self.has_all(type_name, selection, reaches)
        }
        return frozenset(one for one in around if one[0] not in own) | given

    def _value_type(self, type_name: str, field: str, join: FieldJoin) -> str:
        if join.type is not None:
            return named_type(parse_type(join.type))
        type_ = self.schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        return str(get_named_type(type_.fields[field].type).name)

    def _provided_at(self, position: Position, field: str) -> str | None:
        """What is provided below the field at this position; None: the field is not provided."""
        if not position.provided:
            return None
        return _below(parse_field_set(position.provided), field, position.type, self)

    def has_all(self, type_name: str, selections: SelectionSetNode, reaches: Reaches) -> bool:
        """Whether every field of the field set can be had of an object standing at `reaches`."""
        return all(self._has(type_name, one, reaches) for one in selections.selections)

    def _has(self, type_name: str, selection: object, reaches: Reaches) -> bool:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else type_name
            return self._has_on(type_name, condition, selection.selection_set, reaches)
        assert isinstance(selection, FieldNode)
        values = self.serve(type_name, selection.name.value, reaches)
        if not values or selection.selection_set is None:
            return bool(values)
        type_ = self.schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        target = get_named_type(type_.fields[selection.name.value].type)
        return self._has_below(target.name, selection.selection_set, values)

    def _has_on(self, type_name: str, condition: str, selections: SelectionSetNode, reaches: Reaches) -> bool:
        """A fragment asks only objects of its type; an object of another type has nothing to give."""
        if condition == type_name or type_name in self._possible_anywhere(condition):
            return self.has_all(type_name, selections, reaches)
        return True

    def _has_below(self, target: str, selections: SelectionSetNode, values: frozenset[Position]) -> bool:
        type_ = self.schema.type_map[target]
        if not is_composite_type(type_):
            return True
        if isinstance(type_, GraphQLObjectType):
            return self.has_all(target, selections, self.reaches(target, values))
        for possible in self._possible_anywhere(target):
            if not self.can_be(values, possible):
                continue
            narrowed = self.narrow(values, possible)
            if not self.has_all(possible, selections, self.reaches(possible, narrowed)):
                return False
        return True

    def _possible_anywhere(self, type_name: str) -> list[str]:
        type_ = self.schema.type_map.get(type_name)
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return [one.name for one in self.schema.get_possible_types(type_)]
        return [type_name]


def _below(selections: SelectionSetNode, field: str, type_name: str, serving: Serving) -> str | None:
    for one in selections.selections:
        if isinstance(one, FieldNode) and one.name.value == field:
            return canonical_field_set(one.selection_set) if one.selection_set is not None else ""
        if isinstance(one, InlineFragmentNode):
            condition = one.type_condition.name.value if one.type_condition else type_name
            if condition == type_name or type_name in serving._possible_anywhere(condition):
                found = _below(one.selection_set, field, type_name, serving)
                if found is not None:
                    return found
    return None
