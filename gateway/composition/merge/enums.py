"""Merging enums by use.

An enum that only comes out may be the union of what subgraphs know; one that only goes in, the intersection; one that
does both must be the same everywhere, for a client may send back what it received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.composition.merge.context import Context, Source, quoted, where
from gateway.composition.merge.model import MergedEnumValue, MergedField, MergedType, MergedValue
from gateway.composition.merge.told import merge_told
from gateway.supergraph.elements import named_type

__all__ = ["Uses", "find_uses", "merge_enum_values"]


@dataclass(frozen=True, slots=True)
class Uses:
    """Names of types that merged fields refer to, by direction."""

    outputs: frozenset[str]
    inputs: frozenset[str]


def find_uses(context: Context, types: Iterable[MergedType]) -> Uses:
    """An input field counts though it is left out of the supergraph: its enum would be an input where it is added."""
    outputs: set[str] = set()
    inputs: set[str] = set()
    for type_ in types:
        for one in type_.fields.values():
            _uses_of_field(one, outputs, inputs)
    for subgraph in context.subgraphs:
        for declared in subgraph.types.values():
            inputs.update(named_type(value.type) for value in declared.inputs.values())
    return Uses(frozenset(outputs), frozenset(inputs))


def _uses_of_field(one: MergedField, outputs: set[str], inputs: set[str]) -> None:
    outputs.add(named_type(one.type))
    arguments: Mapping[str, MergedValue] = one.arguments
    inputs.update(named_type(argument.type) for argument in arguments.values())


def merge_enum_values(context: Context, uses: Uses, sources: Sequence[Source]) -> dict[str, MergedEnumValue]:
    name = sources[0][1].name
    goes_in, comes_out = name in uses.inputs, name in uses.outputs
    if not goes_in and not comes_out:
        context.report.hint(
            "UNUSED_ENUM_TYPE",
            f'Enum type "{name}" is defined but nothing refers to it; the supergraph has all its values.',
            where(sources),
        )
    values = list(dict.fromkeys(value for _, type_ in sources for value in type_.values))
    found: dict[str, MergedEnumValue] = {}
    for value in values:
        present = [(subgraph, type_.values[value]) for subgraph, type_ in sources if value in type_.values]
        description, marks = merge_told(context, f"{name}.{value}", present)
        missing = [subgraph for subgraph, type_ in sources if value not in type_.values]
        if missing and goes_in and comes_out and not marks.inaccessible:
            context.report.error(
                "ENUM_VALUE_MISMATCH",
                f'Enum type "{name}" is used as both input type and output type, but value "{value}" is not defined in'
                f" all the subgraphs defining it: it is defined in {quoted(one for one, _ in present)} but not in"
                f" {quoted(missing)}.",
                where(present),
            )
        elif missing and goes_in and not comes_out and not marks.inaccessible:
            context.report.hint(
                "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
                f'Value "{value}" of enum type "{name}" will not be in the supergraph: it is not defined in'
                f" {quoted(missing)}.",
                where(present),
            )
            continue
        found[value] = MergedEnumValue(
            value,
            description,
            marks,
            tuple(subgraph.graph for subgraph, _ in present),
        )
    if not found:
        context.report.error(
            "EMPTY_MERGED_ENUM_TYPE",
            f'None of the values of enum type "{name}" are defined consistently in all the subgraphs defining that'
            " type. As only values common to all subgraphs are merged, this would result in an empty type.",
            where(sources),
        )
    return found
