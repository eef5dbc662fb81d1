"""A schema made ready to be served, and how one operation on it is run. Many apps (members) may share one."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    default_type_resolver,
)
from graphql.execution.subscribe import create_source_event_stream
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

from subgraphs.kit.documents import Document, DocumentCache, DocumentLimits
from subgraphs.kit.entities import EntityResolver, with_federation
from subgraphs.kit.errors import CodedError
from subgraphs.kit.plain import PlainExecutionContext, read_attribute
from subgraphs.kit.sdl import apply_descriptions, differences, entity_types, read_sdl

__all__ = ["ServedSchema", "strawberry_config"]

_DICT_AWARE = "gwc-dict-aware"


def strawberry_config() -> StrawberryConfig:
    """The configuration that lets Strawberry's fields read rows (dicts) as well as objects, and be projected."""
    return StrawberryConfig(default_resolver=read_attribute, name_converter=_Names())


class _Names(NameConverter):
    """Strawberry asks for the name of every field of an input type whenever a value of it is converted."""

    apply_naming_config = staticmethod(lru_cache(maxsize=4096)(NameConverter().apply_naming_config))


class ServedSchema:
    """A Strawberry schema with its published SDL: described by it, federated, with caches of documents.

    The published file is the contract; `problems()` lists departures from it, and a test holds it empty.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        sdl: str,
        entities: Mapping[str, EntityResolver] | None = None,
        limits: DocumentLimits | None = None,
    ) -> None:
        """`entities`: how each type with a resolvable `@key` is found again; all of the file's must be given."""
        expected = entity_types(sdl)
        if set(expected) != set(entities or {}):
            raise ValueError(f"the file's entities are {expected}, resolvers are given for {sorted(entities or {})}")
        core = schema._schema
        self._contract = read_sdl(sdl)
        apply_descriptions(core, self._contract)
        _accept_rows(core)
        self.sdl = sdl
        self.schema: GraphQLSchema = with_federation(core, sdl, entities or {})
        self.documents = DocumentCache(self.schema, limits)

    def problems(self) -> list[str]:
        return differences(self.schema, self._contract)

    async def execute(
        self,
        document: Document,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        context: Any,
        root: Any = None,
    ) -> ExecutionResult:
        """Run a query or mutation, or complete one event (`root`) of a subscription."""
        execution = PlainExecutionContext.build(
            self.schema,
            document.node,
            root,
            context,
            dict(variables or {}),
            operation_name,
            type_resolver=_type_of_row,
        )
        if isinstance(execution, list):
            return ExecutionResult(None, [_bad_variables(error) for error in execution])
        assert isinstance(execution, PlainExecutionContext)
        execution.projectors, execution.arguments = document.projectors, document.arguments
        execution.conditions = tuple(execution.variable_values.get(name) for name in document.condition_variables)
        execution.selections = document.selections_with(execution.conditions)
        errors = execution.collected_errors
        try:
            data = execution.execute_operation(execution.operation, root)
            if inspect.isawaitable(data):
                data = await data
        except GraphQLError as error:
            errors.add(error, None)
            data = None
        return execution.build_response(data, errors.errors)

    async def subscribe(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any] | None, context: Any
    ) -> AsyncIterator[Any] | ExecutionResult:
        """The source events of a subscription; complete each with `execute`."""
        stream = await create_source_event_stream(
            self.schema,
            document.node,
            context_value=context,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
        )
        return stream if isinstance(stream, ExecutionResult) else aiter(stream)


def _bad_variables(error: GraphQLError) -> GraphQLError:
    coded = CodedError(error.message, code="BAD_USER_INPUT")
    return GraphQLError(error.message, error.nodes, error.source, error.positions, original_error=coded)


def _type_of_row(value: Any, info: Any, type_: Any) -> Any:
    return value.get("__typename") if type(value) is dict else default_type_resolver(value, info, type_)


def _accept_rows(schema: GraphQLSchema) -> None:
    """Let rows (dicts) stand for types that implement interfaces: Strawberry asks for instances of its classes."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.is_type_of is None:
            continue
        if _DICT_AWARE in type_.extensions:
            continue
        type_.is_type_of = _row_or(type_.is_type_of, type_.name)
        type_.extensions = {**type_.extensions, _DICT_AWARE: True}


def _row_or(is_type_of: Any, name: str) -> Any:
    def accepts(value: Any, info: Any) -> Any:
        if type(value) is dict:
            return value.get("__typename", name) == name
        return is_type_of(value, info)

    return accepts
