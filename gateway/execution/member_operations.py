"""The texts that members are asked with, made from a scattered fetch's operation. Pure; each is made once and kept.

*Sized:* a paged field's `first` and `after` become variables of the gateway's own, so that one text serves all sizes.
*The rest:* one paged field with nothing but its rows, for the rows that a page still wants.

A field is known by its *top* (`examine`): at the root by its key, in an entity fetch by the entity's type and its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLInputType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_non_null_type,
    parse,
    print_ast,
)

from gateway.execution.examine import ENTITIES, Top
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
    """A paged field that can be asked for in sizes: the variables that stand for its `first` and `after`."""

    top: Top
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
    found: dict[int, SizedField] = {}
    for place, shape in enumerate(shapes if fetch.operation_kind == "query" else ()):
        arguments = _arguments(schema, shape.type_condition or root, shape.name)
        first, after = arguments.get("first"), arguments.get("after")
        if first is None or after is None or is_non_null_type(after.type):
            continue
        own = SizedField((shape.type_condition, shape.key), f"_gfirst{place}", f"_gafter{place}", str(after.type))
        is_paged = shape.kind is GatherKind.CONNECTION and shape.connection is not None and shape.connection.has_rows
        if is_paged and _is_int(first.type) and not {own.first, own.after} & {*fetch.variables}:
            found[place] = own
    return found


def _arguments(schema: GraphQLSchema | None, parent: str, name: str) -> Mapping[str, GraphQLArgument]:
    named = schema.type_map.get(parent) if schema is not None else None
    field = named.fields.get(name) if isinstance(named, GraphQLObjectType) else None
    return {} if field is None else field.args


def _is_int(type_: GraphQLInputType) -> bool:
    return (type_.of_type if isinstance(type_, GraphQLNonNull) else type_) is GraphQLInt


def part_of(operation: str, shapes: Sequence[Shape]) -> MemberOperation:
    """Only these root fields of the operation."""
    variables = frozenset(name for one in shapes for name in one.variables)
    definition = _definition(operation)
    declared = [print_ast(one) for one in definition.variable_definitions if one.variable.name.value in variables]
    header = f"({', '.join(declared)})" if declared else ""
    fields = " ".join(text for one in shapes for text in one.selections)
    return MemberOperation(f"{definition.operation.value}{header} {{ {fields} }}", tuple(sorted(variables)))


def sized(operation: str, fields: Iterable[SizedField]) -> MemberOperation:
    by_top = {one.top: one for one in fields}

    def change(node: FieldNode, top: Top) -> FieldNode | None:
        own = by_top.get(top)
        if own is not None:
            _give_size(node, own)
        return node

    return _rewritten(operation, by_top, change)


def rest_of(operation: str, field: SizedField) -> MemberOperation:
    """Of all the operation only this field, and of that only the rows."""

    def change(node: FieldNode, top: Top) -> FieldNode | None:
        if top != field.top or node.selection_set is None:
            return None
        _give_size(node, field)
        kept = _mapped(node.selection_set.selections, lambda one, _: one if one.name.value in _ROWS else None)
        node.selection_set = SelectionSetNode(selections=kept)
        return node if kept else None

    return _rewritten(operation, {field.top: field}, change)


def _definition(operation: str) -> OperationDefinitionNode:
    document = parse(operation, no_location=True)
    return next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))


_Change: TypeAlias = Callable[[FieldNode, Top], FieldNode | None]
"""What becomes of a top field; None: it is left out."""


def _rewritten(operation: str, fields: Mapping[Top, SizedField], change: _Change) -> MemberOperation:
    """A variable that only a replaced argument used is declared no more."""
    definition = _definition(operation)
    selection = definition.selection_set
    holder = _entities_in(selection)
    if holder is None:
        selection = SelectionSetNode(selections=_mapped(selection.selections, change))
    else:
        assert holder.selection_set is not None
        holder.selection_set = SelectionSetNode(selections=_mapped(holder.selection_set.selections, change))
    used = variable_names(selection)
    kept = [one for one in definition.variable_definitions if one.variable.name.value in used]
    header = ", ".join([*map(print_ast, kept), *(one.declared for one in fields.values())])
    text = f"{definition.operation.value}({header}) {print_ast(selection)}"
    return MemberOperation(text, tuple(one.variable.name.value for one in kept))


def _entities_in(selection: SelectionSetNode) -> FieldNode | None:
    """An entity fetch has one root field, with the entities' top fields in it."""
    [one, *others] = selection.selections
    return one if not others and isinstance(one, FieldNode) and one.name.value == ENTITIES else None


def _mapped(selections: Sequence[SelectionNode], change: _Change, on: str | None = None) -> tuple[SelectionNode, ...]:
    """Fields changed, or left out, also those that stand under a condition or for one type (`on`)."""
    found: list[SelectionNode] = []
    for one in selections:
        match one:
            case FieldNode():
                changed = change(one, (on, response_key(one)))
                if changed is not None:
                    found.append(changed)
            case InlineFragmentNode():
                inner = on if one.type_condition is None else one.type_condition.name.value
                one.selection_set = SelectionSetNode(selections=_mapped(one.selection_set.selections, change, inner))
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
