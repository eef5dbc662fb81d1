"""Consistent data for any federated schema: the oracle of planning's tests.

Every value is worked out from what it belongs to (type, identity, field, arguments), so all subgraphs agree without
sharing state, and one schema that serves everything gives the answer that a right plan must give. A field with
`@requires` is worked out from what it requires: in a subgraph from what was *sent*, in the oracle from the truth. So a
wrong or missing requirement shows. So it is with a contextual argument, which the oracle looks for on the way to the
object.

Rows of a partitioned graph lie in the members that their keys name; what it gathers is a `Store`'s answer, of one
member's rows or (in the oracle) of all.

Only subgraphs' own SDLs are read (`served`), nothing that composition or planning made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    SelectionSetNode,
    TypeNode,
)
from graphql.execution.values import get_argument_values

from tests.gateway.planning.support.served import Contextual, Offer, Served, named, serve
from tests.gateway.planning.support.store import Made, Store
from tests.gateway.planning.support.things import (
    REGIONS,
    Homed,
    Placed,
    Row,
    Thing,
    at_home,
    canonical,
    number,
    rows_of,
)

__all__ = ["Data", "Universe", "fields_for"]

INSTANCES = 3
"""Entities of each type."""
ROOTS = frozenset({"Query", "Mutation", "Subscription"})


@dataclass(frozen=True)
class Data:
    """What the world is like."""

    nulls: bool = False
    """Whether every field that may be null sometimes is; else only those called `maybe…`."""
    faults: frozenset[str] = frozenset()
    """`Type.field`s that fail for some objects: with an error, or with a null where none may be."""
    missing: frozenset[str] = frozenset()
    """`subgraph/Type`: some entities of the type are unknown there."""

    @staticmethod
    def of(options: Mapping[str, Any]) -> Data:
        return Data(
            bool(options.get("nulls")), frozenset(options.get("faults", ())), frozenset(options.get("missing", ()))
        )

    def to_json(self) -> dict[str, Any]:
        told = {"nulls": self.nulls, "faults": sorted(self.faults), "missing": sorted(self.missing)}
        return {name: value for name, value in told.items() if value}


@dataclass
class Universe:
    subgraphs: Mapping[str, Served]
    """By name."""
    schema: GraphQLSchema
    """Everything, for leaf types and for the oracle."""
    labels: frozenset[str] = frozenset()
    data: Data = field(default_factory=Data)
    changes: int = 0
    """Mutations carried out since the last operation began: they come in order."""
    _values: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    _offers: dict[tuple[str, str], tuple[tuple[Served, Offer], ...]] = field(default_factory=dict)

    @staticmethod
    def of(
        sdls: Mapping[str, str], schema: GraphQLSchema, labels: frozenset[str] = frozenset(), data: Data | None = None
    ) -> Universe:
        return Universe({name: serve(name, sdl) for name, sdl in sdls.items()}, schema, labels, data or Data())

    # What there is

    @cached_property
    def implementers(self) -> Mapping[str, frozenset[str]]:
        """Interface → object types that implement it anywhere."""
        found: dict[str, set[str]] = {}
        for one in self._types():
            if one.kind == "object":
                for interface in one.interfaces:
                    found.setdefault(interface, set()).add(one.name)
        return {name: frozenset(names) for name, names in found.items()}

    def _types(self) -> Iterator[Any]:
        for served in self.subgraphs.values():
            yield from served.types.values()

    @cached_property
    def instances(self) -> Mapping[str, list[Thing]]:
        interfaces = {one.name for one in self._types() if one.kind == "interface" or one.is_interface_object}
        names = sorted({one.name for one in self._types() if one.kind == "object" and one.keys} - interfaces)
        partitions = {one.name: one.partition for one in self._types() if one.partition is not None}
        return {
            name: rows_of(name, partitions[name].key, partitions[name].segment)
            if name in partitions
            else [Thing(name, f"{name}-{n}") for n in range(INSTANCES)]
            for name in names
        }

    @cached_property
    def scattered(self) -> Mapping[tuple[str, str], tuple[Served, Offer]]:
        """(type, field) → who gathers or routes it."""
        return {
            (each.name, one.name): (served, one)
            for served in self.subgraphs.values()
            for each in served.types.values()
            for one in each.fields.values()
            if one.gather is not None or one.route is not None
        }

    @cached_property
    def rules(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """(type, field) that gathered fields require in order to be pruned → the path in its value to the regions."""
        return {
            (type_name, path[0]): path[1:]
            for (type_name, _), (served, offer) in self.scattered.items()
            for path in (offer.gather.prune if offer.gather is not None else ())
            if path[0] in served.types[type_name].fields
        }

    @cached_property
    def key_fields(self) -> frozenset[tuple[str, str]]:
        """(type, field) that stand in a key anywhere."""
        found: set[tuple[str, str]] = set()
        for one in self._types():
            for name in (one.name, *self.implementers.get(one.name, ())):
                found.update((name, each) for each in one.key_fields)
        return frozenset(found)

    def offers(self, type_name: str, name: str) -> tuple[tuple[Served, Offer], ...]:
        """Who knows the field, on what terms; interface objects know it for all types behind them."""
        known = self._offers.get((type_name, name))
        if known is None:
            found = []
            for served in self.subgraphs.values():
                for each in served.types.values():
                    stands_for = each.is_interface_object and type_name in self.implementers.get(each.name, ())
                    if (each.name == type_name or stands_for) and name in each.fields:
                        found.append((served, each.fields[name]))
            known = self._offers[type_name, name] = tuple(found)
        return known

    def is_in_force(self, served: Served, type_name: str, offer: Offer) -> bool:
        """Whether an override, its own or another's, leaves the field to this subgraph."""
        if offer.label is not None and offer.label not in self.labels:
            return False
        for other in self.subgraphs.values():
            taken = other.types[type_name].fields.get(offer.name) if type_name in other.types else None
            if taken is not None and taken.override_from == served.name:
                return taken.label is not None and taken.label not in self.labels
        return True

    # Values

    def value(
        self,
        thing: Thing,
        name: str,
        arguments: Mapping[str, Any],
        required: str | None = None,
        regions: tuple[str, ...] = REGIONS,
    ) -> Any:
        """The one true value of a field, or what a member of `regions` has of it. `required`: what was sent; None: the truth itself."""
        if isinstance(thing, Made):
            return thing.value(name, arguments)
        if required is None:
            required = self._truly_required(thing, name)
        seed: Any = arguments
        if thing.type == "Mutation":
            self.changes += 1
            seed = (arguments, self.changes)
        if (thing.type, name) in self.scattered:
            served, offer = self.scattered[thing.type, name]
            return Store(self, served, regions).value(thing, offer, arguments, required, seed)
        known = (thing, name, canonical(seed), required)
        if known not in self._values:
            self._values[known] = self.work_out(thing, name, seed, required)
        return self._values[known]

    def _truly_required(self, thing: Thing, name: str) -> str | None:
        for served, offer in self.offers(thing.type, name):
            if offer.requires is not None and self.is_in_force(served, thing.type, offer):
                return canonical(self.read(thing, offer.requires))
        return None

    def read(self, thing: Thing, selections: SelectionSetNode) -> dict[str, Any]:
        """A field set's true values as plain JSON."""
        found: dict[str, Any] = {}
        for one in fields_for(selections, thing.type, self.possible_types):
            value = self.value(thing, one.name.value, self.coerced(thing.type, one))
            found = merged(found, {one.name.value: self._plain(value, one.selection_set)})
        return found

    def coerced(self, type_name: str, node: FieldNode) -> dict[str, Any]:
        kind: Any = self.schema.type_map[type_name]
        return get_argument_values(kind.fields[node.name.value], node)

    def _plain(self, value: Any, below: SelectionSetNode | None) -> Any:
        if isinstance(value, list):
            return [self._plain(one, below) for one in value]
        if isinstance(value, Thing):
            assert below is not None
            return self.read(value, below)
        return value

    def possible_types(self, name: str) -> frozenset[str]:
        """Object types behind a name, over all subgraphs."""
        if name in self.implementers:
            return self.implementers[name]
        members = [one.members for one in self._types() if one.name == name and one.kind == "union"]
        return frozenset().union(*members) if members else frozenset((name,))

    def work_out(self, thing: Thing, name: str, arguments: Any, required: str | None) -> Any:
        seed: tuple[Any, ...] = (thing.id, name, canonical(arguments), required or "")
        offers = [offer for _, offer in self.offers(thing.type, name)]
        if (thing.type, name) in self.rules:
            return _rule(seed, self.rules[thing.type, name])
        return _Maker(self, thing, name, seed).make([one.type for one in offers])

    def returned(self, type_name: str, name: str) -> frozenset[str]:
        """Object types that every subgraph with the field knows as its value."""
        found: frozenset[str] | None = None
        for served, offer in self.offers(type_name, name):
            target = named(offer.type)
            kind = served.types.get(target)
            here = served.possible(target)
            if kind is not None and kind.is_interface_object:
                here = self.implementers[target]
            found = here if found is None else found & here
        return found or frozenset()

    # Faults

    def fault(self, thing: Thing, name: str) -> None:
        """Raises where this field of this object is to fail."""
        if f"{thing.type}.{name}" in self.data.faults and number("fault", thing.id, name) % 3 == 0:
            raise GraphQLError(f"fault at {thing.id}.{name}")

    def is_missing(self, graph: str, thing: Thing) -> bool:
        return f"{graph}/{thing.type}" in self.data.missing and number("missing", graph, thing.id) % 2 == 0

    def is_lost(self, thing: Thing, name: str) -> bool:
        """Whether the only subgraph that serves the field does not know the object."""
        if not self.data.missing or (thing.type, name) in self.key_fields:
            return False
        return any(self.is_missing(served.name, thing) for served, _ in self.offers(thing.type, name))

    # The oracle

    def resolve(self, parent: Any, info: Any, **arguments: Any) -> Any:
        """The resolver of one schema that serves everything."""
        type_name, name = info.parent_type.name, info.field_name
        placed = parent if isinstance(parent, Placed) else Placed(Thing(type_name, type_name))
        thing = placed.thing
        if self.is_lost(thing, name):
            return None
        self.fault(thing, name)
        for served, offer in self.offers(thing.type, name):
            if offer.contextual and self.is_in_force(served, thing.type, offer):
                given = {each: self.from_context(served, one, placed) for each, one in offer.contextual.items()}
                if any(
                    isinstance(one.type, NonNullTypeNode) and given[each] is None
                    for each, one in offer.contextual.items()
                ):
                    return None
                arguments = {**arguments, **given}
                break
        return self._placed(self.value(thing, name, arguments), placed)

    def from_context(self, served: Served, one: Contextual, placed: Placed) -> Any:
        """The truth of the nearest object around that sets the context in the subgraph."""
        setters = [each.name for each in served.types.values() if one.context in each.contexts]
        around = placed.around
        while around is not None:
            if any(around.type in self.possible_types(name) for name in setters):
                return _leaf_of(self.read(around.thing, one.selection))
            around = around.around
        return None

    def _placed(self, value: Any, around: Placed) -> Any:
        if isinstance(value, list):
            return [self._placed(one, around) for one in value]
        return Placed(value, around) if isinstance(value, Thing) else value


def _rule(seed: tuple[Any, ...], path: tuple[str, ...]) -> Any:
    """A value that names all regions but one at the end of `path`, and says more beside it."""
    value: Any = [one for one in REGIONS if one != REGIONS[number("rule", *seed) % len(REGIONS)]]
    for name in reversed(path):
        value = {name: value, "about": seed[0]}
    return value


@dataclass(frozen=True)
class _Maker:
    """Makes one value up."""

    universe: Universe
    thing: Thing
    name: str
    seed: tuple[Any, ...]

    def make(self, types: list[TypeNode]) -> Any:
        coordinate = f"{self.thing.type}.{self.name}"
        if coordinate in self.universe.data.faults and number("fault", self.thing.id, self.name) % 3 == 1:
            return None
        return self._of(types, self.seed)

    def _of(self, types: list[TypeNode], seed: tuple[Any, ...]) -> Any:
        may_be_null = not any(isinstance(one, NonNullTypeNode) for one in types)
        bare = [one.type if isinstance(one, NonNullTypeNode) else one for one in types]
        if may_be_null and self._is_null(seed):
            return None
        first = bare[0]
        if isinstance(first, ListTypeNode):
            items = [one.type for one in bare if isinstance(one, ListTypeNode)]
            length = number("length", *seed) % 3 + (0 if self.universe.data.nulls and len(seed) == 4 else 1)
            return [self._of(items, (*seed, place)) for place in range(length)]
        assert isinstance(first, NamedTypeNode)
        kind = self.universe.schema.type_map.get(first.name.value)
        if kind is not None and not hasattr(kind, "fields") and not hasattr(kind, "types"):
            return self._leaf(kind, seed)
        return self._object(seed)

    def _is_null(self, seed: tuple[Any, ...]) -> bool:
        if (self.thing.type, self.name) in self.universe.key_fields:
            return False
        everywhere = self.universe.data.nulls and number("null", *seed) % 6 == 0
        return everywhere or (self.name.startswith("maybe") and number("null", *seed) % 11 == 0)

    def _object(self, seed: tuple[Any, ...]) -> Thing:
        names = sorted(self.universe.returned(self.thing.type, self.name))
        assert names, f"nothing is known everywhere that {self.thing.type}.{self.name} could give"
        type_name = names[number("type", *seed) % len(names)]
        if type_name in ROOTS:
            return Thing(type_name, type_name)
        instances = self.universe.instances.get(type_name)
        if instances is None:
            return at_home(Thing(type_name, f"{type_name}({'/'.join(str(one) for one in seed)})"), self.thing)
        if isinstance(self.thing, Homed):
            home = self.thing.region
            instances = [one for one in instances if not isinstance(one, Row) or one.region == home]
        place = number("entity", *seed)
        if (self.thing.type, self.name) in self.universe.key_fields:
            # A key that names another entity must be as unique as the entity: the n-th has the n-th.
            tail = self.thing.id.rsplit("-", 1)[-1]
            place = int(tail) if tail.isdigit() else place
        return instances[place % len(instances)]

    def _leaf(self, kind: Any, seed: tuple[Any, ...]) -> Any:
        if isinstance(self.thing, Row) and self.name == self.thing.key:
            return self.thing.id
        match kind.name:
            case "Decimal":
                return f"{number('whole', *seed) % 2000 - 1000}.{number('cents', *seed) % 100:02d}"
            case "Int":
                return number("int", *seed) % 1_000_000
            case "Float":
                return number("float", *seed) % 1000 + 0.5
            case "Boolean":
                return number("bool", *seed) % 2 == 0
        if isinstance(kind, GraphQLEnumType):
            names = sorted(kind.values)
            return names[number("enum", *seed) % len(names)]
        if (self.thing.type, self.name) in self.universe.key_fields:
            return f"{self.thing.id}.{self.name}"
        # The number first: an order by this text mixes what belongs together.
        return f"{number('text', *seed) % 10_000}#{self.thing.id}.{self.name}"


def _leaf_of(value: Any) -> Any:
    """What a selection of one field in one field has given; lists on the way are lists of it."""
    if isinstance(value, list):
        return [_leaf_of(one) for one in value]
    return _leaf_of(next(iter(value.values()), None)) if isinstance(value, Mapping) else value


def merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two readings of one object, as one; where they disagree the later one stands."""
    found = dict(one)
    for name, value in other.items():
        found[name] = _both(found[name], value) if name in found else value
    return found


def _both(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, Mapping):
        return merged(one, other)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_both(each, its) for each, its in zip(one, other, strict=True)]
    return other


def fields_for(selections: SelectionSetNode, type_name: str, possible: Any) -> Iterator[FieldNode]:
    """The fields of a field set that concern an object of this type, without `__typename`."""
    for one in selections.selections:
        if isinstance(one, InlineFragmentNode):
            condition = one.type_condition.name.value if one.type_condition else type_name
            if type_name == condition or type_name in possible(condition):
                yield from fields_for(one.selection_set, type_name, possible)
        elif isinstance(one, FieldNode) and one.name.value != "__typename":
            yield one
