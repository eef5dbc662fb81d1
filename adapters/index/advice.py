"""Whether a store had better be read through a local index, and the index be kept by a change feed.

A store is asked how it would answer typical requests (`explain`): nothing is read. What it would have to read as a whole
and sort by itself is what an index is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.model import SQL_ENGINES, Mapping
from adapters.model import (
    Compare,
    FieldKind,
    FieldSpec,
    Filter,
    OrderTerm,
    PageRequest,
    Store,
    StoreError,
    TextMatch,
)

__all__ = ["Advice", "advice"]

_PAGE_ROWS = 50
_NAMED_MAX = 5
_EXAMPLES: Final[dict[FieldKind, Any]] = {
    FieldKind.DECIMAL: Decimal(1),
    FieldKind.INTEGER: 1,
    FieldKind.DATE: "2020-01-02",
    FieldKind.DATETIME: "2020-01-02T00:00:00Z",
    FieldKind.BOOLEAN: True,
}


@dataclass(frozen=True, slots=True)
class Advice:
    code: Literal["USE_INDEX", "USE_FEED"]
    message: str
    remedy: str


async def advice(store: Store) -> list[Advice]:
    """What could be better about how this store is read; nothing where all is well."""
    mapping: Any = getattr(store, "mapping", None)
    own = mapping if isinstance(mapping, Mapping) else None
    if store.capabilities.mode == "indexed":
        return [] if own is None else _feed_advice(own)
    return await _index_advice(store, own)


async def _index_advice(store: Store, mapping: Mapping | None) -> list[Advice]:
    slow: list[str] = []
    why = ""
    for title, request in _typical(mapping):
        try:
            told = await store.explain(request)
        except StoreError as error:
            slow.append(title)
            why = why or str(error)
            continue
        if "adapter" in (told.filter, told.order):
            slow.append(title)
            why = why or "; ".join(reason.message for reason in told.reasons)
    if not slow:
        return []
    named = ", ".join(slow[:_NAMED_MAX]) + (f" and {len(slow) - _NAMED_MAX} more" if len(slow) > _NAMED_MAX else "")
    remedy = 'write mode = "indexed" in [store]'
    if store.capabilities.write:
        remedy += " and remove [write]: the city then keeps custody changes itself"
    return [Advice("USE_INDEX", f"all rows are read for {named}: {why}", remedy)]


def _typical(mapping: Mapping | None) -> list[tuple[str, PageRequest]]:
    found = [("a page in key order", PageRequest(None, (), _PAGE_ROWS))]
    for spec in CANONICAL_FIELDS.values():
        if mapping is not None and spec.name not in mapping.fields:
            continue
        if spec.orderable:
            found.append((f"the order of {spec.name}", PageRequest(None, (OrderTerm(spec.name),), _PAGE_ROWS)))
        if spec.filterable:
            found.append((f"a filter by {spec.name}", PageRequest(_example(spec), (), _PAGE_ROWS)))
    found.append(("a search in texts", PageRequest(TextMatch((("办公",),)), (), _PAGE_ROWS)))
    return found


def _example(spec: FieldSpec) -> Filter:
    value = spec.values[0] if spec.values else _EXAMPLES.get(spec.kind, "1")
    return Compare(spec.name, "eq", value)


def _feed_advice(mapping: Mapping) -> list[Advice]:
    if mapping.store.engine not in SQL_ENGINES or mapping.feed is not None:
        return []
    by = "digest"
    if not mapping.joins:
        one_column = [name for name in ("updatedAt", "version") if _is_of_one_column(mapping, name)]
        by = {"updatedAt": "updated_at", "version": "version"}[one_column[0]] if one_column else by
    return [
        Advice(
            "USE_FEED",
            "all rows are read again whenever the store may have changed",
            f'add [feed] with by = "{by}", so that only what has changed is read',
        )
    ]


def _is_of_one_column(mapping: Mapping, name: str) -> bool:
    mapped = mapping.fields.get(name)
    return mapped is not None and len(mapped.columns) == 1
