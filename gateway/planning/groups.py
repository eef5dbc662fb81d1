"""What the walk builds: fetches in the making, and the operations inside them. The only mutable part of planning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.plan.nodes import ContextValue, Echo
from gateway.planning.response import ResponseNode
from gateway.query_graph import Node
from gateway.query_graph.selection import Condition, Conditions, Selected
from gateway.supergraph.model import ContextArgument

__all__ = [
    "Ancestor",
    "Context",
    "Contextual",
    "GivenFetch",
    "Group",
    "OpField",
    "OpSelection",
    "Position",
    "Required",
    "Requirement",
]


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


class Context(NamedTuple):
    """When something is wanted: under which conditions, below objects of which types."""

    conditions: frozenset[Condition] = frozenset()
    types: frozenset[tuple[tuple[str, ...], frozenset[str]]] = frozenset()
    """(path of an object on the way, the types it must be of)."""

    def covers(self, other: Context) -> bool:
        """Whether this holds whenever the other does."""
        return self.conditions <= other.conditions and all(
            any(path == at and types <= wanted for at, types in other.types) for path, wanted in self.types
        )


ANYWHERE = Context()


@dataclass(slots=True)
class Required:
    """A field of a representation in the making."""

    source: str
    contexts: set[Context] = field(default_factory=set)
    """When it is there."""
    below: dict[tuple[str, str], Requirement] = field(default_factory=dict)
    """By (type condition, `__typename` to send)."""


Requirement = dict[str, Required]
"""Field name → where it is read."""


class Ancestor(NamedTuple):
    """An object around the one that the walk stands at."""

    response: ResponseNode
    path: tuple[str, ...]
    possible: frozenset[str]
    """Types it may be of."""

    def joined(self, other: Ancestor) -> Ancestor:
        """The same place, come to by way of other types."""
        return self._replace(possible=self.possible | other.possible)


@dataclass(eq=False, slots=True)
class Contextual:
    """The value of a contextual argument, for all fields of one place that take it."""

    argument: ContextArgument
    variable: str
    ancestors: tuple[Ancestor, ...]
    levels: set[int] = field(default_factory=set)
    """How many objects further up it may be found."""
    values: tuple[ContextValue, ...] = ()
    """Where it is read, when the walk is done."""


@dataclass(slots=True)
class GivenFetch:
    """What a fetch of entities that the asker gives has beside its selection."""

    representations: str
    echoes: dict[tuple[str, str], Echo] = field(default_factory=dict)
    """By (type, response key)."""


@dataclass(eq=False, slots=True)
class Group:
    """One fetch in the making."""

    index: int
    graph: str
    path: tuple[str, ...]
    is_entity: bool
    """Else its fields are those of a root: of the operation's, or of the query root that a field gives at `path`."""
    deps: set[Group] = field(default_factory=set)
    """Fetches that must have answered before: they give the objects, the keys, what is required."""
    selection: OpSelection = field(default_factory=OpSelection)
    requires: dict[tuple[str, str], Requirement] = field(default_factory=dict)
    contexts: set[Context] = field(default_factory=set)
    """For everything that was put here: when it is wanted."""
    contextual: dict[str, Contextual] = field(default_factory=dict)
    """By variable of the operation."""
    origins: frozenset[str] = frozenset()
    """Into an interface object: the types that are sent as the interface; what is asked concerns all of them."""
    given: GivenFetch | None = None
    """Its representations are the asker's: `requires` only says of which types they may be."""

    @property
    def conditions(self) -> Conditions:
        """What all of it has in common: unless these hold, there is nothing to fetch."""
        if not self.contexts:
            return ()
        return tuple(sorted(frozenset.intersection(*(one.conditions for one in self.contexts))))


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
    above: Context = ANYWHERE
    """What holds for the fields around."""
    ancestors: tuple[Ancestor, ...] = ()
    """Objects around, the outermost first."""

    def narrowed(self, node: Node, condition: str | None) -> Position:
        return self._changed(node, condition, self.pending)

    def on_behalf(self, one: Selected) -> Position:
        pending = tuple(sorted({*self.pending, *one.conditions}))
        return self._changed(self.node, self.condition, pending)

    def _changed(self, node: Node, condition: str | None, pending: Conditions) -> Position:
        return Position(
            self.group, self.selection, node, self.response, self.path, condition, self.entity_type, pending,
            self.above, self.ancestors,
        )  # fmt: skip

    def context(self, conditions: Conditions, types: frozenset[str]) -> Context:
        """When a field is wanted that stands here under `conditions`, on objects of `types`."""
        return Context(self.above.conditions.union(self.pending, conditions), self.above.types | {(self.path, types)})
