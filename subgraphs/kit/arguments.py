"""Arguments as plain JSON, for resolvers that would turn Strawberry's instances back into it.

Strawberry makes an instance of each input object, asking for the name of each of its fields, given or not. A field made
by `plain_arguments_field` gets what graphql-core has coerced instead: dicts with the contract's names, enums as their
names, what was not given absent. What a document says in so many words is coerced once for the document; only arguments
with variables in them are coerced for each request. Nobody may change an argument: requests share it.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import Any, cast

import strawberry
from graphql import FieldNode, GraphQLField, GraphQLResolveInfo, ValueNode, VariableNode
from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

__all__ = ["PlainArguments", "plain", "plain_arguments_field", "takes_plain_arguments"]

_PLAIN_ARGUMENTS = "gwc-plain-arguments"


def plain_arguments_field(resolver: Callable[..., Any]) -> Any:
    """A Strawberry field with an asynchronous resolver that is given its arguments as plain JSON.

    Its parameters bear the contract's names. `info` is graphql-core's; permissions and extensions it cannot have.
    """
    return strawberry.field(resolver, metadata={_PLAIN_ARGUMENTS: True})


def takes_plain_arguments(definition: GraphQLField) -> bool:
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field is not None and _PLAIN_ARGUMENTS in field.metadata


def plain(value: Any) -> Any:
    """A coerced value as plain JSON."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.value if isinstance(value, enum.Enum) else value


class PlainArguments:
    """How one field of one document is resolved."""

    __slots__ = ("_constants", "_node", "_resolver", "_varying")

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        field: StrawberryField = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        assert field.base_resolver is not None
        self._resolver = cast("Callable[..., Awaitable[Any]]", field.base_resolver.wrapped_func)
        self._node, args = node, definition.args
        varying = {one.name.value for one in node.arguments if _has_variable(one.value)}
        constant = GraphQLField(definition.type, {name: args[name] for name in args if name not in varying})
        self._constants = plain(get_argument_values(constant, node))
        self._varying = GraphQLField(definition.type, {name: args[name] for name in args if name in varying})

    async def resolve(self, source: Any, info: GraphQLResolveInfo) -> Any:
        given = plain(get_argument_values(self._varying, self._node, info.variable_values))
        return await self._resolver(source, info, **self._constants, **given)


def _has_variable(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    parts = [*getattr(value, "values", ()), *(one.value for one in getattr(value, "fields", ()))]
    return any(map(_has_variable, parts))
