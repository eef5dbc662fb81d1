"""Query plans: frozen data in a closed union. Planning makes them, the printer shows them, execution walks them.

The vocabulary is that of Apollo's query plans (Fetch, Flatten, Sequence, Parallel, Condition, Subscription), with
Hive Router's **BatchFetch** (entity fetches of one graph, at several paths, in one request), and one word more:
**Scatter**, a fetch on a partitioned graph. A Scatter is symbolic: it says *how* members are
chosen and how their answers become one; which members these are is settled at execution, from variables,
representations and membership. So a plan never holds a variable's value, and one plan serves every request of
the same operation.

Response keys in a fetch's operation are exactly the keys under which its data is merged into the response tree
at the fetch's path. Where the client's own keys would conflict, planning gives aliases of its own
(`_gN_…`), and `OutputField.source` says where execution's projection finds the value.

Conventions between planning and execution
- *Conditions* are lists of (client variable, wanted value); all must hold. `Condition` nodes wrap what nobody wants
  otherwise; inside an operation they stand as `@include`/`@skip`. A key without data is simply absent.
- *Matching*: a `RequiredSelection` applies to an object whose `__typename` is `type_condition` or one of its types.
  `__typename` is always selected where a jump starts. Several selections may match; together they make one
  representation. A nested selection with an empty `send_typename` applies to an object that has no `__typename`.
- *The query root below a field*: a `Flatten` of a `Fetch` that requires nothing. Its root fields are merged into every
  object at the path.
- *Interface objects*: what a subgraph gives as an object of an interface has that interface's name as `__typename`,
  until a fetch from a graph that knows the real type overwrites it. Fetches *into* an interface object never select
  `__typename`. Where the client's selection does not depend on the real type, it may never be fetched.
- *Paths* never need type filters today: whoever stands at a path is told apart by `type_condition`.
- *Reserved keys* in the operation of a `ScatterFetch`, beside what the client selected:
    `_gedges: edges { cursor }`                       CONNECTION, when rows or pageInfo are selected: item i of every
                                                      `nodes` and `edges` selection has the i-th cursor
    `_gpage: pageInfo { hasNextPage hasPreviousPage }`  CONNECTION, likewise
    `_gby_<field>: <field>`                           GROUPS, for each `by` field not selected plainly as itself
    `_gkey_<field>_<segment>: <field>`                rows of a partitioned type: its key, unless selected plainly as
                                                      itself, so that a row of another region's is known
  They are in `GatherField.selection`, never in the output. Nothing else is added: arguments stand as the client
  wrote them; execution sets `first`, `after` … for a member by rewriting `selection`.
- *Entity fetch on a partitioned graph*: for types in `Scatter.partitioned` the representation's key names the member
  (so `fields` says nothing about them); fields of all other types stand in `fields`, gathered over members.
- *Contextual arguments*: fields that take them are in parts of a `BatchFetch` of their own. The entities of a part whose
  values differ are asked for under aliases of their own, in copies of the part that execution makes.
- *Mutations* on a partitioned graph: one `ScatterFetch` for each root field, in series.
- *Given entities*: `key` is a list under the root, an item for each representation that the asker gave. The fetch has
  no `requires`: each representation is sent on as it came.
- *Subscription*: `primary` is a plain `Fetch`; `rest` runs on each event's data as on a root fetch's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.supergraph.model import FoldKind, Gather, Partitioned, Route

__all__ = [
    "GATHER_EDGES",
    "GATHER_PAGE",
    "BatchFetch",
    "BatchPart",
    "Condition",
    "ContextValue",
    "ContextVariable",
    "Echo",
    "Fetch",
    "Flatten",
    "GatherField",
    "Given",
    "KeyRewrite",
    "Node",
    "OperationKind",
    "OutputField",
    "OutputSelection",
    "Parallel",
    "QueryPlan",
    "RequiredField",
    "RequiredSelection",
    "Scatter",
    "ScatterFetch",
    "Sequence",
    "Subscription",
    "gather_by",
    "gather_key",
]

OperationKind: TypeAlias = str
"""`query`, `mutation` or `subscription`."""


@dataclass(frozen=True, slots=True)
class RequiredField:
    """One field of a representation: read `source` from the data, send it as `name`."""

    name: str
    source: str
    selections: tuple[RequiredSelection, ...] = ()


@dataclass(frozen=True, slots=True)
class RequiredSelection:
    """`... on type_condition { fields }` of a representation; `send_typename` is what `__typename` says."""

    type_condition: str
    send_typename: str
    fields: tuple[RequiredField, ...]
    """Beside `__typename`. Nested selections apply by the runtime type of the nested object."""


@dataclass(frozen=True, slots=True)
class KeyRewrite:
    """After the fetch: set `__typename` (or another key) at `path` of each entity to `value`, for interface objects."""

    path: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one graph.

    With `requires`, an entity fetch: `operation` selects `_entities(representations: $representations)`, and the
    answers are merged into the objects the representations were taken from. Without, a root fetch: the answer's
    data is merged at the root (or, under `Flatten`, never).
    """

    graph: str
    operation_kind: OperationKind
    operation: str
    """GraphQL text, ready to send; deterministic, so that it can be a cache key."""
    variables: tuple[str, ...] = ()
    """Names of the client's variables that the operation uses (`representations` not among them)."""
    constants: tuple[tuple[str, object], ...] = ()
    """Variables whose values the plan itself brings (name, plain JSON)."""
    requires: tuple[RequiredSelection, ...] = ()
    rewrites: tuple[KeyRewrite, ...] = ()
    representations_variable: str = "representations"
    """The operation's variable for representations; another name only where the client has a variable of this one."""


@dataclass(frozen=True, slots=True)
class GatherField:
    """How one selected field of a scattered operation (and what is below it) is merged over members.

    `path` is the way of response keys from the operation's root (for an entity fetch: from the entity). Fields
    below a gathered one that gather or fold by a rule of their own are in `children`; a plain field below takes
    the first member's value.
    """

    key: str
    """Response key in the operation."""
    name: str
    """Field name."""
    gather: Gather | None
    """None: routed (`route`) or, below a gathered object, folded (`fold`) or plain."""
    route: Route | None = None
    fold: FoldKind | None = None
    arguments: str = ""
    """The field's arguments as a GraphQL object literal (`{filter: $f, first: 10}`), for pruning and routing."""
    type_condition: str | None = None
    """The object type the field was selected on, in an entity fetch over several types."""
    selection: str = ""
    """The field as it stands in the operation, ready to be put into a member operation of fewer fields."""
    variables: tuple[str, ...] = ()
    """Client variables the field uses."""
    element_type: str = ""
    """The named type of the field's value."""
    is_decimal: bool = False
    """A folded value that is a decimal text: its type is a scalar that is neither GraphQL's own nor a day or time."""
    decimals_by: tuple[str, ...] = ()
    """Of the fields that a group is known by, those that are decimals: equal by value, however they are written."""
    children: tuple[GatherField, ...] = ()
    """What below gathers or folds by a rule of its own."""
    conditions: tuple[tuple[str, bool], ...] = ()
    """(variable, wanted): else the field is not asked for, and nothing stands under its key."""
    rows: tuple[Partitioned, ...] = ()
    """The keys of the partitioned types that its rows (a connection's nodes, a list's items, one object) may be of."""


GATHER_EDGES = "_gedges"
GATHER_PAGE = "_gpage"
"""Response keys under which the gateway asks for cursors and page information of its own."""


def gather_by(name: str) -> str:
    """The gateway's own response key for a field that groups are told apart by."""
    return f"_gby_{name}"


def gather_key(partitioned: Partitioned) -> str:
    """The gateway's own response key for a row's partition key."""
    return f"_gkey_{partitioned.key}_{'all' if partitioned.segment is None else partitioned.segment}"


@dataclass(frozen=True, slots=True)
class Scatter:
    """How a fetch on a partitioned graph is spread and gathered."""

    fields: tuple[GatherField, ...]
    """One for each root field (or, in an entity fetch, for each gathered field of an entity type)."""
    partitioned: tuple[tuple[str, Partitioned], ...] = ()
    """Entity fetch: type → its key; representations of these types go to one member each, one batch a member."""


@dataclass(frozen=True, slots=True)
class ScatterFetch:
    """A fetch on a partitioned graph: `fetch` is the template, `scatter` says where it goes and how it merges."""

    fetch: Fetch
    scatter: Scatter


@dataclass(frozen=True, slots=True)
class Flatten:
    """Run `node` (an entity fetch) on all objects at `path`; `@` goes through a list, `|[A,B]` filters by type."""

    path: tuple[str, ...]
    node: Fetch | ScatterFetch


@dataclass(frozen=True, slots=True)
class ContextValue:
    """One place to read a contextual value from: an object around the entity."""

    path: tuple[str, ...]
    """Of that object; the beginning of the entity's own path."""
    types: tuple[str, ...]
    """The types it must be of; none: whatever it is."""
    source: tuple[str, ...]
    """Response keys from there to the value; through lists, it is a list."""


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable of the operation that holds a contextual argument's value."""

    name: str
    type: str
    values: tuple[ContextValue, ...]
    """The nearest object first; the first that is of the right type counts."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A field that a representation answers itself: read `name` from it, put it under `key`, and so on below."""

    key: str
    name: str
    below: tuple[Echo, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """Entities whose representations the asker gives: the root field `_entities` of a graph served as a subgraph."""

    key: str
    """Where in the data their list goes."""
    representations: str
    """The argument's value as GraphQL text: a variable, or a list written out."""
    node: ScatterFetch
    echoes: tuple[tuple[str, Echo], ...] = ()
    """(object type, what of it is not asked for, because whoever names the object says it)."""


@dataclass(frozen=True, slots=True)
class BatchPart:
    """One alias of a `BatchFetch`: the entities at all of `paths`, each representation sent once."""

    alias: str
    variable: str
    """The operation's variable for this part's representations."""
    paths: tuple[tuple[str, ...], ...]
    requires: tuple[RequiredSelection, ...]
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchFetch:
    """Entity fetches of one graph in one request: `_e0: _entities(…)`, `_e1: _entities(…)`."""

    graph: str
    operation: str
    parts: tuple[BatchPart, ...]
    variables: tuple[str, ...] = ()
    """Names of the client's variables that the operation uses."""


@dataclass(frozen=True, slots=True)
class Sequence:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Runs one branch, by the Boolean client variable `variable`."""

    variable: str
    if_true: Node | None
    if_false: Node | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Opens `primary` on its graph; each event's data is completed by `rest`."""

    primary: Fetch
    rest: Node | None = None


Node: TypeAlias = Fetch | ScatterFetch | BatchFetch | Flatten | Given | Sequence | Parallel | Condition | Subscription


@dataclass(frozen=True, slots=True)
class OutputSelection:
    """A client's selection set for one possible parent: fields apply when the object's type is in `types`."""

    fields: tuple[OutputField, ...]


@dataclass(frozen=True, slots=True)
class OutputField:
    """One field of the answer's shape, for projection and null propagation."""

    key: str
    """The client's response key."""
    source: str
    """The key in the merged data; differs from `key` only where planning kept conflicting fields apart."""
    type: str
    """The field's API type as SDL: `[Asset!]!`."""
    types: frozenset[str] | None = None
    """Object types this entry applies to; None: all."""
    conditions: tuple[tuple[str, bool], ...] = ()
    """(variable, wanted): the entry is in force only when every variable has its wanted value."""
    meta: str | None = None
    """`__typename`, or `introspection` for `__schema`/`__type`, answered without a fetch."""
    selection: OutputSelection | None = None


@dataclass(frozen=True, slots=True)
class QueryPlan:
    operation_kind: OperationKind
    root: Node | None
    """None: everything is answered without a fetch."""
    output: OutputSelection
    """The shape of the answer, over the root type."""
    introspection: str | None = None
    """The introspection part of the operation as GraphQL text, if there is one."""
    known: tuple[tuple[str, object], ...] = ()
    """(key in the data, value) of root fields that need no fetch: what a graph served as a subgraph says of itself."""
    graphs: frozenset[str] = field(default_factory=frozenset)
    services: tuple[tuple[str, str], ...] = ()
    """(graph, subgraph's name) for each of `graphs`: what people call them."""
