"""`@provides`: PROVIDES_…"""

from __future__ import annotations

from graphql import FieldNode

from gateway.composition.model import Report
from gateway.composition.rules.field_sets import COMPOSITE, FieldSetCheck
from gateway.composition.subgraph import FieldSet, Subgraph, SubgraphField, TypeKind
from gateway.supergraph.elements import named_type

__all__ = ["check_provides"]


def check_provides(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            if field.provides is not None:
                _check_field(subgraph, type_.name, type_.kind, field, field.provides, report)


def _check_field(
    subgraph: Subgraph, type_name: str, kind: TypeKind, field: SubgraphField, field_set: FieldSet, report: Report
) -> None:
    coordinate = f"{type_name}.{field.name}"
    target = subgraph.types.get(named_type(field.type))
    if kind is TypeKind.INTERFACE:
        report.error(
            "PROVIDES_UNSUPPORTED_ON_INTERFACE",
            f'[{subgraph.name}] Cannot use @provides on field "{coordinate}" of parent type "{type_name}": @provides is'
            " not yet supported within interfaces.",
            [(subgraph.name, field_set.node)],
        )
    elif target is None or target.kind not in COMPOSITE:
        report.error(
            "PROVIDES_ON_NON_OBJECT_FIELD",
            f'[{subgraph.name}] Invalid @provides directive on field "{coordinate}": field has type'
            f' "{named_type(field.type)}" which is not a composite type.',
            [(subgraph.name, field_set.node)],
        )
    else:
        _check_fields(subgraph, coordinate, target.name, field_set, report)


def _check_fields(subgraph: Subgraph, coordinate: str, target: str, field_set: FieldSet, report: Report) -> None:
    def on_field(at: str, field: SubgraphField, node: FieldNode, below_external: bool) -> None:
        is_leaf = node.selection_set is None
        if is_leaf and not below_external and not _may_be_provided(subgraph, at, field):
            check.refuse(
                "FIELDS_MISSING_EXTERNAL",
                f'field "{at}.{field.name}" should not be part of a @provides since it is already provided by this'
                " subgraph (it is not marked @external).",
            )

    check = FieldSetCheck(subgraph, report, "provides", f'field "{coordinate}"', field_set, on_field=on_field)
    check.run(target)


def _may_be_provided(subgraph: Subgraph, type_name: str, field: SubgraphField) -> bool:
    if subgraph.is_federation_1 or field.says_external:
        return True
    return any(
        subgraph.types[name].fields[field.name].says_external
        for name in subgraph.possible_types(type_name)
        if name in subgraph.types and field.name in subgraph.types[name].fields
    )
