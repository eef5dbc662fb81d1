"""LINK_IMPORT_NAME_MISMATCH: a directive that goes into the supergraph has one name in all subgraphs that apply it."""

from __future__ import annotations

from graphql import ConstDirectiveNode, Visitor, visit

from gateway.composition.merge.model import Merged
from gateway.composition.model import Report
from gateway.composition.specs import MERGED
from gateway.composition.subgraph import Subgraph

__all__ = ["check_link_names"]


def check_link_names(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    names: dict[str, dict[str, list[Subgraph]]] = {}
    for subgraph in subgraphs:
        for local, element in _applied(subgraph).items():
            names.setdefault(element, {}).setdefault(local, []).append(subgraph)
    for element, by_name in names.items():
        if len(by_name) > 1:
            told = " but ".join(
                f'"@{local}" in {", ".join(one.name for one in same)}' for local, same in sorted(by_name.items())
            )
            report.error(
                "LINK_IMPORT_NAME_MISMATCH",
                f'The "@{element}" directive is imported with mismatched name between subgraphs: it is imported as {told}.',
                [(one.name, None) for same in by_name.values() for one in same],
            )


def _applied(subgraph: Subgraph) -> dict[str, str]:
    """Local name → name in the specification, of directives that are applied somewhere."""
    finder = _Finder()
    visit(subgraph.document, finder)
    merged = {local: element for local, element in subgraph.directive_names.items() if element in MERGED}
    return {local: merged[local] for local in sorted(finder.found & merged.keys())}


class _Finder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_directive(self, node: ConstDirectiveNode, *_: object) -> None:
        self.found.add(node.name.value)
