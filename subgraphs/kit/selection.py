"""Looking ahead: which fields an operation selects below a field, with `@skip` and `@include` applied.

Resolvers use it to ask a store for the wanted columns only, and for counts and groups only where they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import collect_sub_fields

__all__ = ["Selection", "selection_of"]


class Selection:
    """What is selected on one object type. A field that is not selected has the empty selection below it."""

    __slots__ = ("_fields", "_info", "_type")

    def __init__(self, info: GraphQLResolveInfo, type_: Any, nodes: Iterable[FieldNode]) -> None:
        self._info = info
        self._type = type_
        self._fields: dict[str, list[FieldNode]] = {}
        chosen = [node for node in nodes if node.selection_set is not None]
        if not chosen or not isinstance(type_, GraphQLObjectType):
            return
        collected = collect_sub_fields(info.schema, info.fragments, info.variable_values, type_, chosen)
        for found in collected.values():
            self._fields.setdefault(found[0].name.value, []).extend(found)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __bool__(self) -> bool:
        return bool(self._fields)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._fields)

    def below(self, name: str) -> Selection:
        nodes = self._fields.get(name, ())
        definition = self._type.fields.get(name) if nodes else None
        return Selection(self._info, None if definition is None else get_named_type(definition.type), nodes)


def selection_of(info: Any, type_name: str | None = None) -> Selection:
    """What is selected below the field being resolved; for a field of abstract type, on the object type named.

    Takes Strawberry's info or graphql-core's.
    """
    raw: GraphQLResolveInfo = getattr(info, "_raw_info", info)
    type_ = get_named_type(raw.return_type) if type_name is None else raw.schema.type_map[type_name]
    return Selection(raw, type_, raw.field_nodes)
