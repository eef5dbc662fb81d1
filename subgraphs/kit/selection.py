"""Looking ahead: which fields an operation selects below a field, with `@skip` and `@include` applied.

Resolvers use it to ask a store for the wanted columns only, and for counts and groups only where they are wanted. What
is selected is the same whenever a document is run with the same values of its condition variables, so it is collected
once for them, and kept with the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import collect_sub_fields

__all__ = ["KeepingInfo", "Selection", "selection_of"]


class KeepingInfo(GraphQLResolveInfo):
    """graphql-core's info with what has been collected for this document and these values of condition variables."""

    selections: dict[Any, Selection]


class Selection:
    """What is selected on one object type. A field that is not selected has the empty selection below it."""

    __slots__ = ("_below", "names")

    def __init__(self, below: Mapping[str, Selection]) -> None:
        self.names = frozenset(below)
        self._below = below

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __bool__(self) -> bool:
        return bool(self.names)

    def below(self, name: str) -> Selection:
        return self._below.get(name, _NOTHING)


_NOTHING = Selection({})


def _collected(info: GraphQLResolveInfo, type_: Any, nodes: Iterable[FieldNode]) -> Selection:
    chosen = [node for node in nodes if node.selection_set is not None]
    if not chosen or not isinstance(type_, GraphQLObjectType):
        return _NOTHING
    fields: dict[str, list[FieldNode]] = {}
    for found in collect_sub_fields(info.schema, info.fragments, info.variable_values, type_, chosen).values():
        fields.setdefault(found[0].name.value, []).extend(found)
    types = {name: get_named_type(type_.fields[name].type) for name in fields if name in type_.fields}
    return Selection({name: _collected(info, types.get(name), found) for name, found in fields.items()})


def selection_of(info: Any, type_name: str | None = None) -> Selection:
    """What is selected below the field being resolved; for a field of abstract type, on the object type named.

    Takes Strawberry's info or graphql-core's.
    """
    raw: GraphQLResolveInfo = getattr(info, "_raw_info", info)
    type_ = get_named_type(raw.return_type) if type_name is None else raw.schema.type_map[type_name]
    if not isinstance(raw, KeepingInfo):
        return _collected(raw, type_, raw.field_nodes)
    key = (type_.name, *map(id, raw.field_nodes))
    found = raw.selections.get(key)
    if found is None:
        found = raw.selections[key] = _collected(raw, type_, raw.field_nodes)
    return found
