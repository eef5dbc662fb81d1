"""`@key`: KEY_…, and keys on interfaces: INTERFACE_KEY_…"""

from __future__ import annotations

from graphql import FieldNode

from gateway.composition.model import Report
from gateway.composition.rules.field_sets import FieldSetCheck
from gateway.composition.subgraph import Subgraph, SubgraphField, SubgraphType, TypeKind
from gateway.language.selections import canonical_field_set
from gateway.supergraph.elements import named_type

__all__ = ["check_interface_keys", "check_keys"]

_KEYS_ON_INTERFACES_SINCE = (2, 3)


def check_keys(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        if type_.keys and type_.kind is TypeKind.INTERFACE and not _may_have_interface_keys(subgraph):
            report.error(
                "KEY_UNSUPPORTED_ON_INTERFACE",
                f'[{subgraph.name}] Cannot use @key on interface "{type_.name}": @key is not yet supported on interfaces'
                " before Federation 2.3.",
                [(subgraph.name, type_.keys[0].fields.node)],
            )
            continue
        for key in type_.keys:
            owner = f'{"interface" if type_.kind is TypeKind.INTERFACE else "type"} "{type_.name}"'
            check = FieldSetCheck(subgraph, report, "key", owner, key.fields)
            _with_selectable_types(check).run(type_.name)


def _may_have_interface_keys(subgraph: Subgraph) -> bool:
    return subgraph.federation is not None and subgraph.federation >= _KEYS_ON_INTERFACES_SINCE


def _with_selectable_types(check: FieldSetCheck) -> FieldSetCheck:
    """A key is compared as a value, so its fields cannot change their type. Lists of what may stand in a key may too."""

    def on_field(type_name: str, field: SubgraphField, node: FieldNode, below_external: bool) -> None:
        target = check.subgraph.types.get(named_type(field.type))
        kind = target.kind.value.lower() if target is not None else ""
        if kind in ("interface", "union"):
            check.refuse(
                "FIELDS_SELECT_INVALID_TYPE",
                f'field "{type_name}.{field.name}" is a {kind} type which is not allowed in @key.',
            )

    return FieldSetCheck(check.subgraph, check.report, check.directive, check.owner, check.field_set, on_field=on_field)


def check_interface_keys(subgraph: Subgraph, report: Report) -> None:
    """An interface's key must be a key of every implementation: its entities are resolved as what they are."""
    for interface in subgraph.types.values():
        if interface.kind is not TypeKind.INTERFACE:
            continue
        for key in interface.keys:
            if key.fields.selections is None:
                continue
            wanted = canonical_field_set(key.fields.selections)
            for name in sorted(subgraph.possible_types(interface.name)):
                implementation = subgraph.types[name]
                if wanted not in _keys(implementation, key.resolvable):
                    report.error(
                        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                        f'[{subgraph.name}] Key @key(fields: "{key.fields.text}") on interface type "{interface.name}"'
                        f' is missing on implementation type "{name}".',
                        [(subgraph.name, key.fields.node), (subgraph.name, implementation.node)],
                    )


def _keys(type_: SubgraphType, resolvable: bool) -> set[str]:
    return {
        canonical_field_set(key.fields.selections)
        for key in type_.keys
        if key.fields.selections is not None and (key.resolvable or not resolvable)
    }
