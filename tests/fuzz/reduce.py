"""A failing case is made smaller while it fails in the same way: parts of the operation, then of the subgraphs, are left out.

It works on the documents, not on what the generator drew: so what is left is small whatever it was made by, and a case
that somebody wrote by hand is reduced as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    VariableNode,
    parse,
    print_ast,
    validate,
)
from graphql.language import REMOVE, Visitor, visit

from tests.fuzz.differential import Broken, Operation, Sample, compare
from tests.gateway.planning.support.cases import Case

__all__ = ["Fails", "failure_of", "reduce_sample"]

STEPS_MAX = 1500

Fails = Callable[[Sample], str | None]
"""What is wrong with a case, in words; None: nothing, or it is no case."""


def failure_of(sample: Sample, run: asyncio.Runner, prepare: Callable[[Case], None] = lambda case: None) -> str | None:
    try:
        case = Case(sample.subgraphs, sample.labels, sample.data)
        prepare(case)
        if validate(case.whole, parse(sample.operation.text)):
            return None
        compare(case, sample.operation, run)
    except Broken as broken:
        return str(broken)
    except (AssertionError, GraphQLError, KeyError, TypeError, ValueError):
        return None  # Left out too much: it does not compose, or there is no such data.
    return None


def reduce_sample(sample: Sample, fails: Fails) -> Sample:
    told = fails(sample)
    if told is None:
        return sample
    steps = 0
    shrunk = True
    while shrunk and steps < STEPS_MAX:
        shrunk = False
        for less in _PASSES:
            place = 0
            while steps < STEPS_MAX:
                steps += 1
                smaller = less(sample, place)
                if smaller is None:
                    break
                if smaller != sample and _alike(fails(smaller), told):
                    sample, shrunk = smaller, True
                else:
                    place += 1
    return sample


def _alike(one: str | None, other: str) -> bool:
    return one is not None and _gist(one) == _gist(other)


def _gist(told: str) -> str:
    """What went wrong, without where and of what."""
    head, _, rest = told.partition(": ")
    if head == "a subgraph complains":
        return rest.split(" ")[1]
    return head.split("(")[0][:16] + rest.split(" ")[0] if head == "refused" else head[:16]


Pass = Callable[[Sample, int], Sample | None]
"""The case without its n-th part; None: it has no such part."""


def _nth(found: Iterator[Sample], place: int) -> Sample | None:
    return next(islice(found, place, None), None)


def _less_data(sample: Sample, place: int) -> Sample | None:
    data = sample.data
    smaller = [replace(data, nulls=False), replace(data, missing=frozenset())]
    smaller += [replace(data, faults=data.faults - {fault}) for fault in sorted(data.faults)]
    found = [replace(sample, data=one) for one in smaller]
    found += [replace(sample, labels=sample.labels - {label}) for label in sorted(sample.labels)]
    return _nth(iter(found), place)


def _less_subgraphs(sample: Sample, place: int) -> Sample | None:
    names = list(sample.subgraphs)[place : place + 1]
    if not names:
        return None
    return replace(sample, subgraphs={name: sdl for name, sdl in sample.subgraphs.items() if name not in names})


def _less_operation(sample: Sample, place: int) -> Sample | None:
    text = _without(sample.operation.text, _OPERATION_PARTS, place)
    return None if text is None else _with_operation(sample, text)


def _plainer_operation(sample: Sample, place: int) -> Sample | None:
    text = next(islice(_unwrapped(sample.operation.text), place, None), None)
    return None if text is None else _with_operation(sample, text)


def _with_operation(sample: Sample, text: str) -> Sample:
    try:
        return replace(sample, operation=_cleaned(text, sample.operation))
    except (GraphQLError, KeyError):
        return sample  # Nothing is left of it.


def _less_schema(sample: Sample, place: int) -> Sample | None:
    """Parts are counted through all subgraphs."""
    for name, sdl in sample.subgraphs.items():
        parts = _count(sdl, _SCHEMA_PARTS)
        if place < parts:
            text = _without(sdl, _SCHEMA_PARTS, place)
            return sample if text is None else replace(sample, subgraphs={**sample.subgraphs, name: text})
        place -= parts
    return None


def _less_members(sample: Sample, place: int) -> Sample | None:
    return _nth(
        (
            replace(sample, subgraphs={**sample.subgraphs, name: text})
            for name, sdl in sample.subgraphs.items()
            for text in _without_members(sdl)
        ),
        place,
    )


_PASSES: tuple[Pass, ...] = (
    _less_operation,
    _plainer_operation,
    _less_subgraphs,
    _less_data,
    _less_schema,
    _less_members,
)
_OPERATION_PARTS = ("field", "inline_fragment", "fragment_spread", "directive", "argument", "object_field")
_SCHEMA_PARTS = (
    "object_type_definition",
    "interface_type_definition",
    "union_type_definition",
    "enum_type_definition",
    "input_object_type_definition",
    "field_definition",
    "directive",
)


def _without(text: str, kinds: tuple[str, ...], place: int) -> str | None:
    """The document without its n-th part; None: there is none."""
    remover = _Remover(kinds, place)
    less = visit(parse(text, no_location=True), remover)
    return print_ast(visit(less, _Tidy())) if remover.seen > place else None


def _count(text: str, kinds: tuple[str, ...]) -> int:
    counter = _Remover(kinds, -1)
    visit(parse(text, no_location=True), counter)
    return counter.seen


class _Remover(Visitor):
    """Removes the n-th node of the given kinds."""

    def __init__(self, kinds: tuple[str, ...], number: int) -> None:
        super().__init__()
        self.kinds = kinds
        self.number = number
        self.seen = 0

    def enter(self, node: Node, *_: Any) -> Any:
        if node.kind not in self.kinds:
            return None
        self.seen += 1
        return REMOVE if self.seen == self.number + 1 else None


class _Tidy(Visitor):
    """Selection sets, and fields that need one, do not stay behind empty."""

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        return REMOVE if node.selection_set is not None and not node.selection_set.selections else None

    def leave_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> Any:
        return REMOVE if not node.selection_set.selections else None


def _without_members(text: str) -> Iterator[str]:
    """Of lists that are no nodes of their own: what a type implements, what a union is made of."""
    document = parse(text, no_location=True)
    for one in document.definitions:
        for name in ("interfaces", "types"):
            members = tuple(getattr(one, name, None) or ())
            for place in range(len(members)):
                setattr(one, name, members[:place] + members[place + 1 :])
                if name == "interfaces" or len(members) > 1:
                    yield print_ast(document)
                setattr(one, name, members)


def _unwrapped(text: str) -> Iterator[str]:
    """A fragment's selections in its place; a field without its alias."""
    document = parse(text, no_location=True)
    fragments: dict[str, Any] = {
        one.name.value: one  # type: ignore[attr-defined]
        for one in document.definitions
        if one.kind == "fragment_definition"
    }
    for number in range(10_000):
        changer = _Unwrap(number, fragments)
        changed = visit(document, changer)
        if changer.seen <= number:
            return
        yield print_ast(changed)


class _Unwrap(Visitor):
    def __init__(self, number: int, fragments: dict[str, Any]) -> None:
        super().__init__()
        self.number = number
        self.fragments = fragments
        self.seen = 0

    def _is_it(self) -> bool:
        self.seen += 1
        return self.seen == self.number + 1

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        for place, one in enumerate(node.selections):
            inner: tuple[Any, ...] = ()
            match one:
                case InlineFragmentNode():
                    inner = tuple(one.selection_set.selections)
                case FragmentSpreadNode():
                    fragment = self.fragments[one.name.value]
                    inner = (
                        InlineFragmentNode(
                            type_condition=fragment.type_condition,
                            directives=one.directives,
                            selection_set=fragment.selection_set,
                        ),
                    )
                case FieldNode(alias=alias) if alias is not None:
                    inner = (
                        FieldNode(
                            name=one.name,
                            arguments=one.arguments,
                            directives=one.directives,
                            selection_set=one.selection_set,
                        ),
                    )
                case _:
                    continue
            if self._is_it():
                return SelectionSetNode(selections=(*node.selections[:place], *inner, *node.selections[place + 1 :]))
        return None


def _cleaned(text: str, operation: Operation) -> Operation:
    """Without variables and fragments that nothing uses any more."""
    document = parse(text, no_location=True)
    main: Any = document.definitions[0]
    fragments: dict[str, Any] = {one.name.value: one for one in document.definitions[1:]}  # type: ignore[attr-defined]
    used: dict[str, None] = {}
    waiting = [main.selection_set]
    names: set[str] = set()
    while waiting:
        found = _Names()
        visit(waiting.pop(), found)
        names |= found.variables
        for name in found.spreads:
            if name not in used:
                used[name] = None
                waiting.append(fragments[name].selection_set)
    main.variable_definitions = tuple(
        one for one in main.variable_definitions or () if one.variable.name.value in names
    )
    document.definitions = (main, *(one for name, one in fragments.items() if name in used))
    variables = {name: value for name, value in operation.variables.items() if name in names}
    return Operation(print_ast(document), variables)


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.spreads: list[str] = []

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.spreads.append(node.name.value)
