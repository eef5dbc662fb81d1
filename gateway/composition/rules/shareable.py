"""`@shareable` within one subgraph: INVALID_SHAREABLE_USAGE."""

from __future__ import annotations

from gateway.composition.model import Report
from gateway.composition.subgraph import Subgraph, TypeKind

__all__ = ["check_shareable"]


def check_shareable(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            marked = any(subgraph.directive_names.get(one.name.value) == "shareable" for one in field.directives)
            if marked and type_.kind is TypeKind.INTERFACE:
                report.error(
                    "INVALID_SHAREABLE_USAGE",
                    f'[{subgraph.name}] Invalid use of @shareable on field "{type_.name}.{field.name}": only object type'
                    " fields can be marked with @shareable.",
                    [(subgraph.name, field.node)],
                )
            elif field.shareable and type_.name == "Subscription":
                report.error(
                    "INVALID_FIELD_SHARING",
                    f"[{subgraph.name}] Fields on root level subscription object cannot be marked as shareable"
                    f' ("{type_.name}.{field.name}").',
                    [(subgraph.name, field.node)],
                )
