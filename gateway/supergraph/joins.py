"""What the join directives of one supergraph say: filled in by `join`, and by `join_v01` where v0.1 says nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.language.errors import Code, GatewayError, SupergraphInvalid
from gateway.supergraph.model import FieldJoin, Graph, TypeJoin

__all__ = ["FieldKey", "Joins", "invalid"]

FieldKey = tuple[str, str]


@dataclass
class Joins:
    graphs: dict[str, Graph] = field(default_factory=dict)
    types: dict[str, tuple[TypeJoin, ...]] = field(default_factory=dict)
    fields: dict[FieldKey, tuple[FieldJoin, ...]] = field(default_factory=dict)
    implements: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    union_members: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    enum_values: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)


def invalid(message: str) -> SupergraphInvalid:
    return SupergraphInvalid([GatewayError(Code.SUPERGRAPH_INVALID, message)])
