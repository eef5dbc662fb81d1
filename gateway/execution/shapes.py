"""What a gathered field looks like, compiled once per plan from its `GatherField`.

A `Shape` knows the response keys below the field and what each means: which key holds a connection's nodes, which one
the cursors, which ones are folded, which ones name a group. The gateway's own keys (planning adds them so that the
merge has cursors, page information and group keys even where the client selected none) are read like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    parse_value,
    value_from_ast_untyped,
)

from gateway.language.selections import parse_field_set, response_key
from gateway.plan.nodes import GatherField
from gateway.supergraph.model import FoldKind, Gather, GatherKind, Route

__all__ = ["MISSING", "Arguments", "ConnectionKeys", "Shape", "compile_arguments", "compile_shape"]

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
    conditions: tuple[tuple[str, bool], ...] = ()

    def in_force(self, variables: Mapping[str, Any]) -> bool:
        """Whether `@skip` and `@include` let the field be asked for."""
        return all((variables.get(name) is True) is wanted for name, wanted in self.conditions)

    @property
    def kind(self) -> GatherKind | None:
        return None if self.gather is None else self.gather.kind

    def keys_of(self, name: str) -> tuple[str, ...]:
        return tuple(key for key, field_name in self.fields if field_name == name)


def compile_shape(gathered: GatherField, schema: GraphQLSchema | None = None, root: str = "Query") -> Shape:
    """`root`: the operation's root type; `schema` knows the defaults of arguments."""
    node = next(_fields_of(parse_field_set(gathered.selection))) if gathered.selection else None
    below = None if node is None else node.selection_set
    return _compile(gathered, below, schema, gathered.type_condition or root)


def _compile(gathered: GatherField, below: SelectionSetNode | None, schema: GraphQLSchema | None, parent: str) -> Shape:
    nodes = {response_key(node): node for node in _fields_of(below)}
    children: dict[str, Shape] = {}
    for child in gathered.children:
        node = nodes.get(child.key)
        children[child.key] = _compile(
            child, None if node is None else node.selection_set, schema, gathered.element_type
        )
    kind = None if gathered.gather is None else gathered.gather.kind
    by = frozenset(gathered.gather.by) if gathered.gather is not None else frozenset()
    fields = tuple((key, node.name.value) for key, node in nodes.items())
    return Shape(
        key=gathered.key,
        name=gathered.name,
        gather=gathered.gather,
        route=gathered.route,
        fold=gathered.fold,
        is_decimal=gathered.is_decimal,
        element_type=gathered.element_type,
        type_condition=gathered.type_condition,
        arguments=compile_arguments(gathered.arguments, _defaults(schema, parent, gathered.name)),
        fields=fields,
        children=children,
        connection=_connection_keys(nodes) if kind is GatherKind.CONNECTION else None,
        by=tuple(key for key, name in fields if name in by),
        conditions=gathered.conditions,
    )


def _connection_keys(nodes: Mapping[str, FieldNode]) -> ConnectionKeys:
    edges: list[tuple[str, tuple[str, ...]]] = []
    pages: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for key, node in nodes.items():
        inner = tuple((response_key(one), one.name.value) for one in _fields_of(node.selection_set))
        if node.name.value == "edges":
            edges.append((key, tuple(one for one, name in inner if name == "cursor")))
        elif node.name.value == "pageInfo":
            pages.append((key, inner))
    rows = tuple(key for key, node in nodes.items() if node.name.value == "nodes")
    return ConnectionKeys(rows, tuple(edges), tuple(pages))


def _fields_of(selections: SelectionSetNode | None) -> Iterator[FieldNode]:
    for selection in selections.selections if selections is not None else ():
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields_of(selection.selection_set)
            case _:
                raise TypeError(f"a member operation holds no {selection.kind}")
