"""The client's shape out of the merged data: aliases, conditions, leaf checks and null propagation.

Fetching and shaping stay apart: the merged data may hold more than was asked for (keys, `@requires` material,
inaccessible fields), less (a failed fetch), or something wrong (a broken subgraph). A projection is compiled once per
plan and set of conditions into closures, which read the data and build the answer in one pass.

Vocabulary
- *place*: where we are in the answer, as linked pairs `(parent place, key)`; written out only when an error needs it.
- *completer*: (value, place, notes) → what the answer holds there, or `BAD`: null where none is allowed, which
  makes the parent null (GraphQL specification, "Handling Field Errors").
- *covered*: a null whose reason is told by an error already: at this place, below it, or above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    is_abstract_type,
    parse_type,
    print_ast,
)

from gateway.execution.straight import Straight, Unusual, compile_straight
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath, format_path
from gateway.plan.nodes import OutputField, OutputSelection

__all__ = ["Notes", "Projection", "client_path", "compile_projection", "condition_variables"]

Place: TypeAlias = tuple[Any, ...] | None
GIVEN_UP_MAX = 20
"""Unusual answers in a row, after which a plan's answers are not expected to be usual any more."""
ERRORS_MAX = 1000
"""Errors of one answer; more say nothing new."""


class _Bad:
    pass


BAD: Final = _Bad()


@dataclass(slots=True)
class Notes:
    """What one projection finds wrong, and what it needs to know of the run."""

    known: Iterable[GatewayError] = ()
    """Errors told already, with paths of the client's answer."""
    introspection: Mapping[str, Any] = field(default_factory=dict)
    errors: list[GatewayError] = field(default_factory=list)
    _covered: set[ResponsePath] | None = None
    _ends: set[ResponsePath] = field(default_factory=set)

    def null_in_non_null(self, place: Place) -> None:
        path = _written(place)
        if self._is_covered(path):
            return
        self.tell(Code.NULL_IN_NON_NULL_FIELD, f"Cannot return null for non-nullable field {format_path(path)}.", path)

    def wrong_value(self, place: Place, expected: str) -> None:
        path = _written(place)
        if not self._is_covered(path):
            message = f"A subgraph gave no valid {expected} for {format_path(path)}."
            self.tell(Code.SUBGRAPH_BAD_RESPONSE, message, path)

    def tell(self, code: Code, message: str, path: ResponsePath) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(GatewayError(code, message, path))
        self._cover(path)

    def _is_covered(self, path: ResponsePath) -> bool:
        if self._covered is None:
            self._covered = set()
            for error in self.known:
                self._cover(error.path or ())
        return path in self._covered or any(path[:length] in self._ends for length in range(len(path)))

    def _cover(self, path: ResponsePath) -> None:
        """`_ends` holds the paths of errors, `_covered` these and everything above them."""
        if self._covered is None:
            self._covered = set()
            for error in self.known:
                self._cover(error.path or ())
        self._ends.add(path)
        self._covered.update(path[:length] for length in range(len(path) + 1))


def _written(place: Place) -> ResponsePath:
    path: list[str | int] = []
    while place is not None:
        place, key = place
        path.append(key)
    return tuple(reversed(path))


Completer: TypeAlias = Callable[[Any, Place, Notes], Any]
Projection: TypeAlias = Callable[[dict[str, Any], Notes], dict[str, Any] | None]
_Field: TypeAlias = tuple[str, str, type | None, bool, Completer]
"""Key, source, the exact Python type that passes unseen (`object`: any; None: the completer sees all), whether null is
refused, the completer."""


def condition_variables(output: OutputSelection) -> tuple[str, ...]:
    """The Boolean variables that conditions of this output depend on, in order of first use."""
    found: dict[str, None] = {}
    waiting = [output]
    while waiting:
        for one in waiting.pop().fields:
            found.update((name, None) for name, _ in one.conditions)
            if one.selection is not None:
                waiting.append(one.selection)
    return tuple(found)


def compile_projection(
    output: OutputSelection, schema: GraphQLSchema, root: GraphQLObjectType, conditions: Mapping[str, bool]
) -> Projection:
    """`schema` is the API schema: what is not in it is never shown."""
    complete = _Compiler(schema, conditions).object_completer(output.fields, root)

    def project(data: dict[str, Any], notes: Notes) -> dict[str, Any] | None:
        result = complete(data, None, notes)
        return None if result is BAD else result

    straight = compile_straight(output.fields, schema, root, conditions)
    return project if straight is None else _first(straight, project)


def _first(straight: Straight, careful: Projection) -> Projection:
    """The straight way, and the careful one when a value is unusual; after many of these, the careful one alone."""
    given_up = 0

    def project(data: dict[str, Any], notes: Notes) -> dict[str, Any] | None:
        nonlocal given_up
        if given_up >= GIVEN_UP_MAX:
            return careful(data, notes)
        try:
            shaped = straight(data)
        except Unusual:
            given_up += 1
            return careful(data, notes)
        given_up = 0
        return shaped

    return project


def _read(one: OutputField) -> tuple[str, OutputSelection | None]:
    return one.source, one.selection


def _weakest(types: Sequence[str]) -> str:
    """The promise that all of these types keep: `[Int]!` of `[Int!]!` and `[Int]!`."""

    def common(nodes: Sequence[TypeNode]) -> str:
        bare = [one.type if isinstance(one, NonNullTypeNode) else one for one in nodes]
        mark = "!" if all(isinstance(one, NonNullTypeNode) for one in nodes) else ""
        lists = [one.type for one in bare if isinstance(one, ListTypeNode)]
        return f"[{common(lists)}]{mark}" if lists else f"{print_ast(bare[0])}{mark}"

    return common([parse_type(one, no_location=True) for one in dict.fromkeys(types)])


class _Compiler:
    def __init__(self, schema: GraphQLSchema, conditions: Mapping[str, bool]) -> None:
        self._schema = schema
        self._conditions = conditions

    # Objects

    def object_completer(self, fields: Sequence[OutputField], parent: GraphQLNamedType) -> Completer:
        in_force = [one for one in fields if self._in_force(one)]
        if not is_abstract_type(parent):
            return _static_object(self._fields(in_force, parent.name, parent))
        return self._abstract_object(in_force, parent)

    def _in_force(self, one: OutputField) -> bool:
        return all(self._conditions.get(name) is wanted for name, wanted in one.conditions)

    def _abstract_object(self, fields: Sequence[OutputField], parent: GraphQLNamedType) -> Completer:
        possible = {one.name: one for one in self._schema.get_possible_types(parent)}  # type: ignore[arg-type]
        abstract = {name for name, one in self._schema.type_map.items() if is_abstract_type(one)}
        by_type: dict[str | None, Completer] = {}

        def complete(value: Any, place: Place, notes: Notes) -> Any:
            if value is None:
                return None
            name = value.get("__typename") if isinstance(value, dict) else None
            if name is not None and name.__class__ is not str:
                notes.wrong_value(place, parent.name)
                return None
            chosen = by_type.get(name)
            if chosen is None:
                concrete = possible.get(name)  # type: ignore[arg-type]
                if concrete is not None:
                    chosen = _static_object(self._fields(fields, concrete.name, concrete))
                elif (name is None or name in abstract) and (
                    common := self._common_fields(fields, possible.keys())
                ) is not None:
                    chosen = _static_object(common)
                else:
                    notes.wrong_value(place, parent.name)
                    return None
                by_type[name] = chosen
            return chosen(value, place, notes)

        return complete

    def _common_fields(self, fields: Sequence[OutputField], possible: Set[str]) -> tuple[_Field, ...] | None:
        """For an object whose real type nobody had to fetch: the fields that every possible type shows. None: what
        only some types show must not be null there, so with the type of the object, the object is lost."""
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            by_key.setdefault(one.key, []).append(one)
        found: list[_Field] = []
        for key, same in by_key.items():
            whole = [one for one in same if one.types is None or one.types >= possible]
            covered = {name for one in same for name in one.types or ()} >= possible
            alike = len({_read(one) for one in same}) == 1
            if same[0].meta == "__typename" and (whole or (covered and alike)):
                found.append((key, same[0].source, None, False, _typename(possible)))
            elif whole:
                found.append(self._field(key, whole, None))
            elif covered and alike:
                found.append(self._field(key, [replace(same[0], type=_weakest([one.type for one in same]))], None))
            elif any(one.type.endswith("!") for one in same):
                return None
        return tuple(found)

    def _fields(self, fields: Sequence[OutputField], type_name: str, parent: GraphQLNamedType) -> tuple[_Field, ...]:
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            if one.types is None or type_name in one.types:
                by_key.setdefault(one.key, []).append(one)
        return tuple(self._field(key, same, parent) for key, same in by_key.items())

    def _field(self, key: str, same: Sequence[OutputField], parent: GraphQLNamedType | None) -> _Field:
        one = same[0]
        if one.meta == "__typename" and parent is not None:
            return key, one.source, None, False, _constant(parent.name)
        if one.meta is not None:
            return key, one.source, None, False, _introspected(one.source)
        type_node = parse_type(one.type, no_location=True)
        selections = [inner for field in same if field.selection is not None for inner in field.selection.fields]
        required = isinstance(type_node, NonNullTypeNode)
        inner = type_node.type if isinstance(type_node, NonNullTypeNode) else type_node
        leaf = self._leaf_type(inner)
        return key, one.source, leaf, required, self._completer(type_node, selections)

    # Types

    def _leaf_type(self, node: TypeNode) -> type | None:
        if not isinstance(node, NamedTypeNode):
            return None
        named = self._schema.type_map.get(node.name.value)
        if isinstance(named, GraphQLScalarType) and named.name != "Int":
            return _EXACT.get(named.name, object)
        return None

    def _completer(self, node: TypeNode, selections: Sequence[OutputField]) -> Completer:
        if isinstance(node, NonNullTypeNode):
            return _non_null(self._nullable(node.type, selections))
        return _null_for_bad(self._nullable(node, selections))

    def _nullable(self, node: TypeNode, selections: Sequence[OutputField]) -> Completer:
        if isinstance(node, ListTypeNode):
            return self._list(node.type, selections)
        assert isinstance(node, NamedTypeNode)
        named = self._schema.type_map[node.name.value]
        match named:
            case GraphQLScalarType():
                return _int if named.name == "Int" else _scalar(named.name)
            case GraphQLEnumType():
                return _enum(named.name, frozenset(named.values))
            case _:
                return self.object_completer(selections, named)

    def _list(self, item: TypeNode, selections: Sequence[OutputField]) -> Completer:
        return _list(self._completer(item, selections))


_EXACT: Final[dict[str, type]] = {"Float": float, "String": str, "Boolean": bool, "ID": str}


def _static_object(fields: tuple[_Field, ...]) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value.__class__ is not dict:
            if value is not None:
                notes.wrong_value(place, "object")
            return None
        get = value.get
        built = {}
        for key, source, leaf, required, complete_field in fields:
            found = get(source)
            if leaf is None:
                found = complete_field(found, (place, key), notes)
                if found is BAD:
                    return BAD
            elif found is None:
                if required:
                    notes.null_in_non_null((place, key))
                    return BAD
            elif leaf is not object and found.__class__ is not leaf:
                found = complete_field(found, (place, key), notes)
                if found is BAD:
                    return BAD
            built[key] = found
        return built

    return complete


def _list(item: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value.__class__ is not list:
            if value is not None:
                notes.wrong_value(place, "list")
            return None
        built = []
        for index, one in enumerate(value):
            completed = item(one, (place, index), notes)
            if completed is BAD:
                return BAD
            built.append(completed)
        return built

    return complete


def _non_null(inner: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        completed = inner(value, place, notes)
        if completed is None:
            notes.null_in_non_null(place)
            return BAD
        return completed

    return complete


def _null_for_bad(inner: Completer) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        completed = inner(value, place, notes)
        return None if completed is BAD else completed

    return complete


def _scalar(name: str) -> Completer:
    """Built-in scalars are held to their type; others belong to the subgraphs and pass as they are."""
    exact = _EXACT.get(name)

    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value is None or exact is None or value.__class__ is exact:
            return value
        if exact is float and value.__class__ is int:
            return value
        if name == "ID" and value.__class__ is int:
            return str(value)
        notes.wrong_value(place, name)
        return None

    return complete


def _int(value: Any, place: Place, notes: Notes) -> Any:
    """32 bits, as GraphQL has it: a sum over members may be more than that."""
    number = int(value) if value.__class__ is float and value.is_integer() else value
    if number is None or (number.__class__ is int and -(2**31) <= number < 2**31):
        return number
    notes.wrong_value(place, "Int")
    return None


def _enum(name: str, allowed: frozenset[str]) -> Completer:
    """A value outside of the API schema (unknown, or inaccessible) is not shown, not even in the error."""

    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value is None or (value.__class__ is str and value in allowed):
            return value
        notes.wrong_value(place, name)
        return None

    return complete


def _constant(name: str) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        return name

    return complete


def _typename(possible: Set[str]) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        if value in possible:
            return value
        notes.wrong_value(place, "type name")
        return BAD

    return complete


def _introspected(key: str) -> Completer:
    def complete(value: Any, place: Place, notes: Notes) -> Any:
        return notes.introspection.get(key)

    return complete


def client_path(output: OutputSelection, path: ResponsePath) -> ResponsePath:
    """A path of the merged data in the client's keys; cut where it leaves what the client asked for."""
    written: list[str | int] = []
    selections: list[OutputSelection] = [output]
    for element in path:
        if isinstance(element, int):
            written.append(element)
            continue
        matching = [one for selection in selections for one in selection.fields if one.source == element]
        if not matching:
            break
        written.append(matching[0].key)
        selections = [one.selection for one in matching if one.selection is not None]
    return tuple(written)
