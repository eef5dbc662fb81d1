"""What a supergraph says, as values: the shared vocabulary of composition, planning and execution.

A supergraph is one merged schema plus, for every type and field, *which subgraph can serve it and on what terms*
(the `join` specification). The merged schema is a graphql-core `GraphQLSchema`; the terms are the records below.
Nothing here does I/O, and nothing knows how a supergraph is written down (see `load`) or made (see `composition`).

Vocabulary
- *graph*: the enum value that names a subgraph in the supergraph (`DISTRICTS`); its *name* is `districts`.
- *key*: a selection set by which a subgraph resolves an entity.
- *partitioned graph*: one logical subgraph whose rows are spread over members (horizontal federation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import GraphQLSchema, SelectionSetNode

__all__ = [
    "DECIMAL_SCALAR",
    "TIME_SCALARS",
    "CacheTag",
    "ContextArgument",
    "FieldJoin",
    "Fold",
    "FoldKind",
    "Gather",
    "GatherKind",
    "Graph",
    "Partitioned",
    "Partitioning",
    "Route",
    "Served",
    "SourceField",
    "SourceStatus",
    "Supergraph",
    "TypeJoin",
    "Wish",
]


@dataclass(frozen=True, slots=True)
class Graph:
    """One subgraph: its enum value, its name, and where it listens (empty when it is only reached in-process)."""

    graph: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class TypeJoin:
    """`@join__type`: the type exists in this graph; with `key`, the graph resolves it by that key."""

    graph: str
    key: SelectionSetNode | None = None
    resolvable: bool = True
    extension: bool = False
    is_interface_object: bool = False


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that no client gives: `selection`, of the nearest object around that sets `context`."""

    name: str
    type: str
    """As SDL."""
    context: str
    selection: SelectionSetNode


@dataclass(frozen=True, slots=True)
class CacheTag:
    """What a graph says of the cache entries that an element goes into; caches of answers may use it."""

    format: str
    graphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldJoin:
    """`@join__field`: the graph can serve the field on these terms.

    A field without any `@join__field` is served by every graph that has its type. `external` fields are known to
    the graph only as key, `requires` or `provides` material. `overridden_by_label` is set on the graph that loses
    the field while the label is active.
    """

    graph: str
    requires: SelectionSetNode | None = None
    provides: SelectionSetNode | None = None
    external: bool = False
    type: str | None = None
    """The field's type in this graph, when it differs from the supergraph's, as SDL."""
    override_from: str | None = None
    override_label: str | None = None
    used_overridden: bool = False
    context_arguments: tuple[ContextArgument, ...] = ()


class GatherKind(StrEnum):
    CONNECTION = "CONNECTION"
    LIST = "LIST"
    GROUPS = "GROUPS"
    FOLD = "FOLD"
    ONE = "ONE"
    SOURCES = "SOURCES"


class FoldKind(StrEnum):
    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    ANY = "ANY"
    ALL = "ALL"
    FIRST = "FIRST"


DECIMAL_SCALAR = "Decimal"
"""An exact decimal number, written as text."""
TIME_SCALARS = ("Date", "DateTime")
"""ISO 8601 days and UTC times: they compare as the texts that they are."""


class SourceField(StrEnum):
    """What the gateway fills in where a field gathers `SOURCES` and a member says nothing of itself."""

    REGION = "region"
    NAME = "name"
    STATUS = "status"
    LATENCY_MS = "latencyMs"
    AS_OF = "asOf"


class SourceStatus(StrEnum):
    """A member's state in one answer."""

    OK = "OK"
    STALE = "STALE"
    """An earlier answer stands in."""
    UNAVAILABLE = "UNAVAILABLE"
    OUTDATED = "OUTDATED"
    """It does not know what was asked."""


class Wish(StrEnum):
    """What a client may choose, for one gathered field, when a member gives no answer."""

    ALL = "ALL"
    """All members' rows or none."""
    PARTIAL = "PARTIAL"
    """The rows of those that answer."""
    STALE = "STALE"
    """An earlier answer may stand in."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """Rows of the type live in one member, found by `segment` of the key field (split at `:`) or by all of it."""

    key: str
    segment: int | None
    """None: the whole value of the key field is the region."""


@dataclass(frozen=True, slots=True)
class Route:
    argument: tuple[str, ...]
    """Path of the argument whose id names the member: `("input", "assetId")`."""
    idempotency_key: tuple[str, ...] | None = None
    """A change: path of the argument that makes it one change, however often it arrives."""


@dataclass(frozen=True, slots=True)
class Gather:
    kind: GatherKind
    by: tuple[str, ...] = ()
    order: str | None = None
    prune: tuple[tuple[str, ...], ...] = ()
    """Paths into arguments (or into the representation of an entity) that name regions or ids."""
    wish: tuple[str, ...] | None = None
    """Path of the argument that says a `Wish`."""


@dataclass(frozen=True, slots=True)
class Fold:
    kind: FoldKind


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How one graph's rows are spread over its members, and how their answers become one."""

    graph: str
    types: Mapping[str, Partitioned] = field(default_factory=dict)
    routes: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    """(type, field) → route."""
    gathers: Mapping[tuple[str, str], Gather] = field(default_factory=dict)
    folds: Mapping[tuple[str, str], Fold] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """What makes a supergraph of one graph a subgraph for others: see `as_subgraph`."""

    graph: str
    sdl: str
    """The graph's own schema, with all its directives: what `_service` answers."""
    entities: tuple[str, ...]
    """The object types that `_entities` can be asked for."""


@dataclass(frozen=True)
class Supergraph:
    """A supergraph, read without loss of what planning and execution need."""

    graphs: Mapping[str, Graph]
    """By enum value, in the order of the file."""
    schema: GraphQLSchema
    """The merged schema with inaccessible elements (what subgraphs may be asked); no `join` or `link` elements."""
    api_schema: GraphQLSchema
    """What clients see: `schema` less everything inaccessible."""
    type_joins: Mapping[str, tuple[TypeJoin, ...]]
    """Type name → where it exists; several entries of one graph are several keys."""
    field_joins: Mapping[tuple[str, str], tuple[FieldJoin, ...]]
    """(type, field) → on what terms; absent: every graph that has the type."""
    implements: Mapping[str, Mapping[str, frozenset[str]]]
    """Type name → graph → interfaces it implements there."""
    union_members: Mapping[str, Mapping[str, frozenset[str]]]
    """Union name → graph → its members there."""
    enum_values: Mapping[str, Mapping[str, frozenset[str]]]
    """Enum name → graph → its values there."""
    partitions: Mapping[str, Partitioning]
    """By graph; only partitioned graphs."""
    contexts: Mapping[str, tuple[str, ...]]
    """Context → the types that set it, abstract ones among them."""
    cache_tags: Mapping[tuple[str, str | None], tuple[CacheTag, ...]]
    """(type, field or None) → its cache tags."""
    unenforced: tuple[str, ...]
    """Specifications linked `for: SECURITY` that this gateway reads and does not enforce: it must not serve them."""
    version: str
    """A digest of the file, part of every cache key."""
    served: Served | None = None
    """Set when it is one graph that is served as a subgraph, by `_service` and `_entities`."""
