"""What a gathered field looks like, compiled from its `GatherField` once per plan and set of conditions.

A `Shape` knows the response keys below the field and what each means: which key holds a connection's nodes, which one
the cursors, which ones are folded, which ones name a group. The gateway's own keys (planning adds them so that the
merge has cursors, page information and group keys even where the client selected none) are read like any other.

Shapes hold what `@skip` and `@include` leave and nothing else, so that what a member did not send is wrong and never
only switched off. A key that is selected several times, under conditions of its own each, is one shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    parse_value,
    value_from_ast_untyped,
)

from gateway.execution.trust import RowKey, row_keys
from gateway.language.selections import parse_field_set, response_key
from gateway.plan.nodes import GatherField
from gateway.supergraph.model import FoldKind, Gather, GatherKind, Partitioned, Route

__all__ = ["MISSING", "Arguments", "ConnectionKeys", "Shape", "compile_arguments", "compile_shapes", "switches"]

MISSING: Final = object()
"""An argument, or a part of one, that the request does not give."""


@dataclass(frozen=True, slots=True)
class ConnectionKeys:
    """Where a connection's rows, cursors and page information stand. Without cursors, no rows were selected."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, tuple[str, ...]], ...]
    """(key, the keys of `cursor` in it)."""
    pages: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """(key, ((key in it, field name), …))."""
    owned: tuple[tuple[str, str | None, tuple[RowKey, ...]], ...] = ()
    """Where rows stand that have a partition key: (key, the key of `node` in it for edges, their partition keys)."""

    @property
    def has_rows(self) -> bool:
        return any(cursors for _, cursors in self.edges)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A field's arguments, evaluated from a request's variables."""

    literal: ValueNode | None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of the schema, for arguments that are not given."""

    def get(self, name: str, variables: Mapping[str, Any]) -> Any:
        found = self.at((name,), variables)
        return self.defaults.get(name, MISSING) if found is MISSING else found

    def has(self, name: str) -> bool:
        return isinstance(self.literal, ObjectValueNode) and any(one.name.value == name for one in self.literal.fields)

    def at(self, path: tuple[str, ...], variables: Mapping[str, Any]) -> Any:
        """The value at `path`, or MISSING."""
        node: Any = self.literal
        for position, name in enumerate(path):
            if not isinstance(node, ObjectValueNode):
                return MISSING
            node = next((one.value for one in node.fields if one.name.value == name), None)
            if node is None:
                return MISSING
            if isinstance(node, VariableNode):
                return _step_into(variables.get(node.name.value, MISSING), path[position + 1 :])
        return MISSING if node is None else _evaluate(node, variables)


def _evaluate(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    match node:
        case VariableNode():
            return variables.get(node.name.value, MISSING)
        case ListValueNode():
            return [None if item is MISSING else item for one in node.values for item in (_evaluate(one, variables),)]
        case ObjectValueNode():
            pairs = ((one.name.value, _evaluate(one.value, variables)) for one in node.fields)
            return {name: value for name, value in pairs if value is not MISSING}
        case _:
            return value_from_ast_untyped(node)


def _step_into(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def compile_arguments(text: str, defaults: Mapping[str, Any] | None = None) -> Arguments:
    stripped = text.strip()
    if not stripped:
        return Arguments(None, defaults or {})
    if not stripped.startswith("{"):
        stripped = "{" + stripped.removeprefix("(").removesuffix(")") + "}"
    return Arguments(parse_value(stripped, no_location=True), defaults or {})


def _defaults(schema: GraphQLSchema | None, parent: str, name: str) -> dict[str, Any]:
    named = schema.type_map.get(parent) if schema is not None else None
    found = named.fields.get(name) if isinstance(named, GraphQLObjectType) else None
    arguments = found.args.items() if found is not None else ()
    return {key: one.default_value for key, one in arguments if one.default_value is not Undefined}


Fields: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    key: str
    name: str
    gather: Gather | None
    route: Route | None
    fold: FoldKind | None
    is_decimal: bool
    element_type: str
    type_condition: str | None
    arguments: Arguments
    fields: tuple[tuple[str, str], ...]
    """(response key, field name) selected directly below."""
    children: Mapping[str, Shape] = field(default_factory=dict)
    """By response key: what below gathers or folds by a rule of its own."""
    connection: ConnectionKeys | None = None
    by: tuple[str, ...] = ()
    """GROUPS: the response keys that make a group's identity."""
    decimals_by: frozenset[str] = frozenset()
    """Those of them whose values are decimals."""
    selections: tuple[str, ...] = ()
    """The field as it stands in the operation, once or several times."""
    variables: frozenset[str] = frozenset()
    """The client's variables that these use."""
    row_keys: tuple[RowKey, ...] = ()
    """A list's items, or a routed field's object: where their partition keys stand."""

    @property
    def kind(self) -> GatherKind | None:
        return None if self.gather is None else self.gather.kind

    def keys_of(self, name: str) -> tuple[str, ...]:
        return tuple(key for key, field_name in self.fields if field_name == name)


Values: TypeAlias = Mapping[str, bool]
"""Of the variables that `@skip` and `@include` depend on."""


def switches(gathered: Iterable[GatherField]) -> tuple[str, ...]:
    """The variables that conditions of these fields depend on, in order of first use."""
    names = (name for one in gathered if one.selection for name in _switches(parse_field_set(one.selection)))
    return tuple(dict.fromkeys(names))


def _switches(selections: SelectionSetNode) -> Iterator[str]:
    for selection in selections.selections:
        yield from (variable for variable, _ in _conditions(selection))
        below = getattr(selection, "selection_set", None)
        if below is not None:
            yield from _switches(below)


def compile_shapes(
    gathered: Iterable[GatherField], values: Values, schema: GraphQLSchema | None = None, root: str = "Query"
) -> tuple[Shape, ...]:
    """`root`: the operation's root type; `schema` knows the defaults of arguments."""
    compiler = _Compiler(values, schema)
    return tuple(compiler.top(same, root) for same in compiler.by_key(gathered))


@dataclass(frozen=True, slots=True)
class _Compiler:
    values: Values
    schema: GraphQLSchema | None

    def by_key(self, gathered: Iterable[GatherField]) -> list[list[GatherField]]:
        """The fields that are in force; those under one key (of one type) together."""
        found: dict[tuple[str | None, str], list[GatherField]] = {}
        for one in gathered:
            if self.holds(one.conditions):
                found.setdefault((one.type_condition, one.key), []).append(one)
        return list(found.values())

    def top(self, same: Sequence[GatherField], root: str) -> Shape:
        texts = tuple(one.selection for one in same if one.selection)
        nodes = [node for text in texts for node in self.fields_of(parse_field_set(text))]
        return self.compile(same, nodes, same[0].type_condition or root)

    def compile(self, same: Sequence[GatherField], nodes: Sequence[FieldNode], parent: str) -> Shape:
        """`nodes`: where the fields of `same`, all of one key, stand in the operation."""
        gathered = same[0]
        below = self.below(nodes)
        inner = self.by_key(child for one in same for child in one.children)
        kind = None if gathered.gather is None else gathered.gather.kind
        by = frozenset(gathered.gather.by) if gathered.gather is not None else frozenset()
        fields = tuple((key, found[0].name.value) for key, found in below.items())
        return Shape(
            key=gathered.key,
            name=gathered.name,
            gather=gathered.gather,
            route=gathered.route,
            fold=gathered.fold,
            is_decimal=gathered.is_decimal,
            element_type=gathered.element_type,
            type_condition=gathered.type_condition,
            arguments=compile_arguments(gathered.arguments, _defaults(self.schema, parent, gathered.name)),
            fields=fields,
            children={one[0].key: self.compile(one, below.get(one[0].key, ()), gathered.element_type) for one in inner},
            connection=self.connection_keys(below, gathered.rows) if kind is GatherKind.CONNECTION else None,
            by=tuple(key for key, name in fields if name in by),
            decimals_by=frozenset(key for key, name in fields if name in gathered.decimals_by),
            selections=tuple(one.selection for one in same),
            variables=frozenset(name for one in same for name in one.variables),
            row_keys=() if kind is GatherKind.CONNECTION else row_keys(below, gathered.rows),
        )

    def below(self, nodes: Sequence[FieldNode]) -> dict[str, list[FieldNode]]:
        """What is selected below, by response key."""
        found: dict[str, list[FieldNode]] = {}
        for node in nodes:
            for one in self.fields_of(node.selection_set):
                found.setdefault(response_key(one), []).append(one)
        return found

    def connection_keys(
        self, below: Mapping[str, Sequence[FieldNode]], partitioned: Sequence[Partitioned]
    ) -> ConnectionKeys:
        rows: list[str] = []
        owned: list[tuple[str, str | None, tuple[RowKey, ...]]] = []
        edges: list[tuple[str, tuple[str, ...]]] = []
        pages: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        for key, nodes in below.items():
            inner = tuple((one, found[0].name.value) for one, found in self.below(nodes).items())
            match nodes[0].name.value:
                case "nodes":
                    rows.append(key)
                    owned.append((key, None, row_keys(self.below(nodes), partitioned)))
                case "edges":
                    edges.append((key, tuple(one for one, name in inner if name == "cursor")))
                    for one, found in self.below(nodes).items():
                        if found[0].name.value == "node":
                            owned.append((key, one, row_keys(self.below(found), partitioned)))
                case "pageInfo":
                    pages.append((key, inner))
        return ConnectionKeys(tuple(rows), tuple(edges), tuple(pages), tuple(one for one in owned if one[2]))

    def fields_of(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for selection in selections.selections if selections is not None else ():
            if not self.holds(_conditions(selection)):
                continue
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    yield from self.fields_of(selection.selection_set)
                case _:
                    raise TypeError(f"a member operation holds no {selection.kind}")

    def holds(self, conditions: Iterable[tuple[str, bool]]) -> bool:
        return all(self.values[name] is wanted for name, wanted in conditions)


def _conditions(selection: SelectionNode) -> Iterator[tuple[str, bool]]:
    """(variable, wanted). Planning writes no other directives than `@skip` and `@include`, and those with variables."""
    for directive in selection.directives:
        value = directive.arguments[0].value
        assert isinstance(value, VariableNode)
        yield value.name.value, directive.name.value == "include"
