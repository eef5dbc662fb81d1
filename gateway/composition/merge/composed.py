"""`@composeDirective`: a subgraph's own directives that the supergraph shall bear, too.

Asked for by name (`@composeDirective(name: "@mine")`), defined in the subgraph, and imported by a `@link` of a
specification of its own, so that readers of the supergraph know whose it is. Subgraphs must mean the same by a name: one
specification, one major version; of the minor versions the newest gives the definition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from graphql import DirectiveDefinitionNode

from gateway.composition.model import Report
from gateway.composition.subgraph import ComposeRequest, Subgraph
from gateway.supergraph.links import APOLLO, Link

__all__ = ["ComposedDirective", "find_composed", "link_texts"]

CODE = "DIRECTIVE_COMPOSITION_ERROR"


@dataclass(frozen=True, slots=True)
class ComposedDirective:
    name: str
    link: Link
    element: str
    """Its name in its specification, without `@`."""
    definition: DirectiveDefinitionNode

    def import_text(self) -> str:
        if self.element == self.name:
            return f'"@{self.name}"'
        return f'{{name: "@{self.element}", as: "@{self.name}"}}'


def find_composed(subgraphs: tuple[Subgraph, ...], report: Report) -> list[ComposedDirective]:
    asked: dict[str, list[tuple[Subgraph, ComposeRequest, ComposedDirective]]] = {}
    for subgraph in subgraphs:
        for request in subgraph.compose:
            found = _checked(subgraph, request, report)
            if found is not None:
                asked.setdefault(found.name, []).append((subgraph, request, found))
    return [one for _, same in sorted(asked.items()) if (one := _agreed(same, report)) is not None]


def link_texts(composed: Iterable[ComposedDirective]) -> list[str]:
    """One `@link` for each specification."""
    by_url: dict[str, list[ComposedDirective]] = {}
    for one in composed:
        by_url.setdefault(one.link.url, []).append(one)
    return [
        f"@link(url: {json.dumps(url)}, import: [{', '.join(one.import_text() for one in same)}])"
        for url, same in sorted(by_url.items())
    ]


def _checked(subgraph: Subgraph, request: ComposeRequest, report: Report) -> ComposedDirective | None:
    def refused(why: str) -> None:
        report.error(CODE, f"[{subgraph.name}] {why}", [(subgraph.name, request.node)])

    if request.name is None or not request.name.startswith("@"):
        refused('The argument of @composeDirective is the name of a directive, beginning with "@".')
        return None
    name = request.name[1:]
    if name in subgraph.directive_names:
        refused(f'"@{name}" is a directive of federation itself, which composition merges by its own rules.')
        return None
    definition = subgraph.directives.get(name)
    if definition is None:
        refused(f'"@{name}" is not defined in this subgraph. Define it, or correct the name.')
        return None
    link = next((one for one in subgraph.foreign_links if one.owns_directive(name)), None)
    if link is None or link.version is None or link.identity.startswith(f"{APOLLO}/"):
        refused(
            f'"@{name}" does not belong to a specification of its own. Link one with a version and import it:'
            f' @link(url: "https://example.com/{name}/v1.0", import: ["@{name}"]).'
        )
        return None
    element = next((one[1:] for one, local in link.imports.items() if local == f"@{name}"), name)
    return ComposedDirective(name, link, element, definition)


def _agreed(same: list[tuple[Subgraph, ComposeRequest, ComposedDirective]], report: Report) -> ComposedDirective | None:
    where = [(subgraph.name, request.node) for subgraph, request, _ in same]
    name = same[0][2].name
    if len({(one.link.identity, one.element) for _, _, one in same}) > 1:
        said = ", ".join(f'"@{one.element}" of {one.link.identity} in "{subgraph.name}"' for subgraph, _, one in same)
        report.error(CODE, f'"@{name}" means different directives: {said}.', where)
        return None
    versions = {one.link.version for _, _, one in same if one.link.version is not None}
    if len({major for major, _ in versions}) > 1:
        said = ", ".join(f'{one.link.url} in "{subgraph.name}"' for subgraph, _, one in same)
        report.error(CODE, f'"@{name}" comes in several major versions: {said}.', where)
        return None
    return max((one for _, _, one in same), key=lambda one: one.link.version or (0, 0))
