"""`@override` across subgraphs: who loses a field to whom.

The loser's field leaves the supergraph, unless the loser itself still needs it (as key, for `@requires`, for an
interface): then it stays, marked as overridden. With a label both stay, and the label decides at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.composition.merge.context import Context, where
from gateway.composition.subgraph import Override, Subgraph, SubgraphField

__all__ = ["Overrides", "find_overrides"]

Declared = tuple[Subgraph, SubgraphField]


@dataclass
class Overrides:
    """By graph."""

    gone: set[str] = field(default_factory=set)
    """Lost, and nothing in the graph needs it."""
    still_used: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    """Both sides of a labelled override."""
    losing_by_label: set[str] = field(default_factory=set)


def find_overrides(context: Context, type_name: str, present: Sequence[Declared]) -> Overrides:
    found = Overrides()
    by_name = {subgraph.name: (subgraph, one) for subgraph, one in present}
    for subgraph, one in present:
        if one.override is not None:
            _override(context, found, type_name, (subgraph, one), one.override, by_name)
    return found


def _override(
    context: Context,
    found: Overrides,
    type_name: str,
    winner: Declared,
    override: Override,
    by_name: dict[str, Declared],
) -> None:
    subgraph, one = winner
    coordinate = f"{type_name}.{one.name}"
    if override.source not in context.by_name:
        context.report.hint(
            "FROM_SUBGRAPH_DOES_NOT_EXIST",
            f'Source subgraph "{override.source}" for field "{coordinate}" on subgraph "{subgraph.name}" does not exist.',
            where([winner]),
        )
        return
    if override.source not in by_name:
        context.report.hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
            f'Field "{coordinate}" on subgraph "{subgraph.name}" no longer exists in the from subgraph'
            f' "{override.source}". The @override directive can be removed.',
            where([winner]),
        )
        return
    source, lost = by_name[override.source]
    if lost.override is not None:
        found.gone.add(source.graph)
        context.report.error(
            "OVERRIDE_SOURCE_HAS_OVERRIDE",
            f'Field "{coordinate}" on subgraph "{subgraph.name}" is also marked with directive @override in subgraph'
            f' "{source.name}". Only one @override directive is allowed per field.',
            where([winner, (source, lost)]),
        )
    elif override.label is not None:
        if lost.requires is not None:
            context.report.error(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f'@override with label cannot be used on field "{coordinate}" on subgraph "{subgraph.name}" since it is'
                f' marked with directive "@requires" on "{source.name}". Use @override without label.',
                where([winner, (source, lost)]),
            )
        found.labels[subgraph.graph] = found.labels[source.graph] = override.label
        found.losing_by_label.add(source.graph)
        if (type_name, one.name) in context.used[source.graph]:
            found.still_used.add(source.graph)
        context.report.hint(
            "OVERRIDE_MIGRATION_IN_PROGRESS",
            f'Field "{coordinate}" is being migrated with a labelled @override. When the migration is complete, remove'
            f' the field from subgraph "{source.name}".',
            where([(source, lost)]),
        )
    elif lost.external:
        # It serves nothing there, so there is nothing to take; it stays for the graph's own requirements.
        context.report.hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
            f'Field "{coordinate}" on subgraph "{source.name}" is external and resolves nothing. The @override directive'
            " can be removed.",
            where([winner]),
        )
    elif (type_name, one.name) in context.used[source.graph]:
        found.still_used.add(source.graph)
        context.report.hint(
            "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
            f'Field "{coordinate}" on subgraph "{source.name}" is overridden. It is still used in some federation'
            " directive(s) or to satisfy an interface; consider marking it @external or removing it.",
            where([(source, lost)]),
        )
    else:
        found.gone.add(source.graph)
        context.report.hint(
            "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
            f'Field "{coordinate}" on subgraph "{source.name}" is overridden. Consider removing it.',
            where([(source, lost)]),
        )
