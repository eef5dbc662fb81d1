"""`@interfaceObject` within one subgraph: INTERFACE_OBJECT_USAGE_ERROR."""

from __future__ import annotations

from gateway.composition.model import Report
from gateway.composition.subgraph import Subgraph

__all__ = ["check_interface_object"]


def check_interface_object(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        if type_.is_interface_object and not type_.keys:
            report.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f"[{subgraph.name}] The @interfaceObject directive can only be applied to entity types but type"
                f' "{type_.name}" has no @key in this subgraph.',
                [(subgraph.name, type_.node)],
            )
