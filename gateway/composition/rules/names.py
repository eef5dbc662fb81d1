"""INVALID_SUBGRAPH_NAME, and the names that subgraphs get in `join__Graph`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.composition.model import Report, SubgraphSource

__all__ = ["check_names", "graph_names"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,127}")


def check_names(sources: Sequence[SubgraphSource], report: Report) -> None:
    if not sources:
        report.error("NO_QUERIES", "No queries found in any subgraph: there is no subgraph.")
    seen: set[str] = set()
    for source in sources:
        if source.name == "_" or not _NAME.fullmatch(source.name):
            report.error(
                "INVALID_SUBGRAPH_NAME",
                f'Invalid name "{source.name}" for a subgraph: a name starts with a letter and holds letters, digits,'
                ' "_", "-" and "."; "_" alone is reserved.',
                [(source.name, None)],
            )
        if source.name in seen:
            report.error(
                "INVALID_SUBGRAPH_NAME",
                f'A subgraph named "{source.name}" is given twice.',
                [(source.name, None)],
            )
        seen.add(source.name)


def graph_names(names: Sequence[str]) -> dict[str, str]:
    """`order-lines` → `ORDER_LINES`, as other composers name graphs: names that would become the same get a number,
    and a name that already ends in one (`shop-2` → `SHOP_2_`) is kept apart from these."""
    wanted = {name: _graph_name(name) for name in names}
    found: dict[str, str] = {}
    for name in names:
        same = [other for other in names if wanted[other] == wanted[name]]
        found[name] = wanted[name] if len(same) == 1 else f"{wanted[name]}_{same.index(name) + 1}"
    return found


def _graph_name(name: str) -> str:
    plain = re.sub(r"\W", "_", name).upper()
    return f"{plain}_" if re.search(r"_\d+$", plain) else plain
