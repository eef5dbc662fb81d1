"""`@external` within one subgraph: EXTERNAL_UNUSED, EXTERNAL_ON_INTERFACE, MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL."""

from __future__ import annotations

from gateway.composition.field_sets import external_uses
from gateway.composition.model import Report
from gateway.composition.specs import MERGED
from gateway.composition.subgraph import Subgraph, TypeKind

__all__ = ["check_external"]


def check_external(subgraph: Subgraph, report: Report) -> None:
    if subgraph.is_federation_1:
        return
    used = external_uses(subgraph)
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            if not field.says_external:
                continue
            coordinate = f"{type_.name}.{field.name}"
            where = [(subgraph.name, field.node)]
            if type_.kind is TypeKind.INTERFACE:
                report.error(
                    "EXTERNAL_ON_INTERFACE",
                    f'[{subgraph.name}] Interface type field "{coordinate}" is marked @external but @external is not'
                    " allowed on interface fields.",
                    where,
                )
            elif field.external and (type_.name, field.name) not in used:
                report.error(
                    "EXTERNAL_UNUSED",
                    f'[{subgraph.name}] Field "{coordinate}" is marked @external but is not used in any federation'
                    " directive (@key, @provides, @requires) or to satisfy an interface; the field declaration has no"
                    " use and should be removed (or the field should not be @external).",
                    where,
                )
            for merged in sorted(MERGED):
                if any(subgraph.directive_names.get(one.name.value) == merged for one in field.directives):
                    report.error(
                        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
                        f'[{subgraph.name}] Cannot apply merged directive @{merged} to external field "{coordinate}":'
                        " say it where the field is defined.",
                        where,
                    )
