"""What the walk builds: fetches in the making, and the operations inside them. The only mutable part of planning."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.planning.response import ResponseNode
from gateway.query_graph import Node
from gateway.query_graph.selection import Condition, Conditions, Selected

__all__ = ["Group", "OpField", "OpSelection", "Position", "Required", "Requirement"]


@dataclass(slots=True)
class OpField:
    """One field of a subgraph operation."""

    name: str
    arguments: str
    variables: frozenset[str]
    type_name: str
    """Its named type."""
    conditions: Conditions = ()
    children: OpSelection | None = None


@dataclass(slots=True)
class OpSelection:
    """A selection set of a subgraph operation; equal selections fall together."""

    entries: dict[tuple[str | None, str, Conditions], OpField] = field(default_factory=dict)
    """(type condition, response key, conditions) → field."""
    typename_on: dict[str | None, None] = field(default_factory=dict)
    """Type conditions under which `__typename` is selected."""

    def add(self, condition: str | None, key: str, one: OpField) -> OpField:
        return self.entries.setdefault((condition, key, one.conditions), one)

    def absorb(self, other: OpSelection) -> None:
        self.typename_on.update(other.typename_on)
        for (condition, key, conditions), one in other.entries.items():
            mine = self.entries.get((condition, key, conditions))
            if mine is None:
                self.entries[condition, key, conditions] = one
            elif mine.children is not None and one.children is not None:
                mine.children.absorb(one.children)


@dataclass(slots=True)
class Required:
    """A field of a representation in the making."""

    source: str
    below: dict[tuple[str, str], Requirement] = field(default_factory=dict)
    """By (type condition, `__typename` to send)."""


Requirement = dict[str, Required]
"""Field name → where it is read."""


@dataclass(eq=False, slots=True)
class Group:
    """One fetch in the making."""

    index: int
    graph: str
    path: tuple[str, ...]
    is_entity: bool
    deps: set[Group] = field(default_factory=set)
    """Fetches that must have answered before: they give the objects, the keys, what is required."""
    selection: OpSelection = field(default_factory=OpSelection)
    requires: dict[tuple[str, str], Requirement] = field(default_factory=dict)
    contexts: list[Conditions] = field(default_factory=list)
    """For everything that was put here: the conditions under which anybody wants it."""

    @property
    def conditions(self) -> Conditions:
        """What all of it has in common: unless these hold, there is nothing to fetch."""
        if not self.contexts:
            return ()
        common: set[Condition] = set(self.contexts[0]).intersection(*map(set, self.contexts[1:]))
        return tuple(sorted(common))


@dataclass(frozen=True, slots=True)
class Position:
    """Where the walk stands: in which fetch, at which object, and what holds there."""

    group: Group
    selection: OpSelection
    node: Node
    response: ResponseNode
    path: tuple[str, ...] = ()
    condition: str | None = None
    """Type condition under which fields are put here."""
    entity_type: str | None = None
    """At the top of an entity fetch: the type it was asked for as."""
    pending: Conditions = ()
    """Conditions of what is collected here on behalf of a field: they go on everything put here."""
    above: Conditions = ()
    """Conditions of the fields around."""

    def narrowed(self, node: Node, condition: str | None) -> Position:
        return self._changed(node, condition, self.pending)

    def on_behalf(self, one: Selected) -> Position:
        pending = tuple(sorted({*self.pending, *one.conditions}))
        return self._changed(self.node, self.condition, pending)

    def _changed(self, node: Node, condition: str | None, pending: Conditions) -> Position:
        return Position(
            self.group, self.selection, node, self.response, self.path, condition, self.entity_type, pending,
            self.above,
        )  # fmt: skip

    def context(self, conditions: Conditions) -> Conditions:
        return tuple(sorted({*self.above, *self.pending, *conditions}))
