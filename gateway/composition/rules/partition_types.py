"""Types of values that the gateway itself makes or reads in a partitioned group: folds, sources, wishes, keys.

What it adds up it must know how to add; what it writes must be allowed where it is written. Each function says what is
wrong, in words for the reader of the schema, and says nothing when all is well; `partitions` gives them their codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import ListTypeNode, NonNullTypeNode, TypeNode

from gateway.composition.subgraph import Subgraph, SubgraphField, SubgraphType, TypeKind
from gateway.supergraph.elements import named_type
from gateway.supergraph.model import DECIMAL_SCALAR, TIME_SCALARS, FoldKind, SourceField, SourceStatus, Wish

__all__ = ["is_list", "unfit_fold", "unfit_key", "unfit_sources", "unfit_wish"]

_TEXTS = ("String", "ID")
_NUMBERS = ("Int", "Float", DECIMAL_SCALAR)
_ORDERED = (*_NUMBERS, *_TEXTS, *TIME_SCALARS)
_FOLDED = {
    FoldKind.SUM: _NUMBERS,
    FoldKind.MIN: _ORDERED,
    FoldKind.MAX: _ORDERED,
    FoldKind.ANY: ("Boolean",),
    FoldKind.ALL: ("Boolean",),
}
"""Of other scalars nobody can say how they add up or compare. `FIRST` takes anything."""

_SOURCE_TYPES = {
    SourceField.REGION: _TEXTS,
    SourceField.NAME: ("String",),
    SourceField.STATUS: ("String",),
    SourceField.LATENCY_MS: ("Float",),
    SourceField.AS_OF: ("String", *TIME_SCALARS),
}
_SOURCE_NEEDS = (SourceField.REGION, SourceField.STATUS)
"""Without these a source says nothing."""
_SOURCE_KNOWN = frozenset({SourceField.REGION, SourceField.NAME, SourceField.STATUS})
"""Known of every member, also of one that never answered; all else may be null."""


def is_list(type_: TypeNode) -> bool:
    return isinstance(type_.type if isinstance(type_, NonNullTypeNode) else type_, ListTypeNode)


def unfit_fold(kind: FoldKind, type_: TypeNode) -> str | None:
    known = _FOLDED.get(kind)
    if known is None or (named_type(type_) in known and not is_list(type_)):
        return None
    return f"@fold(with: {kind}) does not fold such a value; it folds {_listed(known)}."


def unfit_sources(type_: SubgraphType, subgraph: Subgraph) -> Iterator[str]:
    for needed in _SOURCE_NEEDS:
        if needed not in type_.fields:
            yield f'"{type_.name}" lacks the field "{needed}", by which the gateway tells of members.'
    for one in type_.fields.values():
        if one.name in set(SourceField):
            yield from _unfit_source(SourceField(one.name), one, subgraph)
        if one.name not in _SOURCE_KNOWN and isinstance(one.type, NonNullTypeNode):
            yield f'"{type_.name}.{one.name}" must be nullable: of a member that does not answer it is not known.'


def _unfit_source(name: SourceField, one: SubgraphField, subgraph: Subgraph) -> Iterator[str]:
    known = _SOURCE_TYPES[name]
    enum = subgraph.types.get(named_type(one.type))
    if name is SourceField.STATUS and enum is not None and enum.kind is TypeKind.ENUM:
        if lacking := [status for status in SourceStatus if status not in enum.values]:
            yield f'"{enum.name}" lacks {_listed(lacking)}: the gateway writes these into "{name}".'
    elif named_type(one.type) not in known or is_list(one.type):
        also = f" or an enum of {_listed(SourceStatus)}" if name is SourceField.STATUS else ""
        yield f'"{name}" is filled in by the gateway: its type is {_listed(known, "or")}{also}.'


def unfit_wish(type_: TypeNode, subgraph: Subgraph) -> str | None:
    enum = subgraph.types.get(named_type(type_))
    is_enum = enum is not None and enum.kind is TypeKind.ENUM and set(enum.values) <= set(Wish)
    if not is_list(type_) and (is_enum or named_type(type_) == "String"):
        return None
    return f"a wish is a String or an enum of {_listed(Wish)}, or of some of these."


def unfit_key(type_: TypeNode) -> str | None:
    fits = named_type(type_) in _TEXTS and not is_list(type_)
    return None if fits else f"an idempotency key is {_listed(_TEXTS, 'or')}."


def _listed(names: Iterable[str], word: str = "and") -> str:
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last
