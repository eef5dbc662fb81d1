"""What a subgraph promises, read from its own SDL and nothing else: so that a fault of ours in composition, in the query
graph or in planning cannot hide behind itself.

`Served` is one subgraph; `Offer` is one field of one of its types, with the terms on which it is served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    StringValueNode,
    TypeNode,
    build_ast_schema,
    parse,
    print_ast,
    value_from_ast_untyped,
)
from graphql.language import REMOVE, Visitor, visit

__all__ = [
    "ROOTS",
    "Contextual",
    "GatherRule",
    "Key",
    "Offer",
    "Partition",
    "Served",
    "TypeOffer",
    "field_set",
    "named",
    "serve",
]

ROOTS = ("Query", "Mutation", "Subscription")
_LEFT_OUT = frozenset({"Gather", "Fold"})


@dataclass(frozen=True)
class Key:
    selection: SelectionSetNode
    resolvable: bool


@dataclass(frozen=True)
class Partition:
    """Where the rows of a type lie: in the member that a segment of their key names, or (None) all of it."""

    key: str
    segment: int | None


@dataclass(frozen=True)
class GatherRule:
    kind: str
    by: tuple[str, ...]
    order: str | None
    prune: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Contextual:
    """An argument whose value comes from an object around."""

    context: str
    selection: SelectionSetNode
    type: TypeNode


@dataclass(frozen=True)
class Offer:
    name: str
    type: TypeNode
    external: bool
    requires: SelectionSetNode | None
    provides: SelectionSetNode | None
    override_from: str | None
    label: str | None
    gather: GatherRule | None = None
    fold: str | None = None
    route: tuple[str, ...] | None = None
    contextual: Mapping[str, Contextual] = field(default_factory=dict)
    """By argument."""


@dataclass
class TypeOffer:
    name: str
    kind: str
    """`object`, `interface`, `union`, or something without fields."""
    fields: dict[str, Offer] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    interfaces: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    is_interface_object: bool = False
    partition: Partition | None = None
    contexts: set[str] = field(default_factory=set)
    """That it sets."""
    key_fields: set[str] = field(default_factory=set)
    """Fields that stand in a key, here or on the way to one."""


@dataclass
class Served:
    """One subgraph."""

    name: str
    sdl: str
    types: dict[str, TypeOffer]
    roots: Mapping[str, str]
    """Its own names of the root types → `Query`, `Mutation`, `Subscription`."""
    document: DocumentNode

    @property
    def is_partitioned(self) -> bool:
        fields = [one for each in self.types.values() for one in each.fields.values()]
        return any(one.gather is not None or one.route is not None for one in fields)

    def possible(self, name: str) -> frozenset[str]:
        """The object types that an object returned as `name` may have."""
        found = self.types.get(name)
        if found is None or found.kind == "union":
            return frozenset(found.members) if found is not None else frozenset()
        if found.kind == "interface":
            return frozenset(one.name for one in self.types.values() if one.kind == "object" and name in one.interfaces)
        return frozenset((name,))

    @cached_property
    def schema(self) -> GraphQLSchema:
        """Executable: without federation's directives, with `_entities`."""
        text = print_ast(visit(self.document, _Strip()))
        entities = sorted(one.name for one in self.types.values() if one.kind == "object" and one.keys)
        query = next((mine for mine, name in self.roots.items() if name == "Query"), "Query")
        has_query = "Query" in self.types
        fields = "_entities(representations: [_Any!]!): [_Entity]!" if entities else "_nothing: Boolean"
        text += f"\n{'extend ' if has_query else ''}type {query} {{ {fields} }}"
        if entities:
            text += f"\nscalar _Any\nunion _Entity = {' | '.join(entities)}"
        roots = [
            f"{name.lower()}: {mine}" for mine, name in self.roots.items() if name in self.types or name == "Query"
        ]
        text += f"\nschema {{ {' '.join(roots)} }}"
        return build_ast_schema(parse(text, no_location=True), assume_valid=True)


class _Strip(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return None if node.name.value in ("deprecated", "oneOf") else REMOVE

    def enter_directive_definition(self, *_: Any) -> Any:
        return REMOVE

    def enter_schema_definition(self, *_: Any) -> Any:
        return REMOVE

    def enter_schema_extension(self, *_: Any) -> Any:
        return REMOVE

    def enter_enum_type_definition(self, node: Any, *_: Any) -> Any:
        return REMOVE if node.name.value in _LEFT_OUT else None


def serve(name: str, sdl: str) -> Served:
    document = parse(sdl, no_location=True)
    roots = dict(_roots(document))
    types: dict[str, TypeOffer] = {}
    for one in document.definitions:
        kind = one.kind.removesuffix("_definition").removesuffix("_extension").removesuffix("_type")
        if kind not in ("object", "interface", "union"):
            continue
        own = one.name.value  # type: ignore[attr-defined]
        offer = types.setdefault(roots.get(own, own), TypeOffer(roots.get(own, own), kind))
        _read_type(offer, one)
    for offer in types.values():
        for key in offer.keys:
            _note_key(types, offer, key.selection)
    return Served(name, sdl, types, roots, _without_extend(document))


def _without_extend(document: DocumentNode) -> DocumentNode:
    """A type that is only extended here (an old way to say that it lives elsewhere too) is defined here as well."""
    defined = {one.name.value for one in document.definitions if one.kind.endswith("_type_definition")}  # type: ignore[attr-defined]
    text = []
    for one in document.definitions:
        written = print_ast(one)
        if one.kind.endswith("_type_extension") and one.name.value not in defined:  # type: ignore[attr-defined]
            defined.add(one.name.value)  # type: ignore[attr-defined]
            written = written.removeprefix("extend ")
        text.append(written)
    return parse("\n".join(text), no_location=True)


def _roots(document: DocumentNode) -> Iterator[tuple[str, str]]:
    told = {}
    for one in document.definitions:
        if one.kind in ("schema_definition", "schema_extension"):
            for operation in one.operation_types or ():  # type: ignore[attr-defined]
                told[operation.operation.value] = operation.type.name.value
    for name in ROOTS:
        yield told.get(name.lower(), name), name


def _read_type(offer: TypeOffer, node: Any) -> None:
    for directive in node.directives or ():
        match _name(directive):
            case "key":
                told = _arguments(directive)
                offer.keys.append(Key(field_set(told["fields"]), told.get("resolvable", True)))
            case "interfaceObject":
                offer.is_interface_object = True
            case "partitioned":
                told = _arguments(directive)
                offer.partition = Partition(told["key"], told.get("segment"))
            case "context":
                offer.contexts.add(_arguments(directive)["name"])
    offer.interfaces |= {one.name.value for one in getattr(node, "interfaces", None) or ()}
    if offer.kind == "union":
        offer.members |= {one.name.value for one in node.types or ()}
        return
    for one in node.fields or ():
        offer.fields[one.name.value] = _read_field(one)


def _read_field(node: FieldDefinitionNode) -> Offer:
    told = {_name(one): _arguments(one) for one in node.directives or ()}
    override = told.get("override", {})
    return Offer(
        name=node.name.value,
        type=node.type,
        external="external" in told,
        requires=field_set(told["requires"]["fields"]) if "requires" in told else None,
        provides=field_set(told["provides"]["fields"]) if "provides" in told else None,
        override_from=override.get("from"),
        label=override.get("label"),
        gather=_gather_rule(told["gather"]) if "gather" in told else None,
        fold=told["fold"]["with"] if "fold" in told else None,
        route=tuple(told["route"]["argument"].split(".")) if "route" in told else None,
        contextual=dict(_contextual(node)),
    )


def _gather_rule(told: Mapping[str, Any]) -> GatherRule:
    return GatherRule(
        kind=told["as"],
        by=tuple(told.get("by", ())),
        order=told.get("order"),
        prune=tuple(tuple(path.split(".")) for path in told.get("prune", ())),
    )


def _contextual(node: FieldDefinitionNode) -> Iterator[tuple[str, Contextual]]:
    for argument in node.arguments or ():
        for directive in argument.directives or ():
            if _name(directive) == "fromContext":
                context, _, selection = _arguments(directive)["field"].strip().removeprefix("$").partition(" ")
                yield argument.name.value, Contextual(context, field_set(selection), argument.type)


def _name(directive: DirectiveNode) -> str:
    return directive.name.value.removeprefix("federation__")


def _arguments(directive: DirectiveNode) -> dict[str, Any]:
    return {
        one.name.value: one.value.value if isinstance(one.value, StringValueNode) else value_from_ast_untyped(one.value)
        for one in directive.arguments or ()
    }


def field_set(text: str) -> SelectionSetNode:
    found: Any = parse(text if text.strip().startswith("{") else f"{{ {text} }}", no_location=True).definitions[0]
    selections: SelectionSetNode = found.selection_set
    return selections


def named(node: TypeNode) -> str:
    while not hasattr(node, "name"):
        node = node.type  # type: ignore[attr-defined]
    name: str = node.name.value
    return name


def _note_key(types: Mapping[str, TypeOffer], offer: TypeOffer, selections: SelectionSetNode) -> None:
    for one in selections.selections:
        if isinstance(one, InlineFragmentNode):
            condition = one.type_condition.name.value if one.type_condition else offer.name
            _note_key(types, types[condition], one.selection_set)
        elif isinstance(one, FieldNode) and one.name.value in offer.fields:
            name = one.name.value
            offer.key_fields.add(name)
            for other in types.values():
                if offer.kind == "interface" and offer.name in other.interfaces:
                    other.key_fields.add(name)
            if one.selection_set is not None:
                _note_key(types, types[named(offer.fields[name].type)], one.selection_set)
