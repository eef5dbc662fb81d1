"""Fields that reach an implementation only by way of an interface object.

A subgraph that declares `type Media @interfaceObject` adds fields to every implementation of the interface `Media`
without knowing them. In the supergraph the implementations have these fields, served by no graph directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.composition.merge.model import MergedField, MergedType
from gateway.composition.subgraph import TypeKind

__all__ = ["add_interface_object_fields"]


def add_interface_object_fields(types: Mapping[str, MergedType]) -> dict[str, MergedType]:
    added = {
        type_.name: dict(_missing_fields(type_, types)) for type_ in types.values() if type_.kind is TypeKind.OBJECT
    }
    return {
        name: replace(type_, fields={**type_.fields, **added[name]}) if added.get(name) else type_
        for name, type_ in types.items()
    }


def _missing_fields(type_: MergedType, types: Mapping[str, MergedType]) -> Iterator[tuple[str, MergedField]]:
    for interface in type_.interfaces:
        declared = types.get(interface)
        if declared is None:
            continue
        graphs = {join.graph for join in declared.joins if join.is_interface_object}
        for one in declared.fields.values():
            serves = one.joins is None or any(join.graph in graphs and not join.external for join in one.joins)
            if graphs and serves and one.name not in type_.fields:
                yield one.name, replace(one, joins=(), horizontal=())
