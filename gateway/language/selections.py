"""Selection sets as values: field sets of directives (`@key(fields: "id owner { id }")`) and what they are made of.

A *field set* is the inside of a selection set, written without its braces. Printing is canonical enough to serve as
a dictionary key: one line, single spaces, arguments as they were written. Order is kept, because plans and
supergraphs show field sets to people; `canonical_field_set` sorts for comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

__all__ = [
    "FieldSetSyntaxError",
    "canonical_field_set",
    "field_paths",
    "make_field",
    "make_inline_fragment",
    "make_selection_set",
    "merge_selection_sets",
    "parse_field_set",
    "print_selection_set",
    "response_key",
    "top_keys",
    "variable_names",
]


class FieldSetSyntaxError(ValueError):
    """The text of a field set is no selection set."""


def parse_field_set(text: str) -> SelectionSetNode:
    """`id owner { id }` (braces around the whole are allowed, as old composers write them)."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    try:
        document = parse(f"{{ {inner} }}", no_location=True)
    except GraphQLSyntaxError as error:
        raise FieldSetSyntaxError(f'"{text}" is not a field set: {error.message}') from None
    definition = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(definition, OperationDefinitionNode):
        raise FieldSetSyntaxError(f'"{text}" is not a field set: it closes a brace it did not open.')
    return definition.selection_set


def print_selection_set(selections: SelectionSetNode | None) -> str:
    """The inside of the selection set on one line: `id owner { id }`."""
    if selections is None:
        return ""
    return " ".join(_print_selection(selection) for selection in selections.selections)


def _print_selection(selection: SelectionNode) -> str:
    directives = "".join(f" {print_ast(directive)}" for directive in selection.directives or ())
    match selection:
        case FieldNode():
            alias = f"{selection.alias.value}: " if selection.alias else ""
            arguments = ", ".join(print_ast(argument) for argument in selection.arguments or ())
            head = f"{alias}{selection.name.value}{f'({arguments})' if arguments else ''}{directives}"
            below = selection.selection_set
        case InlineFragmentNode():
            condition = f" on {selection.type_condition.name.value}" if selection.type_condition else ""
            head = f"...{condition}{directives}"
            below = selection.selection_set
        case FragmentSpreadNode():
            return f"...{selection.name.value}{directives}"
        case _:
            raise TypeError(f"no such selection: {selection!r}")
    return f"{head} {{ {print_selection_set(below)} }}" if below else head


def canonical_field_set(selections: SelectionSetNode) -> str:
    """One text for all field sets that say the same: duplicates merged, order and arguments sorted."""
    merged = merge_selection_sets([selections])
    return " ".join(sorted(_canonical_selection(selection) for selection in merged.selections))


def _canonical_selection(selection: SelectionNode) -> str:
    below = getattr(selection, "selection_set", None)
    inner = f" {{ {canonical_field_set(below)} }}" if below else ""
    return _selection_key(selection) + inner


def response_key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


SelectionKey: TypeAlias = str


def _selection_key(selection: SelectionNode) -> SelectionKey:
    """Selections with the same key may be merged: same kind, name, alias, arguments, directives, type condition."""
    directives = "".join(f" {print_ast(directive)}" for directive in selection.directives or ())
    match selection:
        case FieldNode():
            alias = f"{selection.alias.value}: " if selection.alias else ""
            arguments = ", ".join(sorted(print_ast(argument) for argument in selection.arguments or ()))
            return f"{alias}{selection.name.value}{f'({arguments})' if arguments else ''}{directives}"
        case InlineFragmentNode():
            condition = f" on {selection.type_condition.name.value}" if selection.type_condition else ""
            return f"...{condition}{directives}"
        case _:
            return _print_selection(selection)


def merge_selection_sets(sets: Iterable[SelectionSetNode]) -> SelectionSetNode:
    """One selection set that selects what all of them select; first come, first placed."""
    found: dict[SelectionKey, list[SelectionNode]] = {}
    for selections in sets:
        for selection in selections.selections:
            found.setdefault(_selection_key(selection), []).append(selection)
    return SelectionSetNode(selections=tuple(_merge_same(same) for same in found.values()))


def _merge_same(same: list[SelectionNode]) -> SelectionNode:
    first = same[0]
    below = [inner for one in same if (inner := getattr(one, "selection_set", None)) is not None]
    match first:
        case FieldNode() if below:
            return FieldNode(
                alias=first.alias,
                name=first.name,
                arguments=first.arguments,
                directives=first.directives,
                selection_set=merge_selection_sets(below),
            )
        case InlineFragmentNode():
            return InlineFragmentNode(
                type_condition=first.type_condition,
                directives=first.directives,
                selection_set=merge_selection_sets(below),
            )
        case _:
            return first


def field_paths(selections: SelectionSetNode, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each leaf as its way of field names; inline fragments are looked through."""
    for selection in selections.selections:
        match selection:
            case FieldNode(selection_set=None):
                yield (*prefix, selection.name.value)
            case FieldNode(selection_set=SelectionSetNode() as below):
                yield from field_paths(below, (*prefix, selection.name.value))
            case InlineFragmentNode():
                yield from field_paths(selection.selection_set, prefix)
            case _:
                raise TypeError(f"a field set holds no {selection.kind}")


def top_keys(operation: str) -> Iterator[str]:
    """The response keys of the objects that an entity operation asks for, whatever their types."""
    [definition] = parse(operation, no_location=True).definitions
    assert isinstance(definition, OperationDefinitionNode)
    for root in definition.selection_set.selections:
        assert isinstance(root, FieldNode)
        assert root.selection_set is not None
        yield from _keys(root.selection_set)


def _keys(selections: SelectionSetNode) -> Iterator[str]:
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield response_key(selection)
        elif isinstance(selection, InlineFragmentNode):
            yield from _keys(selection.selection_set)


def make_selection_set(selections: Iterable[SelectionNode]) -> SelectionSetNode:
    return SelectionSetNode(selections=tuple(selections))


def make_field(name: str, below: SelectionSetNode | None = None, alias: str | None = None) -> FieldNode:
    return FieldNode(
        alias=NameNode(value=alias) if alias else None,
        name=NameNode(value=name),
        arguments=(),
        directives=(),
        selection_set=below,
    )


def make_inline_fragment(type_name: str, below: SelectionSetNode) -> InlineFragmentNode:
    return InlineFragmentNode(
        type_condition=NamedTypeNode(name=NameNode(value=type_name)), directives=(), selection_set=below
    )


def variable_names(*nodes: Node) -> frozenset[str]:
    """The variables used in these nodes and below, directives included."""
    found: set[str] = set()

    class Reader(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            found.add(node.name.value)

    reader = Reader()
    for one in nodes:
        visit(one, reader)
    return frozenset(found)
