"""What composition does not carry into a supergraph yet: UNSUPPORTED_LINKED_FEATURE.

To compose such a schema would lose what it says (a policy, a connector), so it is refused by name.
"""

from __future__ import annotations

from gateway.composition.model import Report
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
