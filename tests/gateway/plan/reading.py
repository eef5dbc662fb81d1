"""JSON → plan: reads back what `plan_to_json` wrote, by the types that the nodes declare."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from gateway.plan.nodes import OutputField, OutputSelection, QueryPlan

__all__ = ["read_plan"]


def read_plan(written: dict[str, Any]) -> QueryPlan:
    plan = _read(QueryPlan, written)
    assert isinstance(plan, QueryPlan)
    return plan


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _read_union(get_args(kind), value)
    if origin is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return tuple(_read(inner[0], one) for one in value)
        return tuple(_read(one, item) for one, item in zip(inner, value, strict=True))
    if origin is frozenset:
        return frozenset(value)
    if kind is OutputSelection:
        return OutputSelection(tuple(_read(OutputField, one) for one in value))
    if is_dataclass(kind):
        return _read_record(kind, value)
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


def _read_union(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    known = [one for one in kinds if one is not NoneType]
    if len(known) > 1:
        known = [one for one in known if one.__name__ == value["kind"]]
    return _read(known[0], value)


def _read_record(kind: Any, value: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for one in fields(kind):
        key = _camel(one.name)
        if key in value:
            given[one.name] = _read(hints[one.name], value[key])
        elif kind is OutputField and one.name == "source":
            given["source"] = value["key"]
        elif one.default is MISSING and one.default_factory is MISSING:
            given[one.name] = _nothing(hints[one.name])
    return kind(**given)


def _nothing(kind: Any) -> Any:
    """What an absent entry stands for, where the type has no default: none, or no elements."""
    if NoneType in get_args(kind):
        return None
    return () if get_origin(kind) is tuple else OutputSelection(()) if kind is OutputSelection else ""


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
