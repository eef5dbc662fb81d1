"""Partitioned groups: PARTITION_…, the codes of horizontal federation.

A group's members answer the same schema from their own rows, so every answer of the group must say how members'
answers become one. What is left unsaid would be answered from one member by accident, or added up wrongly; therefore
nothing may be left unsaid. `docs/composition-errors.md` explains each code and its remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import NonNullTypeNode, TypeNode, value_from_ast_untyped

from gateway.composition.field_sets import key_fields
from gateway.composition.model import Report
from gateway.composition.rules.partition_types import is_list, unfit_fold, unfit_key, unfit_sources, unfit_wish
from gateway.composition.subgraph import HorizontalMark, Subgraph, SubgraphField, SubgraphType, TypeKind
from gateway.supergraph.elements import named_type
from gateway.supergraph.model import Fold, FoldKind, Gather, GatherKind, Partitioned, Route
from gateway.supergraph.partitions import read_fold, read_gather, read_partitioned, read_route

__all__ = ["check_partitions"]

_ROOTS = ("Query", "Mutation", "Subscription")
_CONNECTION_PARTS = frozenset({"nodes", "edges", "pageInfo"})
"""Fields of a connection that merging by cursors makes; all others must fold or gather."""
_AVERAGE = re.compile(r"^(avg|average|mean)([A-Z_0-9]|$)|(Avg|Average|Mean)([A-Z_0-9]|$)|_(avg|average|mean)(_|$)")
_AVERAGE_KINDS = frozenset({"AVG", "AVERAGE", "MEAN"})


def check_partitions(subgraph: Subgraph, report: Report) -> None:
    if subgraph.is_horizontal:
        _Check(subgraph, report).run()


Coordinate = tuple[str, str]


@dataclass
class _Check:
    subgraph: Subgraph
    report: Report
    partitioned: dict[str, Partitioned] = field(default_factory=dict)
    routes: dict[Coordinate, Route] = field(default_factory=dict)
    gathers: dict[Coordinate, Gather] = field(default_factory=dict)
    folds: dict[Coordinate, Fold] = field(default_factory=dict)

    def run(self) -> None:
        before = len(self.report.errors)
        self.read()
        if len(self.report.errors) > before:
            return
        keys = key_fields(self.subgraph)
        for type_ in self.subgraph.types.values():
            if type_.name in _ROOTS:
                self.root(type_)
            elif type_.name in self.partitioned:
                self.partitioned_type(type_)
            elif type_.kind is TypeKind.OBJECT and any(key.resolvable for key in type_.keys):
                self.gathered_entity(type_, keys)
        self.gathered_objects()
        for at in [*self.routes, *self.gathers]:
            self.argument_paths(at)

    def refuse(self, code: str, where: str, message: str, node: Any) -> None:
        self.report.error(
            f"PARTITION_{code}", f"[{self.subgraph.name}] {where}: {message}", [(self.subgraph.name, node)]
        )

    # Reading

    def read(self) -> None:
        for type_ in self.subgraph.types.values():
            for mark in type_.horizontal:
                self.read_mark(mark, type_.name, None)
            for one in type_.fields.values():
                for mark in one.horizontal:
                    self.read_mark(mark, type_.name, one.name)

    def read_mark(self, mark: HorizontalMark, type_name: str, field_name: str | None) -> None:
        where = f"{type_name}.{field_name}" if field_name else type_name
        arguments = _arguments(mark)
        if mark.name == "fold" and arguments.get("with") in _AVERAGE_KINDS:
            self.refuse("AVERAGE", where, "averages do not fold; expose a sum and a count instead.", mark.node)
            return
        at = (type_name, field_name or "")
        try:
            match mark.name:
                case "partitioned":
                    self.partitioned[type_name] = read_partitioned(arguments)
                case "route":
                    self.routes[at] = read_route(arguments)
                case "gather":
                    self.gathers[at] = read_gather(arguments)
                case "fold":
                    self.folds[at] = read_fold(arguments)
        except ValueError as error:
            self.refuse("DIRECTIVE_INVALID", where, f"@{mark.name}: {error}", mark.node)

    # Types

    def root(self, type_: SubgraphType) -> None:
        for one in type_.fields.values():
            at = (type_.name, one.name)
            where = f"{type_.name}.{one.name}"
            if type_.name == "Subscription":
                self.refuse("SUBSCRIPTION", where, "a partitioned group cannot serve subscriptions.", one.node)
            elif at in self.routes and at in self.gathers:
                self.refuse("FIELD_AMBIGUOUS", where, "give either @route or @gather, not both.", one.node)
            elif type_.name == "Mutation" and at not in self.routes:
                self.refuse("MUTATION_UNROUTED", where, "a change goes to one member: give it @route.", one.node)
            elif at not in self.routes and at not in self.gathers:
                self.refuse("FIELD_UNGATHERED", where, "a root field of a group needs @gather or @route.", one.node)
            elif at in self.gathers and isinstance(one.type, NonNullTypeNode):
                self.report.hint(
                    "PARTITION_GATHER_NON_NULL",
                    f"[{self.subgraph.name}] {where}: when no member answers, a field that cannot be null takes its"
                    " parent with it; let it be null.",
                    [(self.subgraph.name, one.node)],
                )

    def partitioned_type(self, type_: SubgraphType) -> None:
        partitioned = self.partitioned[type_.name]
        mark = next(one for one in type_.horizontal if one.name == "partitioned")
        key = type_.fields.get(partitioned.key)
        keys = {one.fields.text.strip() for one in type_.keys if one.resolvable}
        if key is None or partitioned.key not in keys:
            self.refuse(
                "KEY_UNKNOWN",
                type_.name,
                f'@partitioned(key: "{partitioned.key}") names no key of the type; give it @key(fields:'
                f' "{partitioned.key}").',
                mark.node,
            )
        for one in type_.fields.values():
            if (type_.name, one.name) in self.gathers or (type_.name, one.name) in self.routes:
                self.refuse(
                    "GATHER_MISPLACED",
                    f"{type_.name}.{one.name}",
                    "a row of a partitioned type lives in one member, which answers alone.",
                    one.node,
                )

    def gathered_entity(self, type_: SubgraphType, keys: frozenset[Coordinate]) -> None:
        for one in type_.fields.values():
            at = (type_.name, one.name)
            if at not in keys and not one.external and at not in self.gathers and at not in self.routes:
                self.refuse(
                    "ENTITY_UNPLACED",
                    type_.name,
                    f'it is neither @partitioned nor wholly gathered: "{one.name}" has no @gather.',
                    one.node,
                )

    # Gathered objects and what is in them

    def gathered_objects(self) -> None:
        inside: dict[str, frozenset[str]] = {}
        for at, gather in self.gathers.items():
            target = self.gather_target(at, gather)
            if target is not None:
                made = _CONNECTION_PARTS if gather.kind is GatherKind.CONNECTION else frozenset(gather.by)
                # Two fields may gather the same type by different keys: only what both make needs no fold.
                inside[target.name] = inside.get(target.name, made) & made
        self.inside(inside)
        self.outside(frozenset(inside))

    def gather_target(self, at: Coordinate, gather: Gather) -> SubgraphType | None:
        """The object type whose fields merge one by one, if the gather makes one; checks that the kind fits."""
        one = self.subgraph.types[at[0]].fields[at[1]]
        target = self.subgraph.types.get(named_type(one.type))
        is_object = target is not None and target.kind is TypeKind.OBJECT
        where = f"{at[0]}.{at[1]}"
        fits = {
            GatherKind.CONNECTION: not is_list(one.type)
            and target is not None
            and _is_connection(target, self.subgraph),
            GatherKind.LIST: is_list(one.type),
            GatherKind.GROUPS: is_list(one.type) and is_object,
            GatherKind.FOLD: not is_list(one.type) and is_object,
            GatherKind.ONE: True,
            GatherKind.SOURCES: is_list(one.type) and is_object,
        }
        if not fits[gather.kind]:
            wanted = {
                GatherKind.CONNECTION: "an object with pageInfo and edges { cursor node }",
                GatherKind.LIST: "a list",
                GatherKind.GROUPS: "a list of objects",
                GatherKind.FOLD: "an object",
                GatherKind.SOURCES: "a list of objects",
            }[gather.kind]
            self.refuse("GATHER_TYPE", where, f"@gather(as: {gather.kind}) needs {wanted}.", one.node)
            return None
        if gather.kind is GatherKind.SOURCES and target is not None:
            for unfit in unfit_sources(target, self.subgraph):
                self.refuse("SOURCES_TYPE", where, unfit, one.node)
        if gather.kind is GatherKind.GROUPS:
            self.groups(where, one, gather, target)
        elif gather.by:
            self.refuse("BY_UNKNOWN", where, "only groups have by-fields.", one.node)
        return target if gather.kind in (GatherKind.CONNECTION, GatherKind.GROUPS, GatherKind.FOLD) else None

    def groups(self, where: str, one: SubgraphField, gather: Gather, target: SubgraphType | None) -> None:
        if not gather.by:
            self.refuse("BY_UNKNOWN", where, "groups need by: the fields that make a group one.", one.node)
        for name in gather.by:
            if target is None or name not in target.fields:
                self.refuse("BY_UNKNOWN", where, f'"{named_type(one.type)}" has no field "{name}".', one.node)

    def inside(self, inside: Mapping[str, frozenset[str]]) -> None:
        for name, made in inside.items():
            for one in self.subgraph.types[name].fields.values():
                at = (name, one.name)
                if at in self.folds and at in self.gathers:
                    self.refuse("FIELD_AMBIGUOUS", f"{name}.{one.name}", "give either @fold or @gather.", one.node)
                elif one.name not in made and at not in self.folds and at not in self.gathers:
                    self.refuse(
                        "FIELD_UNFOLDED",
                        f"{name}.{one.name}",
                        "a field of a gathered object needs @fold or @gather.",
                        one.node,
                    )
                elif at in self.folds:
                    self.fold(at, one)

    def fold(self, at: Coordinate, one: SubgraphField) -> None:
        where = f"{at[0]}.{at[1]}"
        kind = self.folds[at].kind
        if kind is not FoldKind.FIRST and _AVERAGE.search(one.name):
            self.refuse("AVERAGE", where, "averages do not fold; expose a sum and a count instead.", one.node)
        if unfit := unfit_fold(kind, one.type):
            self.refuse("FOLD_TYPE", where, unfit, one.node)

    def outside(self, inside: frozenset[str]) -> None:
        for at in self.folds:
            if at[0] not in inside:
                one = self.subgraph.types[at[0]].fields[at[1]]
                self.refuse(
                    "FOLD_MISPLACED", f"{at[0]}.{at[1]}", "@fold stands on fields of gathered objects only.", one.node
                )
        for at in self.gathers:
            one_type = self.subgraph.types[at[0]]
            at_home = at[0] in _ROOTS or at[0] in inside or bool(one_type.keys)
            if not at_home:
                self.refuse(
                    "GATHER_MISPLACED",
                    f"{at[0]}.{at[1]}",
                    "@gather stands on root fields, on fields of gathered objects and of gathered entities.",
                    one_type.fields[at[1]].node,
                )
            elif self.gathers[at].wish is not None and at[0] in inside:
                self.refuse(
                    "WISH_INVALID",
                    f"{at[0]}.{at[1]}",
                    "a wish stands where members are asked: on root fields and on fields of gathered entities.",
                    one_type.fields[at[1]].node,
                )

    # Argument paths

    def argument_paths(self, at: Coordinate) -> None:
        type_ = self.subgraph.types[at[0]]
        one = type_.fields[at[1]]
        for path, may_be_field in self.paths(at):
            self.led_to(at, path, type_ if may_be_field else None, one)
        route, gather = self.routes.get(at), self.gathers.get(at)
        where = f"{at[0]}.{at[1]}"
        if route is not None and route.idempotency_key is not None:
            if at[0] != "Mutation":
                self.refuse("IDEMPOTENCY_INVALID", where, "only changes have an idempotency key.", one.node)
            found = self.led_to(at, route.idempotency_key, None, one)
            if found is not None and (unfit := unfit_key(found)):
                self.refuse("IDEMPOTENCY_INVALID", where, unfit, one.node)
        if gather is not None and gather.wish is not None:
            found = self.led_to(at, gather.wish, None, one)
            if found is not None and (unfit := unfit_wish(found, self.subgraph)):
                self.refuse("WISH_INVALID", where, unfit, one.node)

    def paths(self, at: Coordinate) -> Iterator[tuple[tuple[str, ...], bool]]:
        if at in self.routes:
            yield self.routes[at].argument, False
        gather = self.gathers.get(at)
        if gather is not None:
            if gather.order is not None:
                yield (gather.order,), False
            for path in gather.prune:
                yield path, True

    def led_to(
        self, at: Coordinate, path: tuple[str, ...], parent: SubgraphType | None, one: SubgraphField
    ) -> TypeNode | None:
        """The type that `path` ends at; None, and told, when it leads nowhere."""
        found = self.type_at(path, parent, one)
        if found is None:
            message = f'there is no argument "{".".join(path)}".'
            self.refuse("ARGUMENT_UNKNOWN", f"{at[0]}.{at[1]}", message, one.node)
        return found

    def type_at(self, path: tuple[str, ...], parent: SubgraphType | None, one: SubgraphField) -> TypeNode | None:
        """`filter.region.eq` into the arguments; for an entity's field also into what it requires or is keyed by."""
        first, *rest = path
        if first in one.arguments:
            return self.type_below(one.arguments[first].type, rest)
        if parent is not None and parent.keys and first in parent.fields:
            return self.type_below(parent.fields[first].type, rest)
        return None

    def type_below(self, found: TypeNode, rest: list[str]) -> TypeNode | None:
        for name in rest:
            type_ = self.subgraph.types.get(named_type(found))
            if type_ is None:
                return None
            if type_.kind is TypeKind.SCALAR:
                return found  # An opaque value of our own: what is in it, only its members know.
            inner = type_.inputs.get(name) or type_.fields.get(name)
            if inner is None:
                return None
            found = inner.type
        return found


def _arguments(mark: HorizontalMark) -> dict[str, Any]:
    return {one.name.value: value_from_ast_untyped(one.value) for one in mark.node.arguments or ()}


def _is_connection(type_: SubgraphType, subgraph: Subgraph) -> bool:
    edges = type_.fields.get("edges")
    if edges is None or "pageInfo" not in type_.fields or not is_list(edges.type):
        return False
    edge = subgraph.types.get(named_type(edges.type))
    return edge is not None and {"cursor", "node"} <= set(edge.fields)
