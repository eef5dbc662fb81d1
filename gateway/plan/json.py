"""Plans for programs: plain JSON, a `kind` on every node, nothing that is empty."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    Given,
    OutputField,
    OutputSelection,
    Parallel,
    QueryPlan,
    ScatterFetch,
    Sequence,
    Subscription,
)

__all__ = ["plan_to_json"]

_KINDS = (QueryPlan, Fetch, ScatterFetch, BatchFetch, Flatten, Given, Sequence, Parallel, Condition, Subscription)
_ALWAYS = frozenset({"graph", "operation", "path", "nodes", "variable"})
"""Written even when empty."""


def plan_to_json(plan: QueryPlan) -> dict[str, Any]:
    written = _record(plan)
    written["root"] = None if plan.root is None else _record(plan.root)
    return written


def _record(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": type(value).__name__} if isinstance(value, _KINDS) else {}
    for one in fields(value):
        inner = getattr(value, one.name)
        if one.name in _ALWAYS or inner not in (None, (), "", False, frozenset()):
            found[_camel(one.name)] = _plain(inner)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, OutputSelection):
        return [_plain(one) for one in value.fields]
    if isinstance(value, OutputField) and value.source == value.key:
        written = _record(value)
        del written["source"]
        return written
    if is_dataclass(value):
        return _record(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
