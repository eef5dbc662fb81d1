"""Fast completion of plain data: whole lists are projected at once instead of field by field.

graphql-core completes each field of each row with a path, an info object, an awaitable check and three calls. Most of
what a subgraph answers is *plain*: rows whose values are there already. So a selection on an object type is compiled
once (per document, and per value of the variables in its `@skip` and `@include`) into a `Projector`: response keys,
each with a reader and a completion.

    a field is plain when      it takes no arguments, has no resolver of its own (Strawberry's basic field, read by
                               attribute, or by key from a dict) or one marked `plain_field`, and what is selected
                               below it is plain too
    everything else            goes graphql-core's own way, field by field, beside the plain ones

The projector handles the usual and nothing else. A null where the type forbids it, a value of an unexpected class,
an exception or an awaitable as a value: it raises `Unusual`, and graphql-core does the same object again in its own
way, so that errors, their paths and null propagation are graphql-core's by construction. Projecting is pure, so
doing it twice does no harm.

Measured (Python 3.11, one core, other work beside it): a whole execution with 50 dict rows of 10 fields, one of them
an object, takes 0.13 to 0.23 ms, by graphql-core alone 1.8 to 3.1 ms. A test compares the answers of both over
generated rows, right and wrong ones, and generated selections.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from asyncio import gather
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import strawberry
from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    Undefined,
)
from graphql.execution.execute import get_field_def
from graphql.pyutils import Path
from strawberry.schema.schema_converter import GraphQLCoreConverter

__all__ = ["PlainExecutionContext", "Tagged", "plain_field", "read_attribute"]

PLAIN = "gwc-plain"
PROJECTORS_MAX = 256
"""Per document; beyond it (many combinations of condition variables) all are dropped and compiled anew when needed."""

Value = Any
Complete = Callable[[Value], Value]
Read = Callable[[Value], Value]
T = TypeVar("T")

_SCALAR_CLASSES = frozenset(
    (str, int, float, bool, decimal.Decimal, datetime.date, datetime.datetime, datetime.time, uuid.UUID)
)


class Unusual(Exception):
    """The projector does not handle this value; graphql-core must."""


class Tagged:
    """An entity on its way to completion: a union's value has to say its type, and a row does not know it."""

    __slots__ = ("typename", "value")

    def __init__(self, typename: str, value: Any) -> None:
        self.typename = typename
        self.value = value


def read_attribute(source: Any, name: str) -> Any:
    """How a field without a resolver is read: by key from a dict, by attribute from anything else."""
    return source.get(name) if type(source) is dict else getattr(source, name)


def plain_field(read: Callable[[Any], T], **options: Any) -> Any:
    """A Strawberry field read by a cheap, pure, synchronous function of its parent alone.

    `read`'s parameter must be named `root` (Strawberry's name for the parent).
    """
    return strawberry.field(resolver=read, metadata={PLAIN: read}, **options)


class PlainExecutionContext(ExecutionContext):
    """graphql-core's execution with plain selections projected at once."""

    projectors: dict[Any, Projector]
    """Those of the document; set by whoever builds the context, so that they outlive one execution."""
    conditions: tuple[Any, ...] = ()

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        item_type = _nullable(return_type.of_type)
        if isinstance(item_type, GraphQLObjectType) and type(result) in (list, tuple):
            projector = self._projector(item_type, field_nodes)
            if not projector.special:
                try:
                    return _complete_list(projector.project, return_type.of_type)(result)
                except Exception:  # whatever is wrong, graphql-core says it in its own way
                    pass
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        projector = self._projector(return_type, field_nodes)
        if projector.plain:
            try:
                plain = projector.project(result)
            except Exception:
                return super().complete_object_value(return_type, field_nodes, info, path, result)
            return self._with_special(projector, plain, result, path) if projector.special else plain
        return super().complete_object_value(return_type, field_nodes, info, path, result)

    def complete_abstract_value(
        self,
        return_type: GraphQLAbstractType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        if isinstance(result, Tagged):
            type_ = self.schema.type_map[result.typename]
            if isinstance(type_, GraphQLObjectType):
                return self.complete_object_value(type_, field_nodes, info, path, result.value)
        return super().complete_abstract_value(return_type, field_nodes, info, path, result)

    def _with_special(self, projector: Projector, plain: dict[str, Any], source: Any, path: Path) -> Any:
        """`execute_fields`, for those fields that are not in `plain` already."""
        type_ = projector.type
        awaited: list[str] = []
        for key, nodes in projector.special.items():
            value = self.execute_field(type_, source, nodes, Path(path, key, type_.name))
            if value is not Undefined:
                plain[key] = value
                if self.is_awaitable(value):
                    awaited.append(key)
        results = {key: plain[key] for key in projector.keys if key in plain}
        return _settled(results, awaited) if awaited else results

    def _projector(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Projector:
        key = (type_.name, self.conditions, *map(id, nodes))
        projector = self.projectors.get(key)
        if projector is None:
            projector = self._compile(type_, nodes)
            if len(self.projectors) >= PROJECTORS_MAX:
                self.projectors.clear()
            self.projectors[key] = projector
        return projector

    def _compile(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Projector:
        projector = Projector(type_)
        for key, field_nodes in self.collect_subfields(type_, nodes).items():
            projector.keys.append(key)
            reader = self._compile_field(type_, field_nodes)
            if reader is None:
                projector.special[key] = field_nodes
            else:
                projector.plain.append((key, *reader))
        return projector

    def _compile_field(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> _Reader | None:
        name = nodes[0].name.value
        if name == "__typename":
            return None, lambda _source: type_.name, lambda value: value
        definition = get_field_def(self.schema, type_, nodes[0])
        if definition is None or definition.args or self.middleware_manager is not None:
            return None
        field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field is None:
            return None
        complete = self._compile_value(definition.type, nodes)
        if complete is None:
            return None
        cheap = field.metadata.get(PLAIN)
        if cheap is not None and not field.permission_classes and not field.extensions:
            return None, cheap, complete
        if field.is_basic_field and field.default_resolver is read_attribute:
            return field.python_name, None, complete
        return None

    def _compile_value(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Complete | None:
        if isinstance(type_, GraphQLNonNull):
            inner = self._compile_value(type_.of_type, nodes)
            return None if inner is None else _non_null(inner)
        if isinstance(type_, GraphQLList):
            item = self._compile_value(_nullable(type_.of_type), nodes)
            return None if item is None else _complete_list(item, type_.of_type)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return _complete_leaf(type_)
        if isinstance(type_, GraphQLObjectType):
            projector = self._projector(type_, nodes)
            return None if projector.special else projector.project
        return None


_Reader = tuple[str | None, Read | None, Complete]


class Projector:
    """A compiled selection on one object type."""

    __slots__ = ("keys", "plain", "special", "type")

    def __init__(self, type_: GraphQLObjectType) -> None:
        self.type = type_
        self.keys: list[str] = []
        self.plain: list[tuple[str, str | None, Read | None, Complete]] = []
        """(response key, attribute or None, reader or None, completion)"""
        self.special: dict[str, list[FieldNode]] = {}

    def project(self, source: Any) -> dict[str, Any]:
        """The plain fields of one value. Raises on anything unusual."""
        is_type_of = self.type.is_type_of
        if type(source) is dict:
            if is_type_of is not None and source.get("__typename", self.type.name) != self.type.name:
                raise Unusual
            get = source.get
            return {
                key: complete(get(name) if read is None else read(source)) for key, name, read, complete in self.plain
            }
        if isinstance(source, Exception) or hasattr(source, "__await__"):
            raise Unusual
        if is_type_of is not None and is_type_of(source, _NO_INFO) is not True:
            raise Unusual
        return {
            key: complete(getattr(source, name) if read is None else read(source))  # type: ignore[arg-type]
            for key, name, read, complete in self.plain
        }


_NO_INFO: Any = None


def _nullable(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _non_null(complete: Complete) -> Complete:
    def complete_non_null(value: Value) -> Value:
        completed = complete(value)
        if completed is None:
            raise Unusual
        return completed

    return complete_non_null


def _complete_list(item: Complete, declared_item: Any) -> Complete:
    required = isinstance(declared_item, GraphQLNonNull)

    def complete_list(value: Value) -> Value:
        if value is None:
            return None
        if type(value) is not list and type(value) is not tuple:
            raise Unusual
        completed = [None if one is None else item(one) for one in value]
        if required and None in completed:
            raise Unusual
        return completed

    return complete_list


def _complete_leaf(type_: GraphQLScalarType | GraphQLEnumType) -> Complete:
    """Serialise known classes only: a custom scalar's `serialize` may well make a text of a coroutine."""
    as_is = _AS_IS.get(type_.name)
    serialize = type_.serialize

    def complete_leaf(value: Value) -> Value:
        if value is None:
            return None
        kind = type(value)
        if kind is as_is:
            return value
        if kind not in _SCALAR_CLASSES and not isinstance(value, enum.Enum):
            raise Unusual
        serialized = serialize(value)
        if serialized is None or serialized is Undefined:
            raise Unusual
        return serialized

    return complete_leaf


_AS_IS: dict[str, type] = {"String": str, "ID": str, "Boolean": bool}
"""Classes whose values the specified scalars serialise to themselves."""


async def _settled(results: dict[str, Any], awaited: list[str]) -> dict[str, Any]:
    values: list[Any] = await gather(*(_await(results[key]) for key in awaited))
    results.update(zip(awaited, values, strict=True))
    return results


async def _await(value: Awaitable[Any]) -> Any:
    return await value
