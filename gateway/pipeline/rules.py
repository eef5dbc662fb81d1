"""The rules that documents are held to: those of the GraphQL specification, one of them in our own words.

A subscription has one root field. Whoever counts root fields has no variables yet, so `@skip` and `@include` may not
stand on them (GraphQL specification, "Single Root Field"); graphql-core counts regardless, and breaks on a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    specified_rules,
)
from graphql.validation import SingleFieldSubscriptionsRule

__all__ = ["RULES"]

_SWITCHES = frozenset({"skip", "include"})


class SubscriptionRootRule(SingleFieldSubscriptionsRule):
    def enter_operation_definition(self, node: OperationDefinitionNode, *others: Any) -> None:
        if node.operation is OperationType.SUBSCRIPTION:
            switches = list(self._switches(node.selection_set, set()))
            if switches:
                told = "@skip and @include may not stand on the root field of a subscription, or around it."
                self.report_error(GraphQLError(told, switches))
                return
        super().enter_operation_definition(node, *others)

    def _switches(self, selections: SelectionSetNode, seen: set[str]) -> Iterator[DirectiveNode]:
        for one in selections.selections:
            yield from (each for each in one.directives or () if each.name.value in _SWITCHES)
            if isinstance(one, FieldNode):
                continue
            if isinstance(one, FragmentSpreadNode):
                fragment = self.context.get_fragment(one.name.value)
                if fragment is None or one.name.value in seen:
                    continue
                seen.add(one.name.value)
                yield from self._switches(fragment.selection_set, seen)
            else:
                yield from self._switches(one.selection_set, seen)  # type: ignore[attr-defined]


RULES: Final = tuple(SubscriptionRootRule if rule is SingleFieldSubscriptionsRule else rule for rule in specified_rules)
