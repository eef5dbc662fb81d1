"""What the linked specifications define: the federation directives by version, and the horizontal ones.

A subgraph may use a directive only from the version on in which it came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphql import DirectiveDefinitionNode, parse

from gateway.supergraph.links import Version

__all__ = [
    "FEDERATION_1_DIRECTIVES",
    "FEDERATION_TYPES",
    "FEDERATION_VERSIONS",
    "HORIZONTAL_TYPES",
    "MERGED",
    "SpecDirective",
    "federation_directives",
    "horizontal_directives",
]

FEDERATION_VERSIONS: tuple[Version, ...] = tuple((2, minor) for minor in range(15))
FEDERATION_TYPES = frozenset({"FieldSet", "Scope", "Policy", "ContextFieldValue"})
HORIZONTAL_TYPES = frozenset({"Gather", "Fold"})

MERGED = frozenset({"inaccessible", "tag", "authenticated", "requiresScopes", "policy", "cost", "listSize"})
"""Directives that the supergraph bears, too."""

FEDERATION_1_DIRECTIVES = frozenset({"key", "requires", "provides", "external", "extends", "tag", "inaccessible"})

_ANYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)


@dataclass(frozen=True, slots=True)
class SpecDirective:
    """A directive of a specification: since which version, and its definition under any local name."""

    element: str
    since: Version
    template: str
    """SDL after `directive @name`; `{FieldSet}` and the like stand for the local names of the spec's types."""

    def define(self, name: str, type_name: Callable[[str], str]) -> DirectiveDefinitionNode:
        text = self.template
        for spec_type in FEDERATION_TYPES | HORIZONTAL_TYPES:
            text = text.replace(f"{{{spec_type}}}", type_name(spec_type))
        definition = parse(f"directive @{name}{text}", no_location=True).definitions[0]
        assert isinstance(definition, DirectiveDefinitionNode)
        return definition


_FEDERATION = (
    SpecDirective("key", (2, 0), "(fields: {FieldSet}!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"),
    SpecDirective("requires", (2, 0), "(fields: {FieldSet}!) on FIELD_DEFINITION"),
    SpecDirective("provides", (2, 0), "(fields: {FieldSet}!) on FIELD_DEFINITION"),
    SpecDirective("external", (2, 0), "(reason: String) on OBJECT | FIELD_DEFINITION"),
    SpecDirective("extends", (2, 0), " on OBJECT | INTERFACE"),
    SpecDirective("shareable", (2, 0), " repeatable on OBJECT | FIELD_DEFINITION"),
    SpecDirective("inaccessible", (2, 0), f" on {_ANYWHERE}"),
    SpecDirective("tag", (2, 0), f"(name: String!) repeatable on {_ANYWHERE} | SCHEMA"),
    SpecDirective("override", (2, 0), "(from: String!) on FIELD_DEFINITION"),
    SpecDirective("composeDirective", (2, 1), "(name: String!) repeatable on SCHEMA"),
    SpecDirective("interfaceObject", (2, 3), " on OBJECT"),
    SpecDirective("authenticated", (2, 5), " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"),
    SpecDirective(
        "requiresScopes",
        (2, 5),
        "(scopes: [[{Scope}!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    ),
    SpecDirective(
        "policy",
        (2, 6),
        "(policies: [[{Policy}!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    ),
    SpecDirective("override", (2, 7), "(from: String!, label: String) on FIELD_DEFINITION"),
    SpecDirective("context", (2, 8), "(name: String!) repeatable on INTERFACE | OBJECT | UNION"),
    SpecDirective("fromContext", (2, 8), "(field: {ContextFieldValue}) on ARGUMENT_DEFINITION"),
    SpecDirective(
        "cost",
        (2, 9),
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
    ),
    SpecDirective(
        "listSize",
        (2, 9),
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
        " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    ),
    SpecDirective("cacheTag", (2, 12), "(format: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE"),
)

_HORIZONTAL = (
    SpecDirective("partitioned", (1, 0), "(key: String!, segment: Int, whole: Boolean) on OBJECT"),
    SpecDirective("route", (1, 0), "(argument: String!, idempotencyKey: String) on FIELD_DEFINITION"),
    SpecDirective(
        "gather",
        (1, 0),
        "(as: {Gather}!, by: [String!], order: String, prune: [String!], wish: String) on FIELD_DEFINITION",
    ),
    SpecDirective("fold", (1, 0), "(with: {Fold}!) on FIELD_DEFINITION"),
)


def federation_directives(version: Version | None) -> list[SpecDirective]:
    """What a schema of this version may use; None: Federation 1."""
    if version is None:
        return [one for one in _FEDERATION if one.element in FEDERATION_1_DIRECTIVES]
    newest = {one.element: one for one in _FEDERATION if one.since <= version}
    return list(newest.values())


def horizontal_directives() -> tuple[SpecDirective, ...]:
    return _HORIZONTAL
