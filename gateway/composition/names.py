"""Which name means what in one subgraph: `@link`, its imports and its renames, told once for all that read directives.

A Federation 2 schema links the federation specification and imports what it uses (`@key`), perhaps under another name;
without an import the name has a prefix (`@federation__key`). A Federation 1 schema links nothing and uses the plain
names. The horizontal specification is linked in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import DefinitionNode, DocumentNode, Node, parse

from gateway.composition.model import Report
from gateway.composition.specs import (
    FEDERATION_TYPES,
    FEDERATION_VERSIONS,
    HORIZONTAL_TYPES,
    SpecDirective,
    federation_directives,
    horizontal_directives,
)
from gateway.supergraph.links import (
    APOLLO,
    HORIZONTAL,
    Link,
    LinkIdentifierProblem,
    LinkProblem,
    Version,
    find_link,
    read_links,
)
from gateway.supergraph.model import FoldKind, GatherKind

__all__ = ["SERVICE_FIELDS", "SERVICE_TYPES", "Names", "read_names"]

SERVICE_TYPES = frozenset({"_Any", "_Entity", "_Service", "_FieldSet"})
SERVICE_FIELDS = frozenset({"_service", "_entities"})
"""What a subgraph adds to its schema for its gateway; no part of the graph."""

_LINK_DEFINITIONS = """
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
"""
_INTERNAL_PREFIXES = ("link__", "core__", "federation__", "join__")


@dataclass(frozen=True, slots=True)
class Names:
    federation: Version | None
    is_horizontal: bool = False
    directives: Mapping[str, str] = field(default_factory=dict)
    """Local name → name in the federation specification."""
    horizontal: Mapping[str, str] = field(default_factory=dict)
    """Local name → name in the horizontal specification."""
    types: frozenset[str] = SERVICE_TYPES
    """Local names of types that belong to specifications."""
    definitions: tuple[DefinitionNode, ...] = ()
    """What the specifications define, under local names: a schema's own copies are replaced by these."""
    foreign_links: tuple[Link, ...] = ()
    """Linked specifications that composition does not know."""

    def owns_type(self, name: str) -> bool:
        return name in self.types or name.startswith(_INTERNAL_PREFIXES)

    def owns_directive(self, name: str) -> bool:
        return (
            name in self.directives
            or name in self.horizontal
            or name in ("link", "core")
            or name.startswith(_INTERNAL_PREFIXES)
        )


def read_names(subgraph: str, document: DocumentNode, report: Report) -> Names | None:
    """None, with the error reported, when the links make no sense."""
    try:
        links = read_links(document)
    except LinkIdentifierProblem as problem:
        report.error("INVALID_LINK_IDENTIFIER", f"[{subgraph}] {problem}", [(subgraph, problem.node)])
        return None
    except LinkProblem as problem:
        report.error("INVALID_LINK_DIRECTIVE_USAGE", f"[{subgraph}] {problem}", [(subgraph, problem.node)])
        return None
    federation = find_link(links, f"{APOLLO}/federation")
    horizontal = find_link(links, HORIZONTAL)
    if not _check_versions(subgraph, links, federation, horizontal, report):
        return None
    version = federation.version if federation else None
    specs = federation_directives(version)
    names = {_local(federation, one): one.element for one in specs}
    for spec in ("tag", "inaccessible"):  # They are specifications of their own too, and may be linked so.
        link = find_link(links, f"{APOLLO}/{spec}")
        if link is not None:
            names[link.directive(spec)] = spec
    own_types = SERVICE_TYPES | {_type(federation, one) for one in FEDERATION_TYPES}
    if horizontal is not None:
        own_types |= {horizontal.type(one) for one in HORIZONTAL_TYPES}
    known = {f"{APOLLO}/{name}" for name in ("link", "core", "federation", "tag", "inaccessible")} | {HORIZONTAL}
    return Names(
        federation=version,
        is_horizontal=horizontal is not None,
        directives=names,
        horizontal={horizontal.directive(one.element): one.element for one in horizontal_directives()}
        if horizontal
        else {},
        types=frozenset(own_types),
        definitions=_definitions(names, {one.element: one for one in specs}, federation, horizontal),
        foreign_links=tuple(link for link in links if link.identity not in known),
    )


def _local(federation: Link | None, spec: SpecDirective) -> str:
    return spec.element if federation is None else federation.directive(spec.element)


def _type(federation: Link | None, element: str) -> str:
    return f"federation__{element}" if federation is None else federation.type(element)


def _check_versions(
    subgraph: str, links: tuple[Link, ...], federation: Link | None, horizontal: Link | None, report: Report
) -> bool:
    found = len(report.errors)

    def refuse(code: str, message: str, node: Node | None) -> None:
        report.error(code, f"[{subgraph}] {message}", [(subgraph, node)])

    if federation is not None and federation.version is None:
        refuse("INVALID_LINK_IDENTIFIER", f'"{federation.url}" ends in no version, such as "/v2.9".', federation.node)
        return False
    if federation is not None and federation.version not in FEDERATION_VERSIONS:
        newest = FEDERATION_VERSIONS[-1]
        refuse(
            "UNKNOWN_FEDERATION_LINK_VERSION",
            f'"{federation.url}": known are v2.0 to v{newest[0]}.{newest[1]}.',
            federation.node,
        )
        return False
    if horizontal is not None and horizontal.version != (1, 0):
        refuse("UNKNOWN_LINK_VERSION", f'"{horizontal.url}": known is v1.0.', horizontal.node)
    for link, known in (
        (federation, {f"@{one.element}" for one in federation_directives(federation.version if federation else None)}),
        (horizontal, {f"@{one.element}" for one in horizontal_directives()}),
    ):
        for element in link.imports if link else ():
            if element not in known | FEDERATION_TYPES | HORIZONTAL_TYPES:
                assert link is not None
                refuse(
                    "INVALID_LINK_DIRECTIVE_USAGE",
                    f'"{link.url}" has no element "{element}" to import.',
                    link.node,
                )
    prefixes = [link.prefix for link in links]
    for link in links:
        if prefixes.count(link.prefix) > 1:
            refuse("INVALID_LINK_DIRECTIVE_USAGE", f'two links use the name "{link.prefix}".', link.node)
    return len(report.errors) == found


def _definitions(
    names: Mapping[str, str],
    specs: Mapping[str, SpecDirective],
    federation: Link | None,
    horizontal: Link | None,
) -> tuple[DefinitionNode, ...]:
    by_element = {one.element: one for one in federation_directives((2, 0))} | dict(specs)
    found: list[DefinitionNode] = [*parse(_LINK_DEFINITIONS, no_location=True).definitions]
    found += [by_element[element].define(name, lambda one: _type(federation, one)) for name, element in names.items()]
    scalars = sorted({_type(federation, one) for one in FEDERATION_TYPES})
    types = [f"scalar {one}" for one in scalars]
    if horizontal is not None:
        link = horizontal
        found += [one.define(link.directive(one.element), link.type) for one in horizontal_directives()]
        types.append(f"enum {link.type('Gather')} {{ {' '.join(GatherKind)} }}")
        types.append(f"enum {link.type('Fold')} {{ {' '.join(FoldKind)} }}")
    found += parse("\n".join(types), no_location=True).definitions
    return tuple(found)
