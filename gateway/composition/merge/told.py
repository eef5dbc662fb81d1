"""What subgraphs tell of an element beside its type: its description and its marks, merged, with hints where they differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from graphql import Node

from gateway.composition.merge.context import Context, join_marks, most_said, where
from gateway.composition.subgraph import Marks, Subgraph

__all__ = ["merge_told"]


class _Element(Protocol):
    @property
    def description(self) -> str | None: ...
    @property
    def marks(self) -> Marks: ...
    @property
    def node(self) -> Node: ...


ElementT = TypeVar("ElementT", bound=_Element)


def merge_told(
    context: Context, coordinate: str, parts: Sequence[tuple[Subgraph, ElementT]]
) -> tuple[str | None, Marks]:
    """Description and marks; `coordinate` is for the hints."""
    if _differ(parts, lambda one: one.description):
        context.report.hint(
            "INCONSISTENT_DESCRIPTION",
            f'"{coordinate}" has several descriptions; the supergraph has the one that most subgraphs give.',
            where([part for part in parts if part[1].description]),
        )
    if _differ(parts, lambda one: one.marks.deprecated):
        context.report.hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            f'"{coordinate}" is @deprecated for several reasons; the supergraph has the one that most subgraphs give.',
            where([part for part in parts if part[1].marks.deprecated]),
        )
    for name, told in _CARRIED.items():
        if _differ(parts, told):
            context.report.hint(
                "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
                f'"{coordinate}" has @{name} with several arguments; the supergraph has what they come to together.',
                where([part for part in parts if told(part[1]) is not None]),
            )
    return most_said(one.description for _, one in parts), join_marks(one.marks for _, one in parts)


_CARRIED: dict[str, Callable[[_Element], Hashable]] = {
    "requiresScopes": lambda one: one.marks.carried.scopes,
    "policy": lambda one: one.marks.carried.policies,
    "cost": lambda one: one.marks.carried.cost,
    "listSize": lambda one: one.marks.carried.list_size,
}


def _differ(parts: Sequence[tuple[Subgraph, ElementT]], told: Callable[[ElementT], Hashable]) -> bool:
    """Who says nothing does not contradict."""
    return len({said for _, one in parts if (said := told(one)) not in (None, "")}) > 1
