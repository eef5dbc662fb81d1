"""The client's shape out of the merged data: aliases, conditions, leaf checks and null propagation.

Fetching and shaping stay apart: the merged data may hold more than was asked for (keys, `@requires` material,
inaccessible fields), less (a failed fetch), or something wrong (a broken subgraph). A projection is compiled once per
plan and set of conditions into closures, which read the data and build the answer in one pass.

What is done at each place stands in `completers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, TypeAlias

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

from gateway.execution.completers import (
    BAD,
    EXACT_TYPES,
    Completer,
    Field,
    Notes,
    Place,
    constant,
    enum_value,
    int_value,
    introspected,
    list_of,
    non_null,
    null_for_bad,
    object_of,
    scalar_value,
    typename_of,
)
from gateway.execution.straight import Straight, Unusual, compile_straight
from gateway.language.paths import ResponsePath
from gateway.plan.nodes import OutputField, OutputSelection

__all__ = ["Projection", "client_path", "compile_projection", "condition_variables"]

GIVEN_UP_MAX = 20
"""Unusual answers in a row, after which a plan's answers are not expected to be usual any more."""

Projection: TypeAlias = Callable[[dict[str, Any], Notes], dict[str, Any] | None]


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
            return object_of(self._fields(in_force, parent.name, parent))
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
                    chosen = object_of(self._fields(fields, concrete.name, concrete))
                elif (name is None or name in abstract) and (
                    common := self._common_fields(fields, possible.keys())
                ) is not None:
                    chosen = object_of(common)
                else:
                    notes.wrong_value(place, parent.name)
                    return None
                by_type[name] = chosen
            return chosen(value, place, notes)

        return complete

    def _common_fields(self, fields: Sequence[OutputField], possible: Set[str]) -> tuple[Field, ...] | None:
        """For an object whose real type nobody had to fetch: the fields that every possible type shows. None: what
        only some types show must not be null there, so with the type of the object, the object is lost."""
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            by_key.setdefault(one.key, []).append(one)
        found: list[Field] = []
        for key, same in by_key.items():
            whole = [one for one in same if one.types is None or one.types >= possible]
            covered = {name for one in same for name in one.types or ()} >= possible
            alike = len({_read(one) for one in same}) == 1
            if same[0].meta == "__typename" and (whole or (covered and alike)):
                found.append((key, same[0].source, None, False, typename_of(possible)))
            elif whole:
                found.append(self._field(key, whole, None))
            elif covered and alike:
                found.append(self._field(key, [replace(same[0], type=_weakest([one.type for one in same]))], None))
            elif any(one.type.endswith("!") for one in same):
                return None
        return tuple(found)

    def _fields(self, fields: Sequence[OutputField], type_name: str, parent: GraphQLNamedType) -> tuple[Field, ...]:
        by_key: dict[str, list[OutputField]] = {}
        for one in fields:
            if one.types is None or type_name in one.types:
                by_key.setdefault(one.key, []).append(one)
        return tuple(self._field(key, same, parent) for key, same in by_key.items())

    def _field(self, key: str, same: Sequence[OutputField], parent: GraphQLNamedType | None) -> Field:
        one = same[0]
        if one.meta == "__typename" and parent is not None:
            return key, one.source, None, False, constant(parent.name)
        if one.meta is not None:
            return key, one.source, None, False, introspected(one.source)
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
            return EXACT_TYPES.get(named.name, object)
        return None

    def _completer(self, node: TypeNode, selections: Sequence[OutputField]) -> Completer:
        if isinstance(node, NonNullTypeNode):
            return non_null(self._nullable(node.type, selections))
        return null_for_bad(self._nullable(node, selections))

    def _nullable(self, node: TypeNode, selections: Sequence[OutputField]) -> Completer:
        if isinstance(node, ListTypeNode):
            return self._list(node.type, selections)
        assert isinstance(node, NamedTypeNode)
        named = self._schema.type_map[node.name.value]
        match named:
            case GraphQLScalarType():
                return int_value if named.name == "Int" else scalar_value(named.name)
            case GraphQLEnumType():
                return enum_value(named.name, frozenset(named.values))
            case _:
                return self.object_completer(selections, named)

    def _list(self, item: TypeNode, selections: Sequence[OutputField]) -> Completer:
        return list_of(self._completer(item, selections))


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
