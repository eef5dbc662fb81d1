"""Documents: text → parsed, validated, remembered. Parsing costs about 1 ms and validating 5 ms, running often less,
so a document is judged once and kept by its text in a bounded LRU.

Bounds come first: tokens while parsing, nesting of selections before fragments are followed, and again after
validation has ruled cycles of fragments out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    parse,
    validate,
)

from subgraphs.kit.errors import CodedError

__all__ = ["Document", "DocumentCache", "DocumentLimits", "InvalidDocument"]

VALIDATION_ERRORS_MAX = 20
CONDITIONS_MAX = 64
"""Combinations of values of condition variables; beyond them selections are collected anew when needed."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    tokens_max: int = 15_000
    depth_max: int = 30
    cached_max: int = 1_000
    cached_text_length_max: int = 65_536


@dataclass(slots=True)
class Document:
    """A valid document and what has been compiled for it."""

    node: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    condition_variables: tuple[str, ...]
    """Variables that `@skip` and `@include` name: compiled selections depend on their values."""
    projectors: dict[Any, Any] = field(default_factory=dict)
    arguments: dict[int, Any] = field(default_factory=dict)
    """By the field's node, which lives as long as the document."""
    selections: dict[Any, dict[Any, Any]] = field(default_factory=dict)
    """By the values of the condition variables."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        if name is not None:
            if name not in self.operations:
                raise CodedError(f"the document has no operation named {name!r}", code="BAD_USER_INPUT")
            return self.operations[name]
        if len(self.operations) != 1:
            raise CodedError("the document has several operations: operationName is needed", code="BAD_USER_INPUT")
        return next(iter(self.operations.values()))

    def selections_with(self, conditions: Hashable) -> dict[Any, Any]:
        """What is kept of selections under these values of the condition variables."""
        if conditions not in self.selections and len(self.selections) >= CONDITIONS_MAX:
            self.selections.clear()
        return self.selections.setdefault(conditions, {})

    def is_subscription(self, name: str | None) -> bool:
        return self.operation(name).operation is OperationType.SUBSCRIPTION


class InvalidDocument(Exception):
    """The text is no valid document for the schema; `errors` say why, each with its code."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class DocumentCache:
    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits | None = None) -> None:
        self._schema = schema
        self._limits = limits or DocumentLimits()
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of this text. Raises `InvalidDocument`."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept
        document = self._judge(text)
        if len(text) <= self._limits.cached_text_length_max:
            self._kept[text] = document
            if len(self._kept) > self._limits.cached_max:
                self._kept.popitem(last=False)
        return document

    def _judge(self, text: str) -> Document:
        node = self._parse(text)
        try:
            _check_depth(node, self._limits.depth_max, fragments=None)
            errors = validate(self._schema, node, max_errors=VALIDATION_ERRORS_MAX)
            if errors:
                raise InvalidDocument([_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])
            fragments = {d.name.value: d for d in node.definitions if isinstance(d, FragmentDefinitionNode)}
            _check_depth(node, self._limits.depth_max, fragments)
        except RecursionError:
            raise _too_deep() from None
        operations = {
            definition.name.value if definition.name else None: definition
            for definition in node.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        if not operations:
            error = GraphQLError("the document has no operation", extensions={"code": "GRAPHQL_VALIDATION_FAILED"})
            raise InvalidDocument([error])
        return Document(node, operations, _condition_variables(node))

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens_max)
        except GraphQLSyntaxError as error:
            raise InvalidDocument([_coded(error, "GRAPHQL_PARSE_FAILED")]) from None
        except RecursionError:
            pass
        raise _too_deep()


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    return GraphQLError(error.message, error.nodes, error.source, error.positions, extensions={"code": code})


def _too_deep() -> InvalidDocument:
    message = "the document is nested too deeply"
    return InvalidDocument([GraphQLError(message, extensions={"code": "QUERY_TOO_DEEP"})])


def _check_depth(node: DocumentNode, depth_max: int, fragments: dict[str, FragmentDefinitionNode] | None) -> None:
    known: dict[str, int] = {}

    def depth(selection_set: SelectionSetNode | None) -> int:
        if selection_set is None:
            return 0
        deepest = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                below = 1 + depth(selection.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                below = depth(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and fragments is not None:
                name = selection.name.value
                if name not in known:
                    known[name] = depth(fragments[name].selection_set)
                below = known[name]
            else:
                below = 0
            deepest = max(deepest, below)
        return deepest

    for definition in node.definitions:
        selection_set = getattr(definition, "selection_set", None)
        if selection_set is not None and depth(selection_set) > depth_max:
            raise _too_deep()


def _condition_variables(node: DocumentNode) -> tuple[str, ...]:
    found: set[str] = set()

    def visit(selection_set: SelectionSetNode | None) -> None:
        for selection in selection_set.selections if selection_set is not None else ():
            for directive in selection.directives:
                if directive.name.value in ("skip", "include"):
                    found.update(a.value.name.value for a in directive.arguments if isinstance(a.value, VariableNode))
            visit(getattr(selection, "selection_set", None))

    for definition in node.definitions:
        visit(getattr(definition, "selection_set", None))
    return tuple(sorted(found))
