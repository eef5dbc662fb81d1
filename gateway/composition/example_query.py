"""The query that a satisfiability error shows: valid against the API but for what `{ ... }` leaves open, so its reader
can try it.

Arguments stand only where they must, with any value that is valid; the error does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_composite_type,
)

__all__ = ["FRAGMENT", "example_query"]

FRAGMENT = "... on "
"""What a step into a type begins with."""
_ANY_VALUE = {"Int": "1", "Float": "1.5", "Boolean": "true"}
_ANY_TEXT = '"any"'


def example_query(schema: GraphQLSchema, way: Sequence[str], field: str) -> Iterator[str]:
    """The lines of it. `way`: the root type, then fields and fragments down to the type that has `field`."""
    root, *steps = way
    yield f"{_operation(schema, root)}{{"
    at = root
    for depth, step in enumerate(steps, 1):
        if step.startswith(FRAGMENT):
            told, at = step, step.removeprefix(FRAGMENT)
        else:
            found = _field(schema, at, step)
            told, at = step + _arguments(found), get_named_type(found.type).name if found else at
        yield f"{'  ' * depth}{told} {{"
    found = _field(schema, at, field)
    below = " { ... }" if found is not None and is_composite_type(get_named_type(found.type)) else ""
    yield f"{'  ' * (len(steps) + 1)}{field}{_arguments(found)}{below}"
    for depth in range(len(steps), -1, -1):
        yield f"{'  ' * depth}}}"


def _operation(schema: GraphQLSchema, root: str) -> str:
    if schema.mutation_type is not None and root == schema.mutation_type.name:
        return "mutation "
    if schema.subscription_type is not None and root == schema.subscription_type.name:
        return "subscription "
    return ""


def _field(schema: GraphQLSchema, type_name: str, field: str) -> GraphQLField | None:
    """None: `__typename`, which is no field of the type."""
    type_ = schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    found: GraphQLField | None = type_.fields.get(field)
    return found


def _arguments(field: GraphQLField | None) -> str:
    given = _given(field.args) if field is not None else ""
    return f"({given})" if given else ""


def _given(values: dict[str, GraphQLArgument] | dict[str, GraphQLInputField]) -> str:
    required = {
        name: one.type.of_type
        for name, one in values.items()
        if isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
    }
    return ", ".join(f"{name}: {_any_value(type_)}" for name, type_ in required.items())


def _any_value(type_: GraphQLInputType) -> str:
    match type_:
        case GraphQLList():
            return "[]"
        case GraphQLEnumType():
            return next(iter(type_.values))
        case GraphQLInputObjectType():
            return f"{{{_given(type_.fields)}}}"
        case _:
            return _ANY_VALUE.get(str(type_), _ANY_TEXT)
