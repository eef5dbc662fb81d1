"""The texts that members are asked with, made from a scattered fetch's operation. Pure; each is made once and kept.

*Sized:* a paged field's `first` and `after` become variables of the gateway's own, so that one text serves all sizes.
*The rest:* one paged field with nothing but its rows, for the rows that a page still wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_nullable_type,
    is_non_null_type,
    parse,
    print_ast,
)

from gateway.execution.shapes import Shape
from gateway.language.selections import response_key, variable_names
from gateway.plan.nodes import Fetch
from gateway.supergraph.model import GatherKind

__all__ = ["MemberOperation", "SizedField", "part_of", "rest_of", "sized", "sized_fields"]

_ROWS = frozenset({"nodes", "edges", "pageInfo"})
"""The fields of a connection that are its rows, or tell of them."""


@dataclass(frozen=True, slots=True)
class MemberOperation:
    text: str
    variables: tuple[str, ...]
    """Names of the client's variables it uses."""


@dataclass(frozen=True, slots=True)
class SizedField:
    """A paged root field that can be asked for in sizes: the variables that stand for its `first` and `after`."""

    key: str
    first: str
    after: str
    after_type: str

    @property
    def declared(self) -> str:
        return f"${self.first}: Int!, ${self.after}: {self.after_type}"


def sized_fields(
    fetch: Fetch, shapes: Sequence[Shape], schema: GraphQLSchema | None, root: str
) -> dict[int, SizedField]:
    """By place in `shapes`: pages with rows, of a read, whose `first` and `after` are the usual ones."""
    named = schema.type_map.get(root) if schema is not None else None
    if not isinstance(named, GraphQLObjectType) or fetch.operation_kind != "query" or fetch.requires:
        return {}
    found: dict[int, SizedField] = {}
    for place, shape in enumerate(shapes):
        arguments = named.fields[shape.name].args if shape.name in named.fields else {}
        first, after = arguments.get("first"), arguments.get("after")
        if first is None or after is None or is_non_null_type(after.type):
            continue
        own = SizedField(shape.key, f"_gfirst{place}", f"_gafter{place}", str(after.type))
        is_paged = shape.kind is GatherKind.CONNECTION and shape.connection is not None and shape.connection.has_rows
        if is_paged and get_nullable_type(first.type) is GraphQLInt and not {own.first, own.after} & {*fetch.variables}:
            found[place] = own
    return found


def part_of(operation: str, shapes: Sequence[Shape]) -> MemberOperation:
    """Only these root fields of the operation."""
    variables = frozenset(name for one in shapes for name in one.variables)
    definition = _definition(operation)
    declared = [print_ast(one) for one in definition.variable_definitions if one.variable.name.value in variables]
    header = f"({', '.join(declared)})" if declared else ""
    fields = " ".join(text for one in shapes for text in one.selections)
    return MemberOperation(f"{definition.operation.value}{header} {{ {fields} }}", tuple(sorted(variables)))


def sized(operation: str, fields: Iterable[SizedField]) -> MemberOperation:
    by_key = {one.key: one for one in fields}

    def change(node: FieldNode) -> FieldNode | None:
        own = by_key.get(response_key(node))
        if own is not None:
            _give_size(node, own)
        return node

    return _rewritten(operation, by_key, change)


def rest_of(operation: str, field: SizedField) -> MemberOperation:
    """Of all the operation only this field, and of that only the rows."""

    def change(node: FieldNode) -> FieldNode | None:
        if response_key(node) != field.key or node.selection_set is None:
            return None
        _give_size(node, field)
        kept = _mapped(node.selection_set.selections, lambda one: one if one.name.value in _ROWS else None)
        node.selection_set = SelectionSetNode(selections=kept)
        return node if kept else None

    return _rewritten(operation, {field.key: field}, change)


def _definition(operation: str) -> OperationDefinitionNode:
    document = parse(operation, no_location=True)
    return next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))


def _rewritten(
    operation: str, fields: Mapping[str, SizedField], change: Callable[[FieldNode], FieldNode | None]
) -> MemberOperation:
    """A variable that only a replaced argument used is declared no more."""
    definition = _definition(operation)
    selection = SelectionSetNode(selections=_mapped(definition.selection_set.selections, change))
    used = variable_names(selection)
    kept = [one for one in definition.variable_definitions if one.variable.name.value in used]
    header = ", ".join([*map(print_ast, kept), *(one.declared for one in fields.values())])
    text = f"{definition.operation.value}({header}) {print_ast(selection)}"
    return MemberOperation(text, tuple(one.variable.name.value for one in kept))


def _mapped(
    selections: Sequence[SelectionNode], change: Callable[[FieldNode], FieldNode | None]
) -> tuple[SelectionNode, ...]:
    """Fields changed, or left out, also those that stand under a condition."""
    found: list[SelectionNode] = []
    for one in selections:
        match one:
            case FieldNode():
                changed = change(one)
                if changed is not None:
                    found.append(changed)
            case InlineFragmentNode():
                one.selection_set = SelectionSetNode(selections=_mapped(one.selection_set.selections, change))
                if one.selection_set.selections:
                    found.append(one)
            case _:
                raise TypeError(f"a member operation holds no {one.kind}")
    return tuple(found)


def _give_size(node: FieldNode, own: SizedField) -> None:
    others = tuple(one for one in node.arguments if one.name.value not in ("first", "after"))
    sizes = (("first", own.first), ("after", own.after))
    node.arguments = (*others, *(_by_variable(name, variable) for name, variable in sizes))


def _by_variable(argument: str, variable: str) -> ArgumentNode:
    return ArgumentNode(name=NameNode(value=argument), value=VariableNode(name=NameNode(value=variable)))
