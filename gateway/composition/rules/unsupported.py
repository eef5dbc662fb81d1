"""What composition does not carry into a supergraph yet: UNSUPPORTED_FEATURE, UNSUPPORTED_LINKED_FEATURE.

To compose such a schema would lose what it says (a policy, a connector), so it is refused by name.
"""

from __future__ import annotations

from graphql import ConstDirectiveNode, Visitor, visit

from gateway.composition.model import Report
from gateway.composition.specs import NOT_CARRIED
from gateway.composition.subgraph import Subgraph
from gateway.supergraph.links import APOLLO

__all__ = ["check_unsupported"]


def check_unsupported(subgraph: Subgraph, report: Report) -> None:
    for link in subgraph.foreign_links:
        if link.identity.startswith(f"{APOLLO}/") or link.purpose is not None:
            report.error(
                "UNSUPPORTED_LINKED_FEATURE",
                f'[{subgraph.name}] "{link.url}" is not supported by composition yet; without it the supergraph would'
                " not do what the schema says.",
                [(subgraph.name, link.node)],
            )
    visit(subgraph.document, _Finder(subgraph, report))


class _Finder(Visitor):
    def __init__(self, subgraph: Subgraph, report: Report) -> None:
        super().__init__()
        self.subgraph = subgraph
        self.report = report

    def enter_directive(self, node: ConstDirectiveNode, *_: object) -> None:
        element = self.subgraph.directive_names.get(node.name.value)
        if element in NOT_CARRIED:
            self.report.error(
                "UNSUPPORTED_FEATURE",
                f"[{self.subgraph.name}] @{element} is not supported by composition yet.",
                [(self.subgraph.name, node)],
            )
