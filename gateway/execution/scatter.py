"""Which members a scattered fetch goes to, and what each is asked. Pure: it computes, others send.

Members are chosen by routing (`@route`, or the key of a partitioned entity: exactly one) or by pruning (`@gather`'s
`prune` paths, into arguments or into the entity's representation). Only top-level conjuncts prune: each path that has
a value narrows the members, paths with none do not. A region nobody answers for is an error, never a broadcast.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import orjson
from graphql import GraphQLSchema, OperationType

from gateway.execution.member_operations import MemberOperation, SizedField, part_of, rest_of, sized, sized_fields
from gateway.execution.members import Member, Roll
from gateway.execution.page_sizes import PageSizes
from gateway.execution.shapes import MISSING, Shape, compile_shapes, switches
from gateway.execution.trust import region_code
from gateway.language.selections import top_keys
from gateway.plan.nodes import Fetch, ScatterFetch
from gateway.supergraph.model import Partitioned

__all__ = [
    "CompiledScatter",
    "Scatters",
    "UnknownRegion",
    "choose_members",
    "compile_scatter",
    "idempotency_key",
    "owner_of",
]

OPERATIONS_KEPT_MAX = 64
SCATTERS_KEPT_MAX = 32
"""Sets of condition values whose shapes are kept for one fetch."""


class UnknownRegion(Exception):
    """A value names a region that no member answers for."""

    def __init__(self, value: str) -> None:
        super().__init__(f"{value!r} names no connected region")
        self.value = value


_Places: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass
class CompiledScatter:
    """A scattered fetch as `@skip` and `@include` leave it under one set of values."""

    fetch: Fetch
    shapes: tuple[Shape, ...]
    partitioned: Mapping[str, Partitioned]
    sized: Mapping[int, SizedField] = field(default_factory=dict)
    """By place: fields that may be asked for in sizes."""
    sizes: PageSizes = field(default_factory=PageSizes)
    _operations: dict[_Places, MemberOperation] = field(default_factory=dict)
    _rests: dict[int, MemberOperation] = field(default_factory=dict)

    def asked_for(self, entity: Any) -> Any:
        """A member's entity with nothing beside what was asked for: a key that is known is not for it to say anew."""
        if entity.__class__ is not dict or entity.keys() <= self._entity_keys:
            return entity
        return {key: value for key, value in entity.items() if key in self._entity_keys}

    @cached_property
    def _entity_keys(self) -> frozenset[str]:
        return frozenset(top_keys(self.fetch.operation))

    def places_of(self, typename: str, possible_types: Callable[[str], frozenset[str]]) -> tuple[int, ...]:
        """Entity fetch: the gathered fields of one entity type (indexes into `shapes`)."""
        return tuple(
            place
            for place, one in enumerate(self.shapes)
            if one.type_condition is None
            or one.type_condition == typename
            or typename in possible_types(one.type_condition)
        )

    def operation_for(self, places: tuple[int, ...], in_sizes: tuple[int, ...] = ()) -> MemberOperation:
        """The member operation of only these fields (indexes into `shapes`); an entity fetch is asked with all of its own.

        `in_sizes`: those of them that are paged by the gateway's own variables.
        """
        kept = self._operations.get((places, in_sizes))
        if kept is None:
            kept = self._make_operation(places)
            if in_sizes:
                kept = sized(kept.text, (self.sized[place] for place in in_sizes))
            self._keep((places, in_sizes), kept)
        return kept

    def rest_for(self, place: int) -> MemberOperation:
        """Only the rows of a field that is paged by the gateway's own variables."""
        kept = self._rests.get(place)
        if kept is None:
            kept = self._rests[place] = rest_of(self.fetch.operation, self.sized[place])
        return kept

    def _make_operation(self, places: tuple[int, ...]) -> MemberOperation:
        if len(places) == len(self.shapes):
            return MemberOperation(self.fetch.operation, self.fetch.variables)
        return part_of(self.fetch.operation, [self.shapes[place] for place in places])

    def _keep(self, key: _Places, operation: MemberOperation) -> None:
        if len(self._operations) < OPERATIONS_KEPT_MAX:
            self._operations[key] = operation


@dataclass(slots=True)
class Scatters:
    """A scattered fetch, compiled for each set of values of its conditions' variables, on first use."""

    node: ScatterFetch
    schema: GraphQLSchema | None
    root: str
    switches: tuple[str, ...]
    _kept: dict[tuple[bool, ...], CompiledScatter] = field(default_factory=dict)

    def under(self, variables: Mapping[str, Any]) -> CompiledScatter:
        values = tuple(variables.get(name) is True for name in self.switches)
        kept = self._kept.get(values)
        if kept is None:
            known = dict(zip(self.switches, values, strict=True))
            shapes = compile_shapes(self.node.scatter.fields, known, self.schema, self.root)
            kept = CompiledScatter(
                fetch=self.node.fetch,
                shapes=shapes,
                partitioned=dict(self.node.scatter.partitioned),
                sized=sized_fields(self.node.fetch, shapes, self.schema, self.root),
            )
            if len(self._kept) < SCATTERS_KEPT_MAX:
                self._kept[values] = kept
        return kept


def compile_scatter(node: ScatterFetch, schema: GraphQLSchema | None = None) -> Scatters:
    operation = OperationType(node.fetch.operation_kind)
    root = schema.get_root_type(operation) if schema is not None else None
    return Scatters(node, schema, root.name if root is not None else "", switches(node.scatter.fields))


def choose_members(
    shape: Shape, roll: Roll, variables: Mapping[str, Any], representation: Mapping[str, Any] | None = None
) -> tuple[Member, ...]:
    """The members a field concerns, in order. Raises `UnknownRegion`."""
    if shape.route is not None:
        value = shape.arguments.at(shape.route.argument, variables)
        return (_one_member(value, roll),)
    chosen: Sequence[Member] = roll.all
    for path in shape.gather.prune if shape.gather is not None else ():
        codes = _codes_at(shape, path, variables, representation)
        if codes is not None:
            concerned = {member for code in codes for member in _members_of(code, roll)}
            chosen = [member for member in chosen if member in concerned]
    return tuple(chosen)


def owner_of(partitioned: Partitioned, representation: Mapping[str, Any], roll: Roll) -> Member:
    """The one member that has a partitioned entity. Raises `UnknownRegion`."""
    value = representation.get(partitioned.key)
    if not isinstance(value, str):
        raise UnknownRegion(str(value))
    return _one_member(value, roll, partitioned.segment)


def idempotency_key(shapes: Sequence[Shape], variables: Mapping[str, Any]) -> str | None:
    """The key by which a change may be sent again; None unless it is one change and carries one."""
    if len(shapes) != 1 or shapes[0].route is None or shapes[0].route.idempotency_key is None:
        return None
    value = shapes[0].arguments.at(shapes[0].route.idempotency_key, variables)
    return value if isinstance(value, str) and value else None


def _one_member(value: Any, roll: Roll, segment: int | None = 1) -> Member:
    if not isinstance(value, str):
        raise UnknownRegion(str(value))
    found = roll.by_code(region_code(value, segment))
    if len(found) != 1:
        raise UnknownRegion(value)
    return found[0]


def _members_of(value: Any, roll: Roll) -> tuple[Member, ...]:
    found = roll.by_code(region_code(value)) if isinstance(value, str) else ()
    if not found:
        raise UnknownRegion(str(value))
    return found


def _codes_at(
    shape: Shape, path: tuple[str, ...], variables: Mapping[str, Any], representation: Mapping[str, Any] | None
) -> list[Any] | None:
    """The values at a prune path, or None when it has none and so prunes nothing."""
    if representation is not None and path[0] in representation and not shape.arguments.has(path[0]):
        value = _into_representation(representation, path)
    else:
        value = shape.arguments.at(path, variables)
    if value is MISSING or value is None:
        return None
    return value if isinstance(value, list) else [value]


def _into_representation(representation: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = representation
    for name in path:
        if isinstance(value, str):
            value = _claims(value)
        if not isinstance(value, Mapping) or name not in value:
            return MISSING
        value = value[name]
    return value


def _claims(token: str) -> Any:
    """The readable part of a signed token. Only to ask fewer members: each member verifies the signature itself."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
