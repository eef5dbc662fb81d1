"""Rules that can only be judged on merged types: NO_QUERIES, INTERFACE_FIELD_NO_IMPLEM,
INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE, INTERFACE_OBJECT_USAGE_ERROR, SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.composition.merge.model import Merged, MergedType
from gateway.composition.model import Report
from gateway.composition.rules.access import check_transitive_access
from gateway.composition.rules.links import check_link_names
from gateway.composition.subgraph import Subgraph, TypeKind
from gateway.supergraph.elements import named_type
from gateway.supergraph.model import FieldJoin, TypeJoin

__all__ = ["MERGED_RULES", "MergedRule"]

MergedRule = Callable[[Merged, tuple[Subgraph, ...], Report], None]


def check_queries(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    query = merged.types.get("Query")
    if query is None or not query.fields:
        report.error(
            "NO_QUERIES",
            "No queries found in any subgraph: a supergraph must have a query root type.",
            [(one.name, None) for one in subgraphs],
        )


def check_implementations(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    """A client may ask any implementation for any field of its interface."""
    for type_ in merged.types.values():
        for interface in type_.interfaces:
            declared = merged.types.get(interface)
            for one in declared.fields.values() if declared else ():
                if one.name not in type_.fields:
                    report.error(
                        "INTERFACE_FIELD_NO_IMPLEM",
                        f'Interface field "{interface}.{one.name}" is declared in'
                        f' {_subgraphs(one.where)} but type "{type_.name}", which implements'
                        f' "{interface}" in {_subgraphs(type_.where)}, does not have field "{one.name}".',
                        (*one.where, *type_.where),
                    )


def check_interface_keys(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    """Who resolves an interface by key must know all its implementations, or it could not say which one it found."""
    for subgraph in subgraphs:
        for type_ in subgraph.types.values():
            if type_.kind is not TypeKind.INTERFACE or not any(key.resolvable for key in type_.keys):
                continue
            everywhere = {one.name for one in _implementations(merged, type_.name)}
            missing = sorted(everywhere - subgraph.possible_types(type_.name))
            if missing:
                names = " and ".join(f'"{name}"' for name in missing)
                report.error(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f'[{subgraph.name}] Interface type "{type_.name}" has a resolvable key in subgraph'
                    f' "{subgraph.name}" but that subgraph is missing some of the supergraph implementation types of'
                    f' "{type_.name}". Subgraph "{subgraph.name}" should define {names} (and have it implement'
                    f' "{type_.name}").',
                    [(subgraph.name, type_.node)],
                )


def check_interface_objects(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    """A subgraph either knows the implementations or stands for all of them; not both."""
    for subgraph in subgraphs:
        for type_ in subgraph.types.values():
            if not type_.is_interface_object:
                continue
            for one in _implementations(merged, type_.name):
                if one.name in subgraph.types:
                    report.error(
                        "INTERFACE_OBJECT_USAGE_ERROR",
                        f'[{subgraph.name}] Interface type "{type_.name}" is defined as an @interfaceObject in subgraph'
                        f' "{subgraph.name}" so that subgraph should not define any of the implementation types of'
                        f' "{type_.name}", but it defines type "{one.name}".',
                        [(subgraph.name, subgraph.types[one.name].node)],
                    )


def check_runtime_types(merged: Merged, subgraphs: tuple[Subgraph, ...], report: Report) -> None:
    """A shared field of an abstract type: subgraphs that could never return the same object do not share a field."""
    for type_ in merged.types.values():
        if type_.kind is not TypeKind.OBJECT:
            continue
        for one in type_.fields.values():
            target = merged.types.get(named_type(one.type))
            if target is None or target.kind not in (TypeKind.INTERFACE, TypeKind.UNION) or one.joins == ():
                continue
            joins: Iterable[TypeJoin | FieldJoin] = type_.joins if one.joins is None else one.joins
            graphs = {join.graph for join in joins if not (isinstance(join, FieldJoin) and join.external)}
            possible = {
                subgraph.name: _possible(merged, subgraph, named_type(subgraph.types[type_.name].fields[one.name].type))
                for subgraph in subgraphs
                if subgraph.graph in graphs
            }
            if len(possible) > 1 and not frozenset.intersection(*possible.values()):
                report.error(
                    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
                    f'For the shared field "{type_.name}.{one.name}", the subgraphs {", ".join(possible)} have no'
                    f' possible runtime type of "{target.name}" in common, so they cannot resolve the same object.',
                    one.where,
                )
            elif len(set(possible.values())) > 1:
                told = "; ".join(f"{name}: {', '.join(sorted(types))}" for name, types in possible.items())
                report.hint(
                    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
                    f'For the shared field "{type_.name}.{one.name}", subgraphs know different runtime types of'
                    f' "{target.name}" ({told}): make sure that it returns only those that they have in common.',
                    one.where,
                )


def _possible(merged: Merged, subgraph: Subgraph, name: str) -> frozenset[str]:
    """An interface object stands for every implementation, though the subgraph knows none of them."""
    found = subgraph.types.get(name)
    if found is not None and found.is_interface_object:
        return frozenset(one.name for one in _implementations(merged, name))
    return subgraph.possible_types(name)


def _implementations(merged: Merged, interface: str) -> list[MergedType]:
    return [one for one in merged.types.values() if one.kind is TypeKind.OBJECT and interface in one.interfaces]


def _subgraphs(where: tuple[tuple[str, object], ...]) -> str:
    names = list(dict.fromkeys(f'"{name}"' for name, _ in where))
    return f"subgraph{'s' if len(names) > 1 else ''} {' and '.join(names)}"


MERGED_RULES: tuple[MergedRule, ...] = (
    check_queries,
    check_implementations,
    check_interface_keys,
    check_interface_objects,
    check_runtime_types,
    check_link_names,
    check_transitive_access,
)
