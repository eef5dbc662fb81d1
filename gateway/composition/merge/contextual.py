"""Contextual arguments: no client sees them, and each graph's join says where its own get their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphql import print_ast

from gateway.composition.carried import context_name
from gateway.composition.merge.context import Context
from gateway.composition.merge.values import is_required
from gateway.composition.subgraph import Subgraph, SubgraphField, SubgraphValue
from gateway.supergraph.model import ContextArgument

__all__ = ["context_arguments", "without_contextual"]


def context_arguments(subgraph: Subgraph, field: SubgraphField) -> Iterator[ContextArgument]:
    for one in field.arguments.values():
        given = one.from_context
        if given is not None and given.context is not None and given.selections is not None:
            name = context_name(subgraph.name, given.context)
            yield ContextArgument(one.name, print_ast(one.type), name, given.selections)


def without_contextual(
    context: Context, declared: Sequence[tuple[Subgraph, SubgraphField]], coordinate: str
) -> list[tuple[Subgraph, Mapping[str, SubgraphValue]]]:
    """The arguments that clients give. One that is contextual in any subgraph must do without them in all."""
    contextual = {name for _, field in declared for name, one in field.arguments.items() if one.from_context}
    for subgraph, field in declared:
        for name in sorted(contextual & set(field.arguments)):
            if field.arguments[name].from_context is None:
                _tell_plain(context, subgraph, field.arguments[name], coordinate.format(name))
    return [
        (subgraph, {name: one for name, one in field.arguments.items() if name not in contextual})
        for subgraph, field in declared
    ]


def _tell_plain(context: Context, subgraph: Subgraph, argument: SubgraphValue, coordinate: str) -> None:
    where = [(subgraph.name, argument.node)]
    if is_required(argument):
        context.report.error(
            "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
            f'Argument "{coordinate}" is contextual in at least one subgraph, but in subgraph "{subgraph.name}" it does'
            " not have @fromContext, is not nullable and has no default value.",
            where,
        )
    else:
        context.report.hint(
            "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
            f'Argument "{coordinate}" will not be in the supergraph: it is contextual in at least one subgraph, though'
            f' not in subgraph "{subgraph.name}".',
            where,
        )
