"""Stage 3b: carry out what the search decided: put fields into fetches, open fetches for jumps, collect keys.

Collecting a key or a requirement is the same walk over a field set instead of the client's selection, so a key may
itself come from a third subgraph and a requirement may have requirements. The walk gives back the fetches in which
the data of what it placed will lie; whoever needs that data depends on them.

Fields on an abstract type stand on the abstract type where the graph can serve them for every type it may be; only
what differs from type to type is written out type by type.

An interface may promise less of a field than a type does (`[Tag]`, and `[Tag!]!`), and a subgraph takes not both under
one key. Where both are asked for at one place, the walk notes the key as *torn*, and is made again with it *apart*:
written out type by type everywhere, alike only for types that promise the same in every graph.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.language.errors import Code
from gateway.planning.choices import Choice
from gateway.planning.contexts import Contexts
from gateway.planning.costs import FETCHES_MAX, refused, too_complex
from gateway.planning.groups import Ancestor, Context, Group, OpField, OpSelection, Position, Required, Requirement
from gateway.planning.response import ResponseNode
from gateway.planning.search import Guard, Search, guard_key, guard_requires
from gateway.planning.variants import in_series
from gateway.query_graph import ROOT, FieldMove, Node
from gateway.query_graph.selection import TYPENAME, Selected, SelectionSet

__all__ = ["EVERY_KEY", "Walk"]

NO_GUARD: Guard = frozenset()
_Run = tuple[Choice, ...]


class _EveryKey:
    def __contains__(self, key: object) -> bool:
        return True


EVERY_KEY: Final[Container[str]] = _EveryKey()


@dataclass
class Walk:
    search: Search
    response: ResponseNode = field(default_factory=ResponseNode)
    groups: list[Group] = field(default_factory=list)
    serial: bool = False
    """Fetches of different root groups are not to be mixed (mutations)."""
    apart: Container[str] = frozenset()
    """Response keys that are written out type by type."""
    torn: set[str] = field(default_factory=set)
    """Those that would have to be."""
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    """Key of the data → its value, where that needs no fetch."""
    variables: Collection[str] = ()
    """The client's."""

    def __post_init__(self) -> None:
        self.graph = self.search.graph
        self.contexts = Contexts(self.graph, self.variables)
        self._open: dict[tuple[str, tuple[str, ...], frozenset[Group], object], Group] = {}

    # The root

    def root(self, root_type: str, selections: SelectionSet) -> None:
        """Queries: all root fields at once, grouped by the graph they are taken from."""
        node = Node(ROOT, root_type)
        for choice in self._chosen(node, selections.for_type(root_type), NO_GUARD):
            self._root_field(choice)

    def root_in_series(self, root_type: str, selections: SelectionSet, apart: frozenset[str]) -> None:
        """Mutations: one root field after the other; neighbours of one graph share a request unless it is `apart`."""
        node = Node(ROOT, root_type)
        last: str | None = None
        for one in in_series(selections.for_type(root_type)):
            for choice in self._chosen(node, (one,), NO_GUARD):
                if choice.move is None:
                    continue
                graph = choice.move.target.graph
                if graph != last or graph in apart:
                    self._open = {}
                last = graph
                self._root_field(choice)

    def _root_field(self, choice: Choice) -> None:
        if choice.move is None or choice.target is None:
            return
        group = self._group(choice.target.graph, (), frozenset(), False)
        at = Position(group, group.selection, choice.target, self.response)
        types = frozenset((choice.target.type,))
        group.contexts.add(at.context(choice.field.conditions, types))
        self._place(at, choice.field, choice.move, types, None, NO_GUARD)

    # Selections

    def selections(self, at: Position, selections: SelectionSet, guard: Guard) -> set[Group]:
        if self.graph.kind(at.node) == "abstract":
            return self._abstract(at, selections, guard)
        holders: set[Group] = set()
        for node, fields in self.search.views(at.node, selections):
            for choice in self._chosen(node, fields, guard):
                holders |= self._carry_out(at, choice, guard)
        return holders

    def _chosen(self, node: Node, fields: tuple[Selected, ...], guard: Guard) -> _Run:
        chosen = self.search.choose(node, fields, guard)
        if chosen is None:
            lost = [one.name for one in fields if self.search.ways(node, one, guard) is None]
            where = "any subgraph" if node.graph == ROOT else f'what "{node.graph}" gives of it'
            names = ", ".join(f'"{node.type}.{name}"' for name in lost)
            raise refused(Code.PLANNING_IMPOSSIBLE, f"No way leads to {names} (or all that is below) from {where}.")
        return chosen.choices

    def _carry_out(self, at: Position, choice: Choice, guard: Guard) -> set[Group]:
        if choice.target is not None:
            return self._jump(at, choice, guard)
        if choice.move is None:
            return {at.group}
        types = self.graph.possible(at.node)
        return self._place(at, choice.field, choice.move, types, at.condition, guard)

    def _abstract(self, at: Position, selections: SelectionSet, guard: Guard) -> set[Group]:
        at.selection.typename_on[at.entity_type] = None
        possible = self.graph.possible(at.node)
        chosen = {
            node.type: (node, self._chosen(node, fields, guard))
            for node, fields in self.search.views(at.node, selections)
        }
        holders: set[Group] = {at.group}
        done: set[tuple[str, int]] = set()
        for one in selections.fields:
            applying = _applying(one, possible)
            if one.name == TYPENAME or not applying:
                continue
            runs = {name: _of(chosen[name][1], one) for name in applying}
            move = self._whole(at, one, applying, list(runs.values()))
            if move is not None and self._fits(at, one, move, applying):
                condition = at.entity_type if one.on == at.node.type else one.on
                holders |= self._place(at, one, move, applying, condition, guard)
                continue
            for name in sorted(applying):
                for choice in runs[name]:
                    if (name, id(choice)) not in done:
                        done.add((name, id(choice)))
                        holders |= self._carry_out(at.narrowed(chosen[name][0], name), choice, guard)
        return holders

    def _whole(self, at: Position, one: Selected, applying: frozenset[str], runs: list[_Run]) -> FieldMove | None:
        """The move by which the field is taken on its abstract type, if every type takes it here and as a whole."""
        if any(len(run) != 1 or run[0].target is not None for run in runs):
            return None
        on = Node(at.node.graph, one.on, at.node.copy)
        if self.graph.kind(on) != "abstract":
            on = at.node if one.types is None else on
            if self.graph.kind(on) != "abstract":
                return None
        # The graph may know fewer types behind `on` than there are, or none of those that are meant.
        if self.graph.possible(on) & self.graph.possible(at.node) != applying:
            return None
        move = self.graph.field(self.graph.downcast(on, on.type), one.name, self.search.labels)
        if move is None or move.is_sent or on.type != one.on:
            return None
        if one.children is not None and self.search.cost(move.target, one.children, NO_GUARD) is None:
            return None
        return move

    def _fits(self, at: Position, one: Selected, move: FieldMove, applying: frozenset[str]) -> bool:
        if one.key in self.apart:
            return False
        return at.response.fits(one.key, applying, one.signature, *self._shape(at.node.graph, one, move, applying))

    # Fields

    def _place(
        self,
        at: Position,
        one: Selected,
        move: FieldMove,
        types: frozenset[str],
        condition: str | None,
        guard: Guard,
    ) -> set[Group]:
        """Put the field into the fetch of `at`, and what is below it wherever that belongs."""
        conditions = tuple(sorted({*at.pending, *one.conditions}))
        shape = self._shape(at.node.graph, one, move, types)
        key = at.response.allocate(one.key, types, one.signature, *shape)
        if at.response.is_torn(one.key, types, one.signature):
            self.torn.add(one.key)
        placed = at.selection.add(
            condition,
            key,
            OpField(one.name, self._arguments(at, one, move), one.variables, move.target.type, conditions),
        )
        holders = {at.group}
        if one.children is not None:
            holders |= self._place_below(at, one, move, types, guard, key, placed)
        if one.is_context:
            self.contexts.hold(at.response, one, holders)
        return holders

    def _place_below(
        self,
        at: Position,
        one: Selected,
        move: FieldMove,
        types: frozenset[str],
        guard: Guard,
        key: str,
        placed: OpField,
    ) -> set[Group]:
        assert one.children is not None
        if placed.children is None:
            placed.children = OpSelection()
        below = Position(
            group=at.group,
            selection=placed.children,
            node=move.target,
            response=at.response.child(key),
            path=(*at.path, key, *("@",) * move.list_depth),
            above=at.context(one.conditions, types),
            ancestors=(*at.ancestors, Ancestor(at.response, at.path, self.graph.possible(at.node))),
        )
        holders = self.selections(below, one.children, guard)
        if self._shown_as_abstract(one) or not placed.children.entries:
            placed.children.typename_on[None] = None
        return holders

    def _shape(self, graph: str, one: Selected, move: FieldMove, types: frozenset[str]) -> tuple[str, str]:
        """(graph, the field's type there), as fields under one key are compared; for what is apart, in all graphs at once."""
        if one.key not in self.apart:
            return graph, move.shape
        return ROOT, " ".join(f"{name} {shape}" for name, shape in self.graph.shapes(types, one.name))

    def _arguments(self, at: Position, one: Selected, move: FieldMove) -> str:
        taken = self.contexts.take(at, one, move) if move.context_arguments else ()
        own = (f"{argument}:${each.variable}" for argument, each in taken)
        return ",".join(text for text in (one.arguments, *own) if text)

    def _shown_as_abstract(self, one: Selected) -> bool:
        return self.graph.types.is_abstract(self.graph.types.field_type(one.on, one.name))

    # Jumps

    def _jump(self, at: Position, choice: Choice, guard: Guard) -> set[Group]:
        via, target = choice.via, choice.target
        assert via is not None
        assert target is not None
        behalf = at.on_behalf(choice.field)
        if not via.is_to_root:
            at.selection.typename_on[at.entity_type] = None
        needs = self.selections(behalf, via.key, guard | {guard_key(target)}) | {at.group}
        if choice.move is not None and choice.move.requires is not None:
            inner = guard | {guard_requires(target, choice.field.name)}
            needs |= self.selections(behalf, choice.move.requires, inner)
        context = at.context(choice.field.conditions, self.graph.possible(at.node))
        contextual = {} if choice.move is None else self.contexts.by_variable(at, choice.field, choice.move)
        kind = (at.node.type, via, choice.move.requires if choice.move is not None else None, context, *contextual)
        group = self._group(target.graph, at.path, frozenset(needs), not via.is_to_root, kind)
        group.contextual.update(contextual)
        group.contexts.add(context)
        if self.graph.kind(target) == "interface_object":
            group.origins = frozenset((at.node.type,))
        if group.is_entity:
            self._require(group, at, choice, context)
        entity_type = target.type if group.is_entity else None
        there = Position(
            group=group,
            selection=group.selection,
            node=target,
            response=at.response,
            path=at.path,
            condition=entity_type,
            entity_type=entity_type,
            # The fetch starts anew here: nothing around its fields says under which conditions these are wanted.
            pending=tuple(sorted(at.above.conditions.union(at.pending))),
            above=at.above,
            ancestors=at.ancestors,
        )
        if choice.move is None:
            return self.selections(there, SelectionSet((choice.field,)), guard)
        types = self.graph.possible(at.node)
        return self._place(there, choice.field, choice.move, types, entity_type, guard)

    def _require(self, group: Group, at: Position, choice: Choice, context: Context) -> None:
        assert choice.via is not None
        wanted = [choice.via.key]
        if choice.move is not None and choice.move.requires is not None:
            wanted.append(choice.move.requires)
        for condition, types in _alike(at.node.type, self.graph.possible(at.node), at.response, wanted):
            requirement = group.requires.setdefault((condition, choice.via.send_typename), {})
            for selections in wanted:
                self._read(requirement, at.response, selections, types, context, group.graph)

    def _read(
        self,
        requirement: Requirement,
        response: ResponseNode,
        selections: SelectionSet,
        types: frozenset[str],
        context: Context,
        graph: str,
    ) -> None:
        """Note for each field of a field set, which is for `graph`, under which key of the response tree it lies."""
        for one in selections.fields:
            applying = _applying(one, types)
            if one.name == TYPENAME or not applying:
                continue
            source = _sources(response, one, applying)[0]
            required = requirement.setdefault(one.name, Required(source))
            required.contexts.add(context)
            if one.children is not None:
                self._read_below(required, response.child(source), one, context, graph)

    def _read_below(
        self, required: Required, response: ResponseNode, one: Selected, context: Context, graph: str
    ) -> None:
        assert one.children is not None
        inner = self.graph.types.field_type(one.on, one.name)
        possible = self.graph.types.possible(inner)
        if not self.graph.types.is_abstract(inner) or self.graph.kind(Node(graph, inner)) == "interface_object":
            for condition, types in _alike(inner, possible, response, [one.children]):
                below = required.below.setdefault((condition, ""), {})
                self._read(below, response, one.children, types, context, graph)
            return
        for name in sorted(possible):
            fields = SelectionSet(
                tuple(
                    each
                    for each in one.children.for_type(name)
                    if each.name == TYPENAME or response.sources(each.key, name, each.signature)
                )
            )
            below = required.below.setdefault((name, name), {})
            self._read(below, response, fields, frozenset((name,)), context, graph)

    def _group(
        self, graph: str, path: tuple[str, ...], deps: frozenset[Group], is_entity: bool, kind: object = None
    ) -> Group:
        """`kind`: what keeps fetches apart for now; `merge` joins what may be joined."""
        key = (graph, path, deps, kind)
        found = self._open.get(key)
        if found is None:
            if len(self.groups) >= FETCHES_MAX:
                raise too_complex("fetches", FETCHES_MAX)
            found = Group(len(self.groups), graph, path, is_entity, set(deps))
            self._open[key] = found
            self.groups.append(found)
        return found


def _of(run: _Run, one: Selected) -> _Run:
    """The choices that concern `one`; several when it is had in parts."""
    return tuple(
        choice
        for choice in run
        if choice.field.key == one.key
        and choice.field.signature == one.signature
        and choice.field.conditions == one.conditions
    )


def _alike(
    name: str, possible: frozenset[str], response: ResponseNode, wanted: list[SelectionSet]
) -> Iterator[tuple[str, frozenset[str]]]:
    """(type condition, types): all types behind `name` at once, unless a field lies elsewhere for some of them."""
    fields = [one for selections in wanted for one in selections.fields if one.name != TYPENAME]
    if all(_sources(response, one, _applying(one, possible)) for one in fields):
        yield name, possible
        return
    for each in sorted(possible):
        only = frozenset((each,))
        if all(_sources(response, one, only) for one in fields if _applying(one, only)):
            yield each, only


def _applying(one: Selected, types: frozenset[str]) -> frozenset[str]:
    return types if one.types is None else types & one.types


def _sources(response: ResponseNode, one: Selected, types: frozenset[str]) -> list[str]:
    """Where the field lies for all of these types. Behind an interface object stand types that maybe cannot come."""
    placed = [found for name in sorted(types) if (found := response.sources(one.key, name, one.signature))]
    return [source for source in placed[0] if all(source in found for found in placed)] if placed else []
