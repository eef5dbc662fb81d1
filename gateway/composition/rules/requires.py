"""`@requires`: REQUIRES_…"""

from __future__ import annotations

from graphql import FieldNode

from gateway.composition.model import Report
from gateway.composition.rules.field_sets import FieldSetCheck
from gateway.composition.subgraph import FieldSet, Subgraph, SubgraphField, TypeKind

__all__ = ["check_requires"]


def check_requires(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            if field.requires is None:
                continue
            if type_.kind is TypeKind.INTERFACE:
                report.error(
                    "REQUIRES_UNSUPPORTED_ON_INTERFACE",
                    f'[{subgraph.name}] Cannot use @requires on field "{type_.name}.{field.name}" of parent type'
                    f' "{type_.name}": @requires is not yet supported within interfaces.',
                    [(subgraph.name, field.requires.node)],
                )
                continue
            _check(subgraph, f"{type_.name}.{field.name}", type_.name, field.requires, report)


def _check(subgraph: Subgraph, coordinate: str, type_name: str, field_set: FieldSet, report: Report) -> None:
    def on_field(at: str, field: SubgraphField, node: FieldNode, below_external: bool) -> None:
        is_leaf = node.selection_set is None
        if is_leaf and not below_external and not _is_external(subgraph, at, field) and not subgraph.is_federation_1:
            check.refuse(
                "FIELDS_MISSING_EXTERNAL",
                f'field "{at}.{field.name}" should not be part of a @requires since it is already provided by this'
                " subgraph (it is not marked @external).",
            )

    check = FieldSetCheck(
        subgraph, report, "requires", f'field "{coordinate}"', field_set, allows_arguments=True, on_field=on_field
    )
    check.run(type_name)


def _is_external(subgraph: Subgraph, type_name: str, field: SubgraphField) -> bool:
    """A field selected on an interface is external when it is so on an implementation."""
    if field.says_external:
        return True
    return any(
        subgraph.types[name].fields[field.name].says_external
        for name in subgraph.possible_types(type_name)
        if name in subgraph.types and field.name in subgraph.types[name].fields
    )
