"""What the peer's supergraphs do not say although the subgraphs do: each a fault of its, with what it costs.

Each is a change to a model that takes out what the peer leaves out. Two models are the same up to its losses when they
are equal after all of these; where a model needs none of them, it must be equal as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from graphql import GraphQLInterfaceType

from gateway.supergraph.elements import ROOT_TYPES
from gateway.supergraph.model import FieldJoin, Supergraph

__all__ = ["LOSSES", "Loss", "up_to_losses"]

Loss = Callable[[Supergraph], Supergraph]


def provided_by_root_fields(model: Supergraph) -> Supergraph:
    """A root field that all subgraphs share loses its `@provides`: an entity fetch more."""

    def without(at: tuple[str, str], join: FieldJoin) -> FieldJoin:
        return replace(join, provides=None) if at[0] in ROOT_TYPES.values() else join

    return _changed(model, without)


def external_on_interfaces(model: Supergraph) -> Supergraph:
    """An interface object's `@external` field looks as if its subgraph resolved it: null instead of its value."""

    def without(at: tuple[str, str], join: FieldJoin) -> FieldJoin:
        is_interface = isinstance(model.schema.type_map[at[0]], GraphQLInterfaceType)
        return replace(join, external=False) if is_interface else join

    return _changed(model, without)


def types_on_interfaces(model: Supergraph) -> Supergraph:
    """An interface field's type in a subgraph, where it is narrower than the merged one: nothing, until a plan asks."""

    def without(at: tuple[str, str], join: FieldJoin) -> FieldJoin:
        is_interface = isinstance(model.schema.type_map[at[0]], GraphQLInterfaceType)
        return replace(join, type=None) if is_interface else join

    return _changed(model, without)


def contexts_of_interface_objects(model: Supergraph) -> Supergraph:
    """An interface object's field loses its contextual arguments: it is asked for without them."""

    def without(at: tuple[str, str], join: FieldJoin) -> FieldJoin:
        is_interface = isinstance(model.schema.type_map[at[0]], GraphQLInterfaceType)
        return replace(join, context_arguments=()) if is_interface else join

    return _changed(model, without)


def overridden_and_still_used(model: Supergraph) -> Supergraph:
    """It does not see that an overridden field is used when it stands in a fragment of `@requires`, and takes one for
    used because of an interface that only another subgraph's type implements."""

    def without(at: tuple[str, str], join: FieldJoin) -> FieldJoin | None:
        if not join.used_overridden:
            return join
        return replace(join, used_overridden=False) if join.override_label else None

    return _changed(model, without)


LOSSES: tuple[Loss, ...] = (
    provided_by_root_fields,
    external_on_interfaces,
    types_on_interfaces,
    contexts_of_interface_objects,
    overridden_and_still_used,
)


def up_to_losses(model: Supergraph) -> Supergraph:
    for loss in LOSSES:
        model = loss(model)
    return model


def _changed(model: Supergraph, change: Callable[[tuple[str, str], FieldJoin], FieldJoin | None]) -> Supergraph:
    joins: Mapping[tuple[str, str], tuple[FieldJoin, ...]] = {
        at: tuple(changed for join in same if (changed := change(at, join)) is not None)
        for at, same in model.field_joins.items()
    }
    return replace(model, field_joins=joins)
