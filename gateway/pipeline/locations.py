"""Where in the client's document a field of the answer was asked for: `locations` of errors.

Worked out from an error's path when there is an error, so plans need not carry positions and one plan serves
documents that differ only in layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_location,
)

from gateway.language.errors import GatewayError, Location
from gateway.language.paths import ResponsePath
from gateway.language.selections import response_key

__all__ = ["add_locations"]


def add_locations(
    errors: Sequence[GatewayError], document: DocumentNode, operation: OperationDefinitionNode
) -> list[GatewayError]:
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return [_located(error, operation, fragments) for error in errors]


def _located(
    error: GatewayError, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> GatewayError:
    if error.locations or not error.path:
        return error
    return replace(error, locations=_locations(error.path, operation, fragments))


def _locations(
    path: ResponsePath, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[Location, ...]:
    found: list[FieldNode] = []
    sets: list[SelectionSetNode] = [operation.selection_set]
    for key in path:
        if isinstance(key, int):
            continue
        nodes = [node for one in sets for node in _fields(one, fragments, set()) if response_key(node) == key]
        if not nodes:
            break
        found = nodes
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
    return tuple(location for node in found for location in _of(node))


def _of(node: FieldNode) -> Iterator[Location]:
    if node.loc is not None:
        at = get_location(node.loc.source, node.loc.start)
        yield Location(at.line, at.column)


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], spread: set[str]
) -> Iterator[FieldNode]:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields(selection.selection_set, fragments, spread)
            case FragmentSpreadNode():
                name = selection.name.value
                if name in fragments and name not in spread:
                    spread.add(name)
                    yield from _fields(fragments[name].selection_set, fragments, spread)
            case _:
                pass
