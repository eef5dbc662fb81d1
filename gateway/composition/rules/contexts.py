"""`@context` and `@fromContext`: CONTEXT_…, NO_CONTEXT_IN_SELECTION.

The value of a contextual argument is one leaf: `$account { currency }`, `$account { owner { name } }`, or a field for
each object type that may set the context, `$account ... on Giro { currency } ... on Depot { unit }`. A value may always
be missing, whatever its field promises, so the argument and what is in its lists must be nullable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    FieldNode,
    InlineFragmentNode,
    ListTypeNode,
    NonNullTypeNode,
    SelectionNode,
    SelectionSetNode,
    TypeNode,
    print_ast,
)

from gateway.composition.contexts import context_setters, contexts_of
from gateway.composition.merge.values import is_required
from gateway.composition.model import Report
from gateway.composition.rules.field_sets import COMPOSITE
from gateway.composition.subgraph import FromContext, Subgraph, SubgraphField, SubgraphType, SubgraphValue, TypeKind
from gateway.supergraph.elements import named_type

__all__ = ["check_contexts"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def check_contexts(subgraph: Subgraph, report: Report) -> None:
    _check_names(subgraph, report)
    _check_definitions(subgraph, report)
    setters = context_setters(subgraph)
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            for argument in field.arguments.values():
                if argument.from_context is not None:
                    _Argument(subgraph, report, type_, field, argument, argument.from_context).check(setters)


def _check_names(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for name, node in contexts_of(subgraph, type_):
            if not _NAME.fullmatch(name):
                fault = "may not contain an underscore" if "_" in name else "should have only letters and digits"
                report.error(
                    "CONTEXT_NAME_INVALID",
                    f'[{subgraph.name}] Context name "{name}" is invalid: it {fault}.',
                    [(subgraph.name, node)],
                )


def _check_definitions(subgraph: Subgraph, report: Report) -> None:
    for definition in subgraph.directives.values():
        for argument in definition.arguments:
            for node in _applied(subgraph, argument.directives or ()):
                report.error(
                    "CONTEXT_NOT_SET",
                    f"[{subgraph.name}] @fromContext cannot be used on an argument of a directive:"
                    f' "@{definition.name.value}({argument.name.value}:)".',
                    [(subgraph.name, node)],
                )


def _applied(subgraph: Subgraph, directives: Sequence[ConstDirectiveNode]) -> Iterator[ConstDirectiveNode]:
    return (one for one in directives if subgraph.directive_names.get(one.name.value) == "fromContext")


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument with `@fromContext`."""

    subgraph: Subgraph
    report: Report
    type: SubgraphType
    field: SubgraphField
    argument: SubgraphValue
    given: FromContext

    @property
    def coordinate(self) -> str:
        return f"{self.type.name}.{self.field.name}({self.argument.name}:)"

    def error(self, code: str, message: str) -> None:
        self.report.error(code, f"[{self.subgraph.name}] {message}", [(self.subgraph.name, self.given.node)])

    def refuse(self, why: str) -> None:
        text = f'Context "{self.given.context}" is used in "{self.coordinate}" but the selection is invalid: {why}.'
        self.error("CONTEXT_INVALID_SELECTION", text)

    def check(self, setters: dict[str, list[str]]) -> None:
        if self.type.kind is TypeKind.INTERFACE:
            self.error(
                "CONTEXT_NOT_SET", f'@fromContext cannot be used on a field of an interface: "{self.coordinate}".'
            )
            return
        self.check_place()
        if self.given.context is None:
            self.error(
                "NO_CONTEXT_IN_SELECTION",
                f'@fromContext of "{self.coordinate}" does not reference a context and a field of it: "{self.given.text}".',
            )
        elif self.given.context not in setters:
            self.error(
                "CONTEXT_NOT_SET",
                f'Context "{self.given.context}" is used at location "{self.coordinate}" but is never set.',
            )
        else:
            self.check_selection(setters[self.given.context])

    def check_place(self) -> None:
        for interface in self.type.interfaces:
            declared = self.subgraph.types.get(interface)
            if declared is not None and self.field.name in declared.fields:
                self.error(
                    "CONTEXT_NOT_SET",
                    f'@fromContext cannot be used on "{self.coordinate}": the field implements'
                    f' "{interface}.{self.field.name}".',
                )
        if self.argument.default is not None:
            self.error("CONTEXT_NOT_SET", f'@fromContext arguments may not have a default value: "{self.coordinate}".')
        if not any(key.resolvable for key in self.type.keys):
            self.error(
                "CONTEXT_NO_RESOLVABLE_KEY",
                f'Type "{self.type.name}" has no resolvable key but has a field with a contextual argument:'
                f' "{self.coordinate}".',
            )

    # What is selected

    def check_selection(self, setters: list[str]) -> None:
        if self.given.selections is None:
            self.refuse(self.given.problem)
            return
        faults = [*_format_faults(self.given.selections)]
        if faults:
            self.refuse(faults[0])
            return
        chosen = self.given.selections.selections
        if isinstance(chosen[0], FieldNode):
            for setter in setters:
                self.check_value(setter, chosen[0])
        else:
            self.check_fragments(setters, [one for one in chosen if isinstance(one, InlineFragmentNode)])

    def check_fragments(self, setters: list[str], fragments: list[InlineFragmentNode]) -> None:
        used: set[str] = set()
        for setter in setters:
            matching = [one for one in fragments if self.meets(_condition(one), setter)]
            used.update(map(_condition, matching))
            if not matching:
                self.refuse(f'no type condition matches the location "{setter}"')
        for one in fragments:
            field = one.selection_set.selections[0]
            assert isinstance(field, FieldNode)
            if _condition(one) not in self.subgraph.possible_types(_condition(one)):
                self.refuse(f'type condition "{_condition(one)}" is no object type')
            elif _condition(one) not in used:
                self.refuse(f'type condition "{_condition(one)}" is never used')
            else:
                self.check_value(_condition(one), field)

    def meets(self, condition: str, setter: str) -> bool:
        return condition in self.subgraph.possible_types(setter)

    def check_value(self, type_name: str, node: FieldNode) -> None:
        try:
            given, wanted = self.value_type(type_name, node), print_ast(self.argument.type)
        except _NoValue as fault:
            self.refuse(str(fault))
            return
        if given != wanted:
            self.refuse(f'the type of the selection "{given}" does not match the expected type "{wanted}"')

    def value_type(self, type_name: str, node: FieldNode) -> str:
        """The type of what is selected, without promises. Lists on the way make it a list."""
        type_ = self.subgraph.types.get(type_name)
        if type_ is not None and type_.is_interface_object:
            raise _NoValue(f'one of the types in the selection is an interfaceObject: "{type_name}"')
        field = type_.fields.get(node.name.value) if type_ is not None else None
        if field is None:
            raise _NoValue(f'cannot query field "{node.name.value}" on type "{type_name}"')
        missing = [name for name, one in field.arguments.items() if is_required(one) and name not in _given(node)]
        if missing:
            raise _NoValue(f'"{type_name}.{field.name}" needs its argument "{missing[0]}"')
        target = named_type(field.type)
        is_composite = target in self.subgraph.types and self.subgraph.types[target].kind in COMPOSITE
        if is_composite != (node.selection_set is not None):
            raise _NoValue(
                f'"{type_name}.{field.name}" {"needs a selection of subfields" if is_composite else "has no subfields"}'
            )
        if node.selection_set is None:
            return _in_lists(field.type, target)
        inner = node.selection_set.selections[0]
        assert isinstance(inner, FieldNode)
        return _in_lists(field.type, self.value_type(target, inner))


class _NoValue(Exception):
    """The selection gives no value; the message says why."""


def _given(node: FieldNode) -> set[str]:
    return {one.name.value for one in node.arguments or ()}


def _condition(node: InlineFragmentNode) -> str:
    return node.type_condition.name.value if node.type_condition else ""


def _format_faults(selections: SelectionSetNode) -> Iterator[str]:
    first = selections.selections[0]
    if isinstance(first, InlineFragmentNode):
        conditions = [_condition(one) for one in selections.selections if isinstance(one, InlineFragmentNode)]
        if len(conditions) < len(selections.selections):
            yield "multiple selections are made"
        if len(set(conditions)) < len(conditions) or "" in conditions:
            yield "each type condition may stand once, and none may be without a type"
        for one in selections.selections:
            yield from _marks_faults(one)
            if isinstance(one, InlineFragmentNode):
                yield from _field_faults(one.selection_set.selections)
    else:
        yield from _field_faults(selections.selections)


def _field_faults(selections: Sequence[SelectionNode]) -> Iterator[str]:
    one = selections[0]
    if len(selections) > 1:
        yield "multiple selections are made"
    elif not isinstance(one, FieldNode):
        yield "fragments are allowed at its beginning only, and named ones nowhere"
    else:
        yield from _marks_faults(one)
        if one.alias is not None:
            yield "aliases are not allowed in the selection"
        if one.selection_set is not None:
            yield from _field_faults(one.selection_set.selections)


def _marks_faults(node: SelectionNode) -> Iterator[str]:
    if node.directives:
        yield "directives are not allowed in the selection"


def _in_lists(outer: TypeNode, inner: str) -> str:
    """`[Owner!]!`, `Name` → `[Name]`."""
    if isinstance(outer, NonNullTypeNode):
        return _in_lists(outer.type, inner)
    return f"[{_in_lists(outer.type, inner)}]" if isinstance(outer, ListTypeNode) else inner
