"""Rows in a store, behind the fields that a partitioned graph gathers or routes.

A member is the store of its region's rows, the oracle is the store of all: one code answers for both, and nothing in
it knows of merging. What arguments, rules and folded fields mean is made up, row by row, so that it comes out the same
however the rows are dealt: an argument that says nothing of pages, order or regions lets some rows through, a folded
field folds what each row has, a group has the rows with its key. Pages are the contract's (`paging`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from graphql import GraphQLEnumType, GraphQLSchema, NonNullTypeNode

from contract.cursors import Cursor, shape_hash
from contract.order import Direction, Kind
from tests.gateway.planning.support.served import GatherRule, Offer, Served, named
from tests.gateway.planning.support.things import REGIONS, Homed, Row, Thing, canonical, number, region_in
from tests.gateway.support.paging import page_of

__all__ = ["Astray", "Made", "Store"]

PAGING = frozenset({"first", "last", "after", "before"})


class Astray(Exception):
    """A routed field came to a member that it does not name."""


class World(Protocol):
    """What a store knows of the universe."""

    @property
    def schema(self) -> GraphQLSchema: ...
    @property
    def instances(self) -> Mapping[str, list[Thing]]: ...
    def value(self, thing: Thing, name: str, arguments: Mapping[str, Any]) -> Any: ...
    def work_out(self, thing: Thing, name: str, arguments: Any, required: str | None) -> Any: ...


@dataclass(frozen=True)
class Chosen:
    """Rows that a field is about, in canonical order, and the regions that are asked for them."""

    rows: tuple[Row, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Made(Thing):
    """An object that exists in an answer only: a connection, an edge, a group, what is folded."""

    store: Store
    chosen: Chosen = Chosen((), ())
    known: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str, arguments: Mapping[str, Any]) -> Any:
        if name in self.known:
            return self.known[name]
        offer = self.store.served.types[self.type].fields[name]
        if offer.gather is not None:
            return self.store.gather(self, offer, offer.gather, self.chosen, arguments, None)
        if offer.fold is not None:
            return self.store.fold(offer, offer.fold, self.chosen.rows, arguments)
        return self.store.world.work_out(Thing(self.type, self.id), name, arguments, None)


@dataclass(frozen=True)
class Store:
    world: World
    served: Served
    """The graph whose rows these are."""
    regions: tuple[str, ...] = REGIONS
    """Of the rows it has."""

    def value(self, thing: Thing, offer: Offer, arguments: Mapping[str, Any], required: str | None, seed: Any) -> Any:
        """Of a field of a root type or of an entity. `seed`: what an answer that is no row depends on."""
        if offer.route is not None:
            return self._routed(thing, offer, offer.route, arguments, seed)
        assert offer.gather is not None
        return self.gather(thing, offer, offer.gather, self._all(), arguments, required)

    def concerned(self, rule: GatherRule, arguments: Mapping[str, Any], required: str | None) -> tuple[str, ...]:
        """The regions whose rows a field is about, as its prune paths say."""
        found = self.regions
        for path in rule.prune:
            names = _names_at(path, arguments, required)
            if names is not None:
                told = {region_in(one) for one in names}
                found = tuple(one for one in found if one in told)
        return found

    def gather(
        self,
        parent: Thing,
        offer: Offer,
        rule: GatherRule,
        within: Chosen,
        arguments: Mapping[str, Any],
        required: str | None,
    ) -> Any:
        chosen = self._narrowed(within, offer, rule, arguments, required)
        target = named(offer.type)
        where = f"{parent.id}.{offer.name}"
        match rule.kind:
            case "CONNECTION":
                return self._connection(Made(target, where, self, chosen), rule, arguments, required)
            case "FOLD":
                return Made(target, where, self, chosen)
            case "LIST":
                return [self._item(row, offer, arguments) for row in chosen.rows]
            case "GROUPS":
                return list(self._groups(Made(target, where, self, chosen), rule, arguments))
            case "SOURCES":
                return [
                    Made(target, f"{where} of {one}", self, known={"region": one, "status": "OK"})
                    for one in chosen.regions
                ]
            case "ONE":
                return self.world.work_out(parent, offer.name, arguments, required)
        raise AssertionError(f"no way to gather is called {rule.kind}")

    # Which rows

    def _all(self) -> Chosen:
        rows = [
            one
            for name in sorted(self.served.types)
            if self.served.types[name].partition is not None
            for one in self.world.instances[name]
            if isinstance(one, Row) and one.region in self.regions
        ]
        return Chosen(tuple(sorted(rows, key=lambda row: (row.region, row.place, row.type))), self.regions)

    def _narrowed(
        self, within: Chosen, offer: Offer, rule: GatherRule, arguments: Mapping[str, Any], required: str | None
    ) -> Chosen:
        wanted = self._types_behind(offer)
        prunes = [names for path in rule.prune if (names := _names_at(path, arguments, required)) is not None]
        meaning = _beside(arguments, PAGING | {rule.order}, rule.prune)
        passes = canonical([meaning, required]) if meaning or required is not None else None
        rows = tuple(
            row
            for row in within.rows
            if row.type in wanted
            and all(row.id in names or row.region in names for names in prunes)
            and (passes is None or number("passes", passes, row.id) % 4 != 0)
        )
        regions = tuple(one for one in self.concerned(rule, arguments, required) if one in within.regions)
        return Chosen(rows, regions)

    def _types_behind(self, offer: Offer) -> frozenset[str]:
        """The types of rows that a field gives; of a field that gives none, those whose rows lie by their keys."""
        target = named(offer.type)
        fields = self.served.types[target].fields if target in self.served.types else {}
        if "edges" in fields:
            target = named(self.served.types[named(fields["edges"].type)].fields["node"].type)
        rows = {name: one.partition for name, one in self.served.types.items() if one.partition is not None}
        own = self.served.possible(target) & rows.keys()
        return own or frozenset(name for name, partition in rows.items() if partition.segment is not None)

    def _routed(
        self, thing: Thing, offer: Offer, route: tuple[str, ...], arguments: Mapping[str, Any], seed: Any
    ) -> Any:
        names = _names_at(route, arguments, None)
        assert names is not None and len(names) == 1
        if region_in(names[0]) not in self.regions:
            raise Astray(f"{offer.name} was asked about {names[0]}, which is another's")
        target = self.served.types.get(named(offer.type))
        if target is None or target.partition is None:
            region = region_in(names[0])
            return self.world.work_out(Homed(thing.type, thing.id, region), offer.name, seed, None)
        return next((row for row in self.world.instances[target.name] if row.id == names[0]), None)

    # Connections

    def _connection(self, made: Made, rule: GatherRule, arguments: Mapping[str, Any], required: str | None) -> Made:
        types = self.served.types
        order = _order(arguments.get(rule.order) if rule.order is not None else None)
        shape = shape_hash(order, [_beside(arguments, PAGING | {rule.order}, ()), required])
        page = page_of([(self._cursor(row, order, shape), row) for row in made.chosen.rows], shape, arguments)
        edge_type = named(types[made.type].fields["edges"].type)
        edges = [
            Made(edge_type, f"edge of {row.id}", self, known={"cursor": cursor, "node": row})
            for row, cursor in zip(page.rows, page.cursors, strict=True)
        ]
        info = Made(named(types[made.type].fields["pageInfo"].type), f"{made.id}.pageInfo", self, known=page.info)
        return replace(made, known={"nodes": list(page.rows), "edges": edges, "pageInfo": info})

    def _cursor(self, row: Row, order: Sequence[tuple[str, str]], shape: str) -> Cursor:
        sorted_by = [self._sort_value(row, name) for name, _ in order]
        return Cursor(
            shape=shape,
            kinds=tuple(kind for kind, _ in sorted_by),
            directions=tuple(Direction(direction) for _, direction in order),
            values=tuple(value for _, value in sorted_by),
            region=row.region,
            native=(row.place, row.type),
            native_kinds=(Kind.NUMBER, Kind.TEXT),
        )

    def _sort_value(self, row: Row, order_field: str) -> tuple[Kind, Any]:
        """`NET_VALUE` orders by `netValue`: by number, by an enum's order, or by text."""
        head, *rest = order_field.lower().split("_")
        name = head + "".join(one.capitalize() for one in rest)
        value = self.world.value(row, name, {})
        type_name = named(self.served.types[row.type].fields[name].type)
        kind = self.world.schema.type_map[type_name]
        if isinstance(kind, GraphQLEnumType):
            return Kind.RANK, None if value is None else list(kind.values).index(value)
        if type_name in ("Int", "Float", "Decimal"):
            return Kind.NUMBER, None if value is None else str(value)
        return Kind.TEXT, value

    # Lists, groups, folds

    def _item(self, row: Row, offer: Offer, arguments: Mapping[str, Any]) -> Any:
        target = named(offer.type)
        if row.type in self.served.possible(target):
            return row
        if target in self.served.types:
            return Homed(target, f"{offer.name} of {row.id}", row.region)
        return self._share(row, offer, arguments)

    def _groups(self, made: Made, rule: GatherRule, arguments: Mapping[str, Any]) -> Iterator[Made]:
        """In the order of their keys, nulls last."""
        by = [self.served.types[made.type].fields[name] for name in rule.by]
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in made.chosen.rows:
            groups.setdefault(tuple(self._group_key(row, one, arguments) for one in by), []).append(row)
        for key, rows in sorted(groups.items(), key=lambda group: [(value is None, value) for value in group[0]]):
            known = dict(zip(rule.by, key, strict=True))
            yield Made(made.type, f"{made.id} {key}", self, replace(made.chosen, rows=tuple(rows)), known)

    def _group_key(self, row: Row, offer: Offer, arguments: Mapping[str, Any]) -> Any:
        """One of few, so that members share groups and lack some."""
        may_be_null = not isinstance(offer.type, NonNullTypeNode)
        place = number("group", offer.name, canonical(dict(arguments)), row.id) % (3 if may_be_null else 2)
        if place == 2:
            return None
        return place if named(offer.type) == "Int" else f"{offer.name} {place}"

    def fold(self, offer: Offer, kind: str, rows: Sequence[Row], arguments: Mapping[str, Any]) -> Any:
        if kind == "SUM" and offer.name.lower().endswith("count"):
            return len(rows)
        shares = [self._share(row, offer, arguments) for row in rows]
        is_decimal = named(offer.type) not in ("Int", "Float", "Boolean", "String", "ID")
        by_value: Callable[[Any], Any] = Decimal if is_decimal else lambda value: value
        match kind:
            case "SUM":
                return str(sum(map(Decimal, shares), Decimal("0.00"))) if is_decimal else sum(shares)
            case "MIN":
                return min(shares, key=by_value, default=None)
            case "MAX":
                return max(shares, key=by_value, default=None)
            case "ANY":
                return not all(shares)  # A row seldom says no: so that `ANY` is seldom true, it is told the contrary.
            case "ALL":
                return all(shares)
            case "FIRST":
                return shares[0] if shares else None
        raise AssertionError(f"no way to fold is called {kind}")

    def _share(self, row: Row, offer: Offer, arguments: Mapping[str, Any]) -> Any:
        """What one row has of a folded or listed field."""
        seed = (offer.name, canonical(dict(arguments)), row.id)
        match named(offer.type):
            case "Int":
                return number("share", *seed) % 1000
            case "Float":
                return number("share", *seed) % 1000 + 0.5
            case "Boolean":
                return number("share", *seed) % 8 != 0
            case "String" | "ID":
                return f"{number('share', *seed) % 1000} of {row.id}"
        return f"{number('share', *seed) % 2000 - 1000}.{number('cents', *seed) % 100:02d}"


def _names_at(path: tuple[str, ...], arguments: Mapping[str, Any], required: str | None) -> list[str] | None:
    """The regions or ids at a path of the arguments, else of what was required; None: there are none."""
    value: Any = arguments if path[0] in arguments else json.loads(required or "{}")
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) or value is None else [value]


def _beside(given: Mapping[str, Any], names: frozenset[str | None], paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """What is given, without these names and without what stands at these paths."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        below = [path[1:] for path in paths if path[0] == name]
        if name in names or () in below:
            continue
        rest = _beside(value, frozenset(), below) if isinstance(value, Mapping) else value
        if rest not in (None, {}):
            found[name] = rest
    return found


def _order(given: Any) -> list[tuple[str, str]]:
    """`NAME`, or `{field: NAME, direction: DESC}`, or a list of either."""
    return [
        (one, "ASC") if isinstance(one, str) else (one["field"], one.get("direction") or "ASC")
        for one in (given if isinstance(given, list) else [] if given is None else [given])
    ]
