"""`@external` declarations must agree with the field as it is: EXTERNAL_TYPE_MISMATCH, EXTERNAL_ARGUMENT_…"""

from __future__ import annotations

from collections.abc import Sequence

from graphql import TypeNode, print_ast

from gateway.composition.merge.context import Context, quoted, where
from gateway.composition.merge.model import MergedField
from gateway.composition.merge.types import describe_types, is_subtype
from gateway.composition.subgraph import Subgraph, SubgraphField

__all__ = ["check_externals"]

Declared = tuple[Subgraph, SubgraphField]


def check_externals(
    context: Context, type_name: str, merged: MergedField, owners: Sequence[Declared], externals: Sequence[Declared]
) -> None:
    coordinate = f"{type_name}.{merged.name}"
    types_differ = len({print_ast(one.type) for _, one in owners}) > 1

    def suits(type_: TypeNode) -> bool:
        """Where the owners' own types differ, an external may have any that the merged one allows."""
        return print_ast(type_) == print_ast(merged.type) or (types_differ and is_subtype(context, type_, merged.type))

    wrong = [(subgraph, one) for subgraph, one in externals if not suits(one.type)]
    if wrong:
        context.report.error(
            "EXTERNAL_TYPE_MISMATCH",
            f'Type of field "{coordinate}" is incompatible across subgraphs (where marked @external): it has type'
            f' "{print_ast(merged.type)}" but {describe_types([(subgraph, one.type) for subgraph, one in wrong])}.',
            where(wrong),
        )
    for name, argument in merged.arguments.items():
        at = f"{coordinate}({name}:)"
        _check_missing(context, at, [(subgraph, one) for subgraph, one in externals if name not in one.arguments])
        for subgraph, one in externals:
            if name not in one.arguments:
                continue
            given = one.arguments[name]
            if not is_subtype(context, argument.type, given.type):
                context.report.error(
                    "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
                    f'Type of argument "{at}" is incompatible across subgraphs (where "{coordinate}" is marked'
                    f' @external): it has type "{print_ast(argument.type)}" but type "{print_ast(given.type)}" in'
                    f' subgraph "{subgraph.name}".',
                    where([(subgraph, given)]),
                )
            theirs = print_ast(given.default) if given.default else None
            ours = print_ast(argument.default) if argument.default else None
            if theirs != ours:
                context.report.error(
                    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
                    f'Argument "{at}" has incompatible defaults across subgraphs (where "{coordinate}" is marked'
                    f' @external): {ours or "none"} but {theirs or "none"} in subgraph "{subgraph.name}".',
                    where([(subgraph, given)]),
                )


def _check_missing(context: Context, coordinate: str, missing: Sequence[Declared]) -> None:
    if missing:
        context.report.error(
            "EXTERNAL_ARGUMENT_MISSING",
            f'Argument "{coordinate}" is missing in some subgraphs where its field is marked @external: it is not'
            f" declared in {quoted(subgraph for subgraph, _ in missing)}.",
            where(missing),
        )
