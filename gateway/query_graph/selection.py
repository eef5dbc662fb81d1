"""Selection sets made flat: every field stands directly in its selection set, with what had been around it noted on it.

Fragments, named or inline, are gone. What they said is kept on each field: the object types it applies to (`types`),
the nearest type it was written on (`on`, to print a fragment again where it is still right), and the variables that
switch it (`conditions`). Constant `@skip` and `@include` are resolved. Both a client's operation and the field sets of
`@key`, `@requires` and `@provides` are read into this one form, so planning treats both alike.

`SelectionSet` and `Selected` compare by identity: search keeps its results by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    print_ast,
)

__all__ = [
    "TYPENAME",
    "Condition",
    "Conditions",
    "Flattener",
    "Selected",
    "SelectionSet",
    "TypeTable",
    "print_value",
    "value_variables",
]

TYPENAME = "__typename"
Condition: TypeAlias = tuple[str, bool]
"""(variable, the value it must have)."""
Conditions: TypeAlias = tuple[Condition, ...]
"""All must hold; sorted, without repetition."""


class TypeTable:
    """Object types behind each composite type of a schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._possible: dict[str, frozenset[str]] = {}

    def possible(self, name: str) -> frozenset[str]:
        found = self._possible.get(name)
        if found is None:
            kind = self.schema.type_map[name]
            if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
                found = frozenset(one.name for one in self.schema.get_possible_types(kind))
            else:
                found = frozenset((name,))
            self._possible[name] = found
        return found

    def is_abstract(self, name: str) -> bool:
        return is_abstract_type(self.schema.type_map[name])

    def is_within(self, name: str, wider: str) -> bool:
        """Whether every field of `wider` is a field of `name` too."""
        kind, around = self.schema.type_map[name], self.schema.type_map[wider]
        return (
            isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
            and isinstance(around, GraphQLInterfaceType)
            and self.schema.is_sub_type(around, kind)
        )

    def field_type(self, parent: str, name: str) -> str:
        """The named type of a field."""
        kind = self.schema.type_map[parent]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        named: GraphQLNamedType = get_named_type(kind.fields[name].type)
        return named.name


@dataclass(eq=False, slots=True)
class Selected:
    """One field that is selected."""

    key: str
    name: str
    on: str
    types: frozenset[str] | None
    """Object types it applies to; None: whatever the object is."""
    arguments: str = ""
    """As text without parentheses: `first:10,after:$after`."""
    signature: str = ""
    """Name and sorted arguments: two fields of equal signature have equal values."""
    conditions: Conditions = ()
    variables: frozenset[str] = frozenset()
    """Those in its arguments."""
    children: SelectionSet | None = None
    node: FieldNode | None = None
    """As the client wrote it; for introspection only."""
    contexts: frozenset[tuple[str, int]] = frozenset()
    """(context, how many objects further up it may be set): where its contextual arguments may come from."""
    is_context: bool = False
    """Selected not by the client but for a contextual argument of a field below."""

    def with_children(self, children: SelectionSet | None) -> Selected:
        return self._changed(self.types, self.conditions, children)

    def restricted(self, types: frozenset[str]) -> Selected:
        return self._changed(types, self.conditions, self.children)

    def under(self, conditions: Conditions) -> Selected:
        return self._changed(self.types, tuple(sorted(conditions)), self.children)

    def bound(self, contexts: frozenset[tuple[str, int]]) -> Selected:
        return replace(self, contexts=contexts)

    def for_context(self) -> Selected:
        return replace(self, is_context=True)

    def _changed(self, types: frozenset[str] | None, conditions: Conditions, children: SelectionSet | None) -> Selected:
        return Selected(
            self.key, self.name, self.on, types, self.arguments, self.signature, conditions, self.variables, children,
            self.node, self.contexts, self.is_context,
        )  # fmt: skip


@dataclass(eq=False, slots=True)
class SelectionSet:
    """Flat fields of one object, in the order in which they were written."""

    fields: tuple[Selected, ...]
    _views: dict[str, tuple[Selected, ...]] = field(default_factory=dict)

    def for_type(self, name: str) -> tuple[Selected, ...]:
        """What applies to an object of this type; the same field selected twice is one field."""
        found = self._views.get(name)
        if found is None:
            applying = [one for one in self.fields if one.types is None or name in one.types]
            found = self._views[name] = merge_same(applying)
        return found

    def for_any_of(self, names: frozenset[str], name: str) -> tuple[Selected, ...]:
        """For an interface object, which stands for any of `names`: restrictions to fewer types are kept."""
        found = self._views.get(name)
        if found is None:
            plain = [one for one in self.fields if one.types is None or names <= one.types]
            kept = [one for one in self.fields if one.types is not None and not names <= one.types]
            if kept:
                # Which of them apply is seen by the real type, whatever conditions they stand under.
                plain.append(Selected(TYPENAME, TYPENAME, name, None, signature=TYPENAME))
            found = self._views[name] = (*merge_same(plain), *kept)
        return found


def merge_same(fields: Iterable[Selected]) -> tuple[Selected, ...]:
    groups: dict[tuple[str, str, Conditions, bool], list[Selected]] = {}
    for one in fields:
        groups.setdefault((one.key, one.signature, one.conditions, one.is_context), []).append(one)
    return tuple(_merged(same) for same in groups.values())


def _merged(same: list[Selected]) -> Selected:
    first = same[0]
    if len(same) == 1 or first.children is None:
        return first
    below = [child for one in same if one.children is not None for child in one.children.fields]
    return first.with_children(SelectionSet(tuple(below)))


@dataclass(slots=True)
class Flattener:
    """Reads AST selection sets; `spend` is called once for each field and may refuse to go on."""

    types: TypeTable
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    spend: Callable[[], None] = lambda: None

    def flatten(self, node: SelectionSetNode, parent: str) -> SelectionSet:
        return SelectionSet(tuple(self._walk(node, parent, None, ())))

    def _walk(
        self, node: SelectionSetNode, on: str, types: frozenset[str] | None, conditions: Conditions
    ) -> Iterator[Selected]:
        for selection in node.selections:
            own = _conditions(selection.directives or ())
            if own is None:
                continue
            all_conditions = _joined(conditions, own)
            if all_conditions is None:
                continue
            match selection:
                case FieldNode():
                    self.spend()
                    yield self._field(selection, on, types, all_conditions)
                case InlineFragmentNode():
                    condition = selection.type_condition.name.value if selection.type_condition else on
                    yield from self._fragment(selection.selection_set, condition, on, types, all_conditions)
                case FragmentSpreadNode():
                    self.spend()
                    fragment = self.fragments[selection.name.value]
                    condition = fragment.type_condition.name.value
                    yield from self._fragment(fragment.selection_set, condition, on, types, all_conditions)
                case _:
                    raise TypeError(f"no such selection: {selection.kind}")

    def _fragment(
        self, node: SelectionSetNode, condition: str, on: str, types: frozenset[str] | None, conditions: Conditions
    ) -> Iterator[Selected]:
        if condition == on:
            yield from self._walk(node, on, types, conditions)
            return
        around = self.types.possible(on) if types is None else types
        inside = self.types.possible(condition) & around
        if inside:
            # A fragment on a wider type (`... on Node` inside an `Asset`) restricts nothing.
            narrows = inside != around
            stays = not narrows and self.types.is_within(on, condition)
            yield from self._walk(node, on if stays else condition, inside if narrows else types, conditions)

    def _field(self, node: FieldNode, on: str, types: frozenset[str] | None, conditions: Conditions) -> Selected:
        name = node.name.value
        arguments = tuple(node.arguments or ())
        written = [f"{one.name.value}:{print_value(one.value)}" for one in arguments]
        children = None
        if node.selection_set is not None and not name.startswith("__"):
            children = self.flatten(node.selection_set, self.types.field_type(on, name))
        return Selected(
            key=node.alias.value if node.alias else name,
            name=name,
            on=on,
            types=types,
            arguments=",".join(written),
            signature=f"{name}({','.join(sorted(written))})" if written else name,
            conditions=conditions,
            variables=frozenset(found for one in arguments for found in value_variables(one.value)),
            children=children,
            node=node if name.startswith("__") else None,
        )


def _conditions(directives: Iterable[DirectiveNode]) -> Conditions | None:
    """What `@skip` and `@include` ask of variables; None when constants exclude the selection."""
    found: set[Condition] = set()
    for directive in directives:
        if directive.name.value not in ("skip", "include"):
            continue
        wanted = directive.name.value == "include"
        value = directive.arguments[0].value
        if isinstance(value, VariableNode):
            found.add((value.name.value, wanted))
        elif isinstance(value, BooleanValueNode) and value.value is not wanted:
            return None
    return tuple(sorted(found))


def _joined(one: Conditions, other: Conditions) -> Conditions | None:
    """Both; None where they contradict each other."""
    if not other:
        return one
    both = set(one) | set(other)
    if any((name, not wanted) in both for name, wanted in both):
        return None
    return tuple(sorted(both))


def print_value(node: ValueNode) -> str:
    """A value as compact GraphQL text."""
    match node:
        case VariableNode():
            return f"${node.name.value}"
        case ListValueNode():
            return f"[{','.join(print_value(one) for one in node.values)}]"
        case ObjectValueNode():
            return "{" + ",".join(f"{one.name.value}:{print_value(one.value)}" for one in node.fields) + "}"
        case _:
            return print_ast(node)


def value_variables(node: ValueNode) -> Iterator[str]:
    match node:
        case VariableNode():
            yield node.name.value
        case ListValueNode():
            for item in node.values:
                yield from value_variables(item)
        case ObjectValueNode():
            for one in node.fields:
                yield from value_variables(one.value)
        case _:
            return
