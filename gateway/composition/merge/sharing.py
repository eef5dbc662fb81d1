"""INVALID_FIELD_SHARING: a field resolved by several subgraphs must be shareable in each of them.

Keys are shareable without saying so, and so is what a subgraph provides. Fields of an interface object count as
resolved on each of the interface's implementations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.composition.merge.context import Context
from gateway.composition.merge.overrides import Overrides
from gateway.composition.subgraph import Subgraph, SubgraphField

__all__ = ["check_sharing"]

Declared = tuple[Subgraph, SubgraphField]


@dataclass(frozen=True, slots=True)
class _Resolving:
    subgraph: Subgraph
    field: SubgraphField
    is_shareable: bool
    through: str | None = None
    """The interface, when the subgraph resolves the field by an interface object."""


def check_sharing(context: Context, type_name: str, present: Sequence[Declared], overrides: Overrides) -> None:
    resolving = [*_direct(context, type_name, present, overrides)]
    if any(not one.is_shareable for one in resolving):
        resolving += _by_interface_objects(context, type_name, present[0][1].name)
    rigid = [one for one in resolving if not one.is_shareable]
    if len(resolving) < 2 or not rigid:
        return
    names = " and ".join(f'"{one.subgraph.name}"{_through(one)}' for one in resolving)
    if len(rigid) == len(resolving):
        fault = "all of them"
    else:
        fault = f"subgraph{'s' if len(rigid) > 1 else ''} {' and '.join(_quoted(one) for one in rigid)}"
    context.report.error(
        "INVALID_FIELD_SHARING",
        f'Non-shareable field "{type_name}.{present[0][1].name}" is resolved from multiple subgraphs: it is resolved'
        f" from subgraphs {names} and defined as non-shareable in {fault}.",
        [(one.subgraph.name, one.field.node) for one in resolving],
    )


def _quoted(one: _Resolving) -> str:
    return f'"{one.subgraph.name}"'


def _through(one: _Resolving) -> str:
    return f' (through @interfaceObject field "{one.through}.{one.field.name}")' if one.through else ""


def _direct(
    context: Context, type_name: str, present: Sequence[Declared], overrides: Overrides
) -> Iterator[_Resolving]:
    for subgraph, one in present:
        graph = subgraph.graph
        if graph in overrides.gone | overrides.still_used | overrides.losing_by_label:
            continue
        at = (type_name, one.name)
        is_provided = at in context.provided[graph]
        if one.external and not is_provided:
            continue
        yield _Resolving(subgraph, one, one.shareable or is_provided or at in context.keys[graph])


def _by_interface_objects(context: Context, type_name: str, field_name: str) -> Iterator[_Resolving]:
    for interface in sorted(context.implements.get(type_name, ())):
        for subgraph in context.subgraphs:
            type_ = subgraph.types.get(interface)
            if type_ is None or not type_.is_interface_object or field_name not in type_.fields:
                continue
            one = type_.fields[field_name]
            if not one.external:
                is_key = (interface, field_name) in context.keys[subgraph.graph]
                yield _Resolving(subgraph, one, one.shareable or is_key, interface)
