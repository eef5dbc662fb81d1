"""Stage 1: the operation that was asked for, flat: no fragments, no constant conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from copy import copy
from dataclasses import dataclass, replace
from itertools import count

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    print_ast,
    strip_ignored_characters,
)

from gateway.language.errors import Code
from gateway.planning.costs import EXPANDED_FIELDS_MAX, Budget, refused
from gateway.query_graph.selection import Conditions, Flattener, Selected, SelectionSet, TypeTable, print_value

__all__ = ["Operation", "introspection_text", "normalise"]

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Operation:
    kind: str
    root_type: str
    selections: SelectionSet
    """Without introspection."""
    output: SelectionSet
    """Everything."""
    variables: Mapping[str, str]
    """Name → its definition as text, `$first:Int=10`, in the order of the client."""
    introspection: str | None
    variables_named_representations: str
    """The name that entity fetches may use for their own variable."""


def normalise(document: DocumentNode, operation_name: str | None, types: TypeTable) -> Operation:
    definition = _choose(document, operation_name)
    kind = definition.operation.value
    root = types.schema.get_root_type(definition.operation)
    if root is None:
        raise refused(Code.PLANNING_IMPOSSIBLE, f"The schema has no {kind} type.")
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    budget = Budget(EXPANDED_FIELDS_MAX, "fields after its fragments are written out")
    written = Flattener(types, fragments, budget.spend).flatten(definition.selection_set, root.name)
    flat = _Placing({one.key for one in written.fields}).placed(written)
    variables = {
        one.variable.name.value: f"${one.variable.name.value}:{print_ast(one.type)}"
        + (f"={print_value(one.default_value)}" if one.default_value is not None else "")
        for one in definition.variable_definitions or ()
    }
    return Operation(
        kind=kind,
        root_type=root.name,
        selections=_without_introspection(flat),
        output=flat,
        variables=variables,
        introspection=introspection_text(flat, definition, fragments),
        variables_named_representations=_unused("representations", variables),
    )


def _choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name is not None:
        operations = [one for one in operations if one.name is not None and one.name.value == name]
    if len(operations) != 1:
        told = f'operation "{name}"' if name is not None else "one operation, or the name of the one to run"
        raise refused(Code.OPERATION_RESOLUTION_FAILURE, f"The document must have {told}.")
    return operations[0]


def _unused(name: str, variables: Mapping[str, str]) -> str:
    while name in variables:
        name = f"_g_{name}"
    return name


def introspection_text(
    flat: SelectionSet, definition: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> str | None:
    """An operation of the introspection fields alone, with the fragments and variables they use."""
    fields = list(_introspection(flat))
    if not fields:
        return None
    used: dict[str, FragmentDefinitionNode] = {}
    for one in fields:
        assert one.node is not None
        if one.node.selection_set is not None:
            _collect_fragments(one.node.selection_set, fragments, used)
    body = " ".join(_with_conditions(one) for one in fields)
    texts = [body, *(print_ast(one) for one in used.values())]
    variables = [
        print_ast(one)
        for one in definition.variable_definitions or ()
        if any(_mentions(text, one.variable.name.value) for text in texts)
    ]
    head = f"query({', '.join(variables)})" if variables else "query"
    return strip_ignored_characters(f"{head} {{ {body} }} {' '.join(texts[1:])}")


class _Placing:
    """The query root may stand below a field, and introspection in it. It is asked for in one operation with all other,
    so each place gets a key of its own there: the alias of the node."""

    def __init__(self, taken: Set[str]) -> None:
        self._taken = taken
        self._keys: dict[tuple[str, ...], str] = {}

    def placed(self, selections: SelectionSet, path: tuple[str, ...] = ()) -> SelectionSet:
        fields = tuple(self._placed(one, (*path, one.key)) for one in selections.fields)
        unchanged = all(one is other for one, other in zip(fields, selections.fields, strict=True))
        return selections if unchanged else SelectionSet(fields)

    def _placed(self, one: Selected, path: tuple[str, ...]) -> Selected:
        if one.children is not None:
            children = self.placed(one.children, path)
            return one if children is one.children else one.with_children(children)
        if one.name not in INTROSPECTION_FIELDS or len(path) == 1:
            return one
        assert one.node is not None
        if path not in self._keys:
            numbered = (f"_g{number}_{one.key}" for number in count(len(self._keys) + 1))
            self._keys[path] = next(key for key in numbered if key not in self._taken)
        node = copy(one.node)
        node.alias = NameNode(value=self._keys[path])
        return replace(one, node=node)


def _introspection(selections: SelectionSet) -> Iterator[Selected]:
    for one in selections.fields:
        if one.name in INTROSPECTION_FIELDS:
            yield one
        elif one.children is not None:
            yield from _introspection(one.children)


def _without_introspection(selections: SelectionSet) -> SelectionSet:
    if not any(_introspection(selections)):
        return selections
    return SelectionSet(
        tuple(
            one if one.children is None else one.with_children(_without_introspection(one.children))
            for one in selections.fields
            if one.name not in INTROSPECTION_FIELDS
        )
    )


def _with_conditions(one: Selected) -> str:
    assert one.node is not None
    text = print_ast(one.node)
    outer: Conditions = one.conditions
    for name, wanted in outer:
        text = f"... @{'include' if wanted else 'skip'}(if: ${name}) {{ {text} }}"
    return text


def _mentions(text: str, variable: str) -> bool:
    at = text.find(f"${variable}")
    while at >= 0:
        following = text[at + len(variable) + 1 : at + len(variable) + 2]
        if not (following.isalnum() or following == "_"):
            return True
        at = text.find(f"${variable}", at + 1)
    return False


def _collect_fragments(
    node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], used: dict[str, FragmentDefinitionNode]
) -> None:
    for name in _spreads(node):
        if name not in used:
            used[name] = fragments[name]
            _collect_fragments(fragments[name].selection_set, fragments, used)


def _spreads(node: SelectionSetNode) -> Iterator[str]:
    for selection in node.selections:
        if isinstance(selection, FragmentSpreadNode):
            yield selection.name.value
            continue
        below = selection.selection_set if isinstance(selection, InlineFragmentNode) else None
        below = below or getattr(selection, "selection_set", None)
        if below is not None:
            yield from _spreads(below)
