"""Where in the client's document a field of the answer was asked for: `locations` of errors.

Worked out from an error's path when there is an error, so plans need not carry positions and one plan serves
documents that differ only in layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_location,
    value_from_ast_untyped,
)

from gateway.language.errors import GatewayError, Location
from gateway.language.paths import ResponsePath
from gateway.language.selections import response_key

__all__ = ["add_locations"]


def add_locations(
    errors: Sequence[GatewayError],
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> list[GatewayError]:
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    locator = _Locator(fragments, variables)
    return [
        error
        if error.locations or not error.path
        else replace(error, locations=locator.locations(error.path, operation))
        for error in errors
    ]


@dataclass(frozen=True, slots=True)
class _Locator:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def locations(self, path: ResponsePath, operation: OperationDefinitionNode) -> tuple[Location, ...]:
        found: list[FieldNode] = []
        sets: list[SelectionSetNode] = [operation.selection_set]
        for key in path:
            if isinstance(key, int):
                continue
            # A fragment that is spread twice asks for its fields once.
            spread: set[str] = set()
            nodes = [node for one in sets for node in self._fields(one, spread) if response_key(node) == key]
            if not nodes:
                break
            found = nodes
            sets = [node.selection_set for node in nodes if node.selection_set is not None]
        return tuple(location for node in found for location in _of(node))

    def _fields(self, selections: SelectionSetNode, spread: set[str]) -> Iterator[FieldNode]:
        for selection in selections.selections:
            if not all(self._is_in_force(one) for one in selection.directives or ()):
                continue
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    yield from self._fields(selection.selection_set, spread)
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name in self.fragments and name not in spread:
                        spread.add(name)
                        yield from self._fields(self.fragments[name].selection_set, spread)
                case _:
                    pass

    def _is_in_force(self, directive: DirectiveNode) -> bool:
        """What is switched off asks for nothing."""
        if directive.name.value not in ("skip", "include"):
            return True
        given = value_from_ast_untyped(directive.arguments[0].value, dict(self.variables))
        return given is (directive.name.value == "include")


def _of(node: FieldNode) -> Iterator[Location]:
    if node.loc is not None:
        at = get_location(node.loc.source, node.loc.start)
        yield Location(at.line, at.column)
