"""A plan made ready to run: everything that does not depend on a request is worked out here, once.

`compile_plan` walks the plan's nodes and prepares each fetch (paths, representation builders); gather shapes and the
projection are prepared per set of `@skip`/`@include` values, on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    SelectionSetNode,
)

from gateway.execution.contexts import CompiledContext, Copies, compile_context
from gateway.execution.given import CompiledGiven, compile_given
from gateway.execution.places import Path, compile_path
from gateway.execution.project import Projection, compile_projection, condition_variables
from gateway.execution.representations import Builder, compile_requires
from gateway.execution.scatter import Scatters, compile_scatter
from gateway.language.selections import field_paths
from gateway.plan.nodes import (
    BatchFetch,
    BatchPart,
    Condition,
    Fetch,
    Flatten,
    Given,
    Node,
    Parallel,
    QueryPlan,
    ScatterFetch,
    Sequence,
    Subscription,
)
from gateway.supergraph.model import Supergraph
from gateway.supergraph.served import ENTITY

__all__ = ["CompiledBatch", "CompiledFetch", "CompiledPart", "CompiledPlan", "TypeKnowledge", "compile_plan"]

PROJECTIONS_KEPT_MAX = 32
"""Sets of condition values whose projections are kept for one plan."""


class TypeKnowledge:
    """What execution needs to know of the supergraph's types, looked up once."""

    def __init__(self, supergraph: Supergraph) -> None:
        self._supergraph = supergraph
        self._possible: dict[str, frozenset[str]] = {}
        self.interfaces = frozenset(
            name for name, one in supergraph.schema.type_map.items() if isinstance(one, GraphQLInterfaceType)
        )

    @property
    def version(self) -> str:
        return self._supergraph.version

    @property
    def schema(self) -> GraphQLSchema:
        return self._supergraph.schema

    def possible_types(self, name: str) -> frozenset[str]:
        kept = self._possible.get(name)
        if kept is None:
            schema = self._supergraph.schema
            named = schema.get_type(name)
            if isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
                kept = frozenset(one.name for one in schema.get_possible_types(named))
            else:
                kept = frozenset((name,))
            self._possible[name] = kept
        return kept

    def key_fields(self, graph: str) -> _KeyFields:
        return _KeyFields(self._supergraph, graph)


class _KeyFields(Mapping[str, frozenset[str]]):
    """Type → the top fields of its keys in one graph."""

    def __init__(self, supergraph: Supergraph, graph: str) -> None:
        self._joins = supergraph.type_joins
        self._graph = graph

    def __getitem__(self, name: str) -> frozenset[str]:
        keys: list[SelectionSetNode] = [
            join.key for join in self._joins.get(name, ()) if join.graph == self._graph and join.key is not None
        ]
        return frozenset(path[0] for key in keys for path in field_paths(key))

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __iter__(self) -> Any:
        return iter(self._joins)

    def __len__(self) -> int:
        return len(self._joins)


@dataclass(frozen=True, slots=True)
class CompiledFetch:
    fetch: Fetch
    path: Path
    """Where the entities are taken from; empty for a root fetch."""
    plain_path: tuple[str, ...]
    """The response keys before the first list: what an error of the whole fetch is about."""
    printed_paths: tuple[str, ...]
    """As the plan prints them, for explain."""
    build: Builder | None
    """Entity fetch: makes representations."""
    scatter: Scatters | None
    rounds_after: int
    """How many rounds of fetches follow at least: time is kept back for them."""
    constants: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CompiledPart:
    alias: str
    variable: str
    paths: tuple[Path, ...]
    plain_paths: tuple[tuple[str, ...], ...]
    build: Builder
    contexts: tuple[CompiledContext, ...]


@dataclass(frozen=True, slots=True)
class CompiledBatch:
    batch: BatchFetch
    parts: tuple[CompiledPart, ...]
    copies: Copies | None
    """When parts have contextual arguments: the operation with as many copies of each part as there are values."""
    printed_paths: tuple[str, ...]
    rounds_after: int


@dataclass(slots=True)
class CompiledPlan:
    plan: QueryPlan
    fetches: Mapping[int, CompiledFetch]
    """By identity of the plan's Fetch or ScatterFetch node."""
    batches: Mapping[int, CompiledBatch]
    """By identity of the plan's BatchFetch node."""
    givens: Mapping[int, CompiledGiven]
    """By identity of the plan's Given node."""
    types: TypeKnowledge
    _supergraph: Supergraph
    condition_variables: tuple[str, ...]
    _projections: dict[tuple[bool, ...], Projection] = field(default_factory=dict)
    introspected: Mapping[str, Any] | None = None
    """The answer to the introspection part, kept when no variable changes it."""

    def projection(self, variables: Mapping[str, Any]) -> Projection:
        values = tuple(variables.get(name) is True for name in self.condition_variables)
        kept = self._projections.get(values)
        if kept is None:
            conditions = dict(zip(self.condition_variables, values, strict=True))
            kept = compile_projection(self.plan.output, self._supergraph.api_schema, self._root, conditions)
            if len(self._projections) < PROJECTIONS_KEPT_MAX:
                self._projections[values] = kept
        return kept

    @property
    def _root(self) -> GraphQLObjectType:
        root = self._supergraph.api_schema.get_root_type(OperationType(self.plan.operation_kind))
        assert root is not None, "planning gives no plan for a root type that the schema lacks"
        return root


def compile_plan(plan: QueryPlan, supergraph: Supergraph, types: TypeKnowledge | None = None) -> CompiledPlan:
    compiler = _Compiler(types or TypeKnowledge(supergraph))
    if plan.root is not None:
        compiler.visit(plan.root, (), 0)
    return CompiledPlan(
        plan,
        compiler.fetches,
        compiler.batches,
        compiler.givens,
        compiler.types,
        supergraph,
        condition_variables(plan.output),
    )


class _Compiler:
    def __init__(self, types: TypeKnowledge) -> None:
        self.types = types
        self.fetches: dict[int, CompiledFetch] = {}
        self.batches: dict[int, CompiledBatch] = {}
        self.givens: dict[int, CompiledGiven] = {}

    def visit(self, node: Node, path: tuple[str, ...], rounds_after: int) -> None:
        match node:
            case Fetch():
                self._add(node, node, None, path, rounds_after)
            case ScatterFetch():
                self._add(node, node.fetch, compile_scatter(node, self.types.schema), path, rounds_after)
            case BatchFetch():
                parts = tuple(self._part(part, node.graph) for part in node.parts)
                printed = dict.fromkeys(".".join(path) for part in node.parts for path in part.paths)
                copies = Copies(node) if any(part.contexts for part in node.parts) else None
                self.batches[id(node)] = CompiledBatch(node, parts, copies, tuple(printed), rounds_after)
            case Flatten():
                self.visit(node.node, node.path, rounds_after)
            case Given():
                self.givens[id(node)] = compile_given(node, self.types.possible_types(ENTITY))
                self.visit(node.node, (node.key, "@"), rounds_after)
            case Sequence():
                for place, child in enumerate(node.nodes):
                    following = sum(_rounds(other) for other in node.nodes[place + 1 :])
                    self.visit(child, path, rounds_after + following)
            case Parallel():
                for child in node.nodes:
                    self.visit(child, path, rounds_after)
            case Condition():
                for branch in (node.if_true, node.if_false):
                    if branch is not None:
                        self.visit(branch, path, rounds_after)
            case Subscription():
                self.visit(node.primary, path, 0)
                if node.rest is not None:
                    self.visit(node.rest, path, 0)
            case _:
                assert_never(node)

    def _part(self, part: BatchPart, graph: str) -> CompiledPart:
        return CompiledPart(
            part.alias,
            part.variable,
            tuple(compile_path(path, self.types.possible_types) for path in part.paths),
            tuple(_plain(path) for path in part.paths),
            compile_requires(part.requires, self.types.possible_types, self.types.key_fields(graph)),
            tuple(compile_context(one, self.types.possible_types) for one in part.contexts),
        )

    def _add(
        self, node: Node, fetch: Fetch, scatter: Scatters | None, path: tuple[str, ...], rounds_after: int
    ) -> None:
        build = None
        if fetch.requires:
            build = compile_requires(fetch.requires, self.types.possible_types, self.types.key_fields(fetch.graph))
        self.fetches[id(node)] = CompiledFetch(
            fetch=fetch,
            path=compile_path(path, self.types.possible_types),
            plain_path=_plain(path),
            printed_paths=(".".join(path),) if path else (),
            build=build,
            scatter=scatter,
            rounds_after=rounds_after,
            constants=dict(fetch.constants),
        )


def _plain(path: tuple[str, ...]) -> tuple[str, ...]:
    plain: list[str] = []
    for element in path:
        name = element.partition("|")[0]
        if name == "@":
            break
        if name:
            plain.append(name)
    return tuple(plain)


def _rounds(node: Node) -> int:
    match node:
        case Fetch() | ScatterFetch() | BatchFetch() | Flatten() | Given():
            return 1
        case Sequence():
            return sum(_rounds(child) for child in node.nodes)
        case Parallel():
            return max((_rounds(child) for child in node.nodes), default=0)
        case Condition():
            return max((_rounds(one) for one in (node.if_true, node.if_false) if one is not None), default=0)
        case Subscription():
            return 1
        case _:
            assert_never(node)
