"""Merging what goes in: arguments and input fields, by intersection.

A client may only send what every subgraph understands. What one of them lacks is left out of the supergraph, unless
another needs it: then no request could please both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql import ConstValueNode, NonNullTypeNode, print_ast

from gateway.composition.merge.context import Context, quoted, where
from gateway.composition.merge.model import MergedValue
from gateway.composition.merge.told import merge_told
from gateway.composition.merge.types import TypeCodes, merge_input_type, tell_types
from gateway.composition.subgraph import Subgraph, SubgraphValue
from gateway.supergraph.model import FieldJoin

__all__ = ["ARGUMENT", "INPUT_FIELD", "ValueRules", "is_required", "merge_values"]


@dataclass(frozen=True, slots=True)
class ValueRules:
    """How the two kinds of value are called in messages and codes."""

    types: TypeCodes
    default_mismatch: str
    required_missing: str
    presence_hint: str
    has_joins: bool
    """Whether the supergraph tells the type in each graph: the join specification does so for input fields only."""
    may_hide_missing: bool
    """Whether a value that some subgraphs lack stays when it is inaccessible."""
    checks_left_out: bool
    """Whether the subgraphs that have a value must agree on it even when it is left out."""


ARGUMENT = ValueRules(
    TypeCodes("argument", "FIELD_ARGUMENT_TYPE_MISMATCH", "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"),
    "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    "INCONSISTENT_ARGUMENT_PRESENCE",
    has_joins=False,
    may_hide_missing=False,
    checks_left_out=False,
)
INPUT_FIELD = ValueRules(
    TypeCodes("input field", "FIELD_TYPE_MISMATCH", "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"),
    "INPUT_FIELD_DEFAULT_MISMATCH",
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    "INCONSISTENT_INPUT_OBJECT_FIELD",
    has_joins=True,
    may_hide_missing=True,
    checks_left_out=True,
)

Declared = tuple[Subgraph, SubgraphValue]


def is_required(value: SubgraphValue) -> bool:
    return isinstance(value.type, NonNullTypeNode) and value.default is None


def merge_values(
    context: Context,
    rules: ValueRules,
    sources: Sequence[tuple[Subgraph, Mapping[str, SubgraphValue]]],
    coordinate: str,
) -> dict[str, MergedValue]:
    """`coordinate` has `{}` where the value's name goes: `Query.f({}:)`."""
    names = dict.fromkeys(name for _, values in sources for name in values)
    merged = (_merge_value(context, rules, name, sources, coordinate.format(name)) for name in names)
    return {one.name: one for one in merged if one is not None}


def _merge_value(
    context: Context,
    rules: ValueRules,
    name: str,
    sources: Sequence[tuple[Subgraph, Mapping[str, SubgraphValue]]],
    coordinate: str,
) -> MergedValue | None:
    present = [(subgraph, values[name]) for subgraph, values in sources if name in values]
    missing = [subgraph for subgraph, values in sources if name not in values]
    description, marks = merge_told(context, coordinate, present)
    # An inaccessible input field cannot be sent by anybody: which subgraphs know it is their own business.
    is_left_out = bool(missing) and not (marks.inaccessible and rules.may_hide_missing)
    if is_left_out:
        _tell_missing(context, rules, coordinate, present, missing)
        if not rules.checks_left_out:
            return None
    type_ = merge_input_type(context, [(subgraph, value.type) for subgraph, value in present])
    default = _merge_default(context, rules, coordinate, present)
    if type_ is None or not is_left_out:
        tell_types(context, rules.types, coordinate, present, type_)
    if type_ is None or is_left_out:
        return None
    all_equal = len({print_ast(value.type) for _, value in present}) == 1
    return MergedValue(
        name=name,
        type=type_,
        default=default,
        description=description,
        marks=marks,
        joins=None
        if (all_equal and not missing) or not rules.has_joins
        else tuple(FieldJoin(subgraph.graph, type=print_ast(value.type)) for subgraph, value in present),
        where=tuple(where(present)),
    )


def _tell_missing(
    context: Context, rules: ValueRules, coordinate: str, present: list[Declared], missing: list[Subgraph]
) -> None:
    required = [(subgraph, value) for subgraph, value in present if is_required(value)]
    if required:
        context.report.error(
            rules.required_missing,
            f'{rules.types.noun.capitalize()} "{coordinate}" is required in some subgraphs but does not appear in all'
            f" subgraphs: it is required in {quoted(one for one, _ in required)} but does not appear in"
            f" {quoted(missing)}.",
            where(required),
        )
    else:
        context.report.hint(
            rules.presence_hint,
            f'{rules.types.noun.capitalize()} "{coordinate}" will not be in the supergraph: it does not appear in'
            f" {quoted(missing)}.",
            where(present),
        )


def _merge_default(
    context: Context, rules: ValueRules, coordinate: str, present: list[Declared]
) -> ConstValueNode | None:
    """A default holds in the supergraph only if all subgraphs have it; two different ones are an error."""
    given = [(subgraph, value) for subgraph, value in present if value.default is not None]
    said = {print_ast(value.default) for _, value in given if value.default is not None}
    if len(said) > 1:
        context.report.error(
            rules.default_mismatch,
            f'{rules.types.noun.capitalize()} "{coordinate}" has incompatible default values across subgraphs:'
            f" {' and '.join(sorted(said))}.",
            where(given),
        )
        return None
    if given and len(given) < len(present):
        context.report.hint(
            "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
            f'{rules.types.noun.capitalize()} "{coordinate}" has a default value in only some subgraphs; the supergraph has'
            " none.",
            where(given),
        )
        return None
    return given[0][1].default if given else None
