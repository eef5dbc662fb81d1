"""Contextual arguments: their values out of the response tree, and an operation that has room for all of them.

An argument has one value in an operation's variables, but entities of one fetch may stand below objects that give
different ones. So entities are told apart by their values, and for each set of values the request has a copy of the
part, under an alias and with variables of its own: still one request.

    query($r: …, $context_0: String, $r_1: …, $context_0_1: String) {
      _e0: _entities(representations: $r) { … on Card { fee(currency: $context_0) } }
      _e0_1: _entities(representations: $r_1) { … on Card { fee(currency: $context_0_1) } }
    }

A value that is not there is null. An entity that lacks one for an argument that must not be null is not asked for: its
fields stay null, as with a key that is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    ListTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    parse_type,
    print_ast,
    strip_ignored_characters,
    visit,
)

from gateway.execution.places import Path, PathStep, PossibleTypes, compile_path
from gateway.language.selections import variable_names
from gateway.plan.nodes import BatchFetch, ContextVariable

__all__ = ["CompiledContext", "Copies", "Standing", "compile_context", "find_standing", "read_values"]

TEXTS_KEPT_MAX = 32
"""Operations that are kept for one fetch, by how many copies of its parts they have."""


# Values


@dataclass(frozen=True, slots=True)
class _Place:
    depth: int
    """Steps from the data's root to the object around."""
    types: frozenset[str] | None
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledContext:
    name: str
    places: tuple[_Place, ...]
    accepts: Callable[[Any], bool]
    """Whether the argument may have this value, as far as null goes."""


Standing: TypeAlias = tuple[dict[str, Any], dict[int, Any]]
"""An entity's object, and the objects around it by depth."""


def compile_context(one: ContextVariable, possible_types: PossibleTypes) -> CompiledContext:
    places = tuple(
        _Place(
            len(compile_path(value.path, possible_types).steps),
            frozenset().union(*map(possible_types, value.types)) if value.types else None,
            value.source,
        )
        for value in one.values
    )
    return CompiledContext(one.name, places, _accepting(parse_type(one.type, no_location=True)))


def _accepting(type_: TypeNode) -> Callable[[Any], bool]:
    if isinstance(type_, NonNullTypeNode):
        inner = _accepting(type_.type)
        return lambda value: value is not None and inner(value)
    if isinstance(type_, ListTypeNode):
        item = _accepting(type_.type)
        return lambda value: not isinstance(value, list) or all(item(one) for one in value)
    return lambda value: True


def find_standing(data: dict[str, Any], path: Path, contexts: Sequence[CompiledContext]) -> list[Standing]:
    """The objects at `path`, in the order of `collect`, with those around them that contexts ask for."""
    depths = {place.depth for one in contexts for place in one.places}
    level: list[tuple[Any, dict[int, Any]]] = [(data, {0: data} if 0 in depths else {})]
    for depth, step in enumerate(path.steps, 1):
        below = [(value, around) for one, around in level for value in _step(one, step)]
        level = [(one, {**around, depth: one}) for one, around in below] if depth in depths else below
    return [(one, around) for one, around in level if one.__class__ is dict]


def _step(one: Any, step: PathStep) -> Iterator[Any]:
    if step.field is not None:
        if one.__class__ is dict and one.get(step.field) is not None:
            yield one[step.field]
    elif step.types is not None:
        if one.__class__ is dict and one.get("__typename") in step.types:
            yield one
    elif one.__class__ is list:
        yield from one


def read_values(standing: Standing, contexts: Sequence[CompiledContext]) -> tuple[Any, ...] | None:
    """One for each context; None: an argument that must not be null has none."""
    values = []
    for one in contexts:
        value = _find(standing[1], one)
        if not one.accepts(value):
            return None
        values.append(value)
    return tuple(values)


def _find(around: dict[int, Any], context: CompiledContext) -> Any:
    for place in context.places:
        one = around.get(place.depth)
        if place.types is None or (one.__class__ is dict and one.get("__typename") in place.types):
            return _read(one, place.source)
    return None


def _read(value: Any, source: tuple[str, ...]) -> Any:
    if not source:
        return value
    if value.__class__ is list:
        return [_read(one, source) for one in value]
    return _read(value.get(source[0]), source[1:]) if value.__class__ is dict else None


# The operation


class Copies:
    """A batch's operation, with any number of copies of each part."""

    def __init__(self, batch: BatchFetch) -> None:
        self.batch = batch
        self._texts: dict[tuple[int, ...], str] = {}
        definition = parse(batch.operation, no_location=True).definitions[0]
        assert isinstance(definition, OperationDefinitionNode)
        self._definition = definition
        self._variables = {one.variable.name.value: one for one in definition.variable_definitions or ()}
        self._parts = [one for one in definition.selection_set.selections if isinstance(one, FieldNode)]

    def alias(self, part: int, copy: int) -> str:
        return self.batch.parts[part].alias if copy == 0 else f"{self.batch.parts[part].alias}_{copy}"

    def variable(self, name: str, copy: int) -> str:
        if copy == 0:
            return name
        name = f"{name}_{copy}"
        while name in self._variables:
            name += "_"
        return name

    def text(self, counts: tuple[int, ...]) -> str:
        """`counts`: copies of each part; none, where nothing is to be asked."""
        if all(count == 1 for count in counts):
            return self.batch.operation
        kept = self._texts.get(counts)
        if kept is None:
            kept = self._write(counts)
            if len(self._texts) < TEXTS_KEPT_MAX:
                self._texts[counts] = kept
        return kept

    def _write(self, counts: tuple[int, ...]) -> str:
        copies = [(part, copy) for part, count in enumerate(counts) for copy in range(count)]
        fields = [self._copy(part, copy) for part, copy in copies]
        own = {name for part in self.batch.parts for name in (part.variable, *(one.name for one in part.contexts))}
        used = variable_names(*fields)
        definitions = [
            VariableDefinitionNode(variable=_named(self.variable(name, copy)), type=self._variables[name].type)
            for part, copy in copies
            for name in (self.batch.parts[part].variable, *(one.name for one in self.batch.parts[part].contexts))
        ]
        definitions += [one for name, one in self._variables.items() if name not in own and name in used]
        operation = OperationDefinitionNode(
            operation=self._definition.operation,
            name=self._definition.name,
            variable_definitions=tuple(definitions),
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(fields)),
        )
        return strip_ignored_characters(print_ast(operation))

    def _copy(self, part: int, copy: int) -> FieldNode:
        own = self.batch.parts[part]
        names = {name: self.variable(name, copy) for name in (own.variable, *(one.name for one in own.contexts))}
        renamed: FieldNode = visit(self._parts[part], _Rename(names))
        return FieldNode(
            alias=NameNode(value=self.alias(part, copy)),
            name=renamed.name,
            arguments=renamed.arguments,
            directives=(),
            selection_set=renamed.selection_set,
        )


def _named(name: str) -> VariableNode:
    return VariableNode(name=NameNode(value=name))


class _Rename(Visitor):
    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    def enter_variable(self, node: VariableNode, *_: object) -> VariableNode:
        return _named(self.names.get(node.name.value, node.name.value))
