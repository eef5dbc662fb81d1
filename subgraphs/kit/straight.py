"""A selection on one object type as one straight-line function, written as text and compiled once.

    def project(source):                          # {"id": ..., "price": ..., "status": ...}
        if type(source) is not dict:
            return of_object(source)
        get = source.get
        v0 = get('id')
        if type(v0) is not str: v0 = c0(v0)       # required: c0 raises `Unusual` for null
        v1 = get('price')
        if type(v1) is not str and v1 is not None: v1 = c1(v1)
        v2 = get('status')
        if v2 is not None: v2 = t2.get(v2) or c2(v2)
        return {'id': v0, 'price': v1, 'status': v2}

What a value most likely is costs one test of its class; everything else goes to the value's `Completion`, which
decides alone what is right. Names are counted, and texts of a client's stand in `repr` only.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLEnumType, GraphQLScalarType, Undefined

__all__ = ["Completion", "PlainField", "Unusual", "leaf", "list_of", "object_of", "required", "write_projection"]

Value = Any
Complete = Callable[[Value], Value]
Read = Callable[[Value], Value]

_SCALAR_CLASSES = frozenset(
    (str, int, float, bool, decimal.Decimal, datetime.date, datetime.datetime, datetime.time, uuid.UUID)
)


class Unusual(Exception):
    """The projector does not handle this value; graphql-core must."""


@dataclass(frozen=True, slots=True)
class Completion:
    """How a value is completed, and what of it needs no call: `complete` is right for every value."""

    complete: Complete
    nullable: bool = True
    as_is: type | None = None
    """Values of exactly this class stand for themselves."""
    table: Mapping[str, str] | None = None
    """What values of a closed set become."""


@dataclass(frozen=True, slots=True)
class PlainField:
    key: str
    """In the answer."""
    name: str | None
    """The key or attribute it is read by; None: it has a reader."""
    read: Read | None
    completion: Completion


# --- completions ------------------------------------------------------------------------------------------------------


def required(inner: Completion) -> Completion:
    complete = inner.complete

    def complete_required(value: Value) -> Value:
        completed = complete(value)
        if completed is None:
            raise Unusual
        return completed

    return replace(inner, complete=complete_required, nullable=False)


def object_of(project: Complete) -> Completion:
    return Completion(lambda value: None if value is None else project(value))


def list_of(item: Complete, items_required: bool) -> Completion:
    def complete_list(value: Value) -> Value:
        if value is None:
            return None
        if type(value) is not list and type(value) is not tuple:
            raise Unusual
        completed = [None if one is None else item(one) for one in value]
        if items_required and None in completed:
            raise Unusual
        return completed

    return Completion(complete_list)


def leaf(type_: GraphQLScalarType | GraphQLEnumType, texts_as_is: bool) -> Completion:
    """Serialise known classes only: a custom scalar's `serialize` may well make a text of a coroutine.

    `texts_as_is`: this scalar's texts are serialised to themselves.
    """
    as_is = str if texts_as_is else _AS_IS.get(type_.name)
    serialize = type_.serialize

    def complete_leaf(value: Value) -> Value:
        if value is None:
            return None
        kind = type(value)
        if kind is as_is:
            return value
        if kind not in _SCALAR_CLASSES and not isinstance(value, enum.Enum):
            raise Unusual
        serialized = serialize(value)
        if serialized is None or serialized is Undefined:
            raise Unusual
        return serialized

    table = _names_as_they_are(type_) if isinstance(type_, GraphQLEnumType) else None
    return Completion(complete_leaf, as_is=as_is, table=table)


_AS_IS: dict[str, type] = {"String": str, "ID": str, "Boolean": bool}
"""Classes whose values the specified scalars serialise to themselves."""


def _names_as_they_are(type_: GraphQLEnumType) -> dict[str, str]:
    """The names of an enum that stand for themselves as values."""
    found: dict[str, str] = {}
    for name in type_.values:
        try:
            if type_.serialize(name) == name:
                found[name] = name
        except Exception:  # this enum's values are no texts
            return {}
    return found


# --- writing ----------------------------------------------------------------------------------------------------------


def write_projection(typename: str, is_type_of: Callable[..., Any] | None, fields: Sequence[PlainField]) -> Complete:
    """The function that projects one value on these fields. It raises on anything unusual."""
    space: dict[str, Any] = {"Unusual": Unusual, "is_type_of": is_type_of}
    for at, field in enumerate(fields):
        space |= {f"c{at}": field.completion.complete, f"t{at}": field.completion.table, f"r{at}": field.read}
    lines = ["def project(source):", " if type(source) is not dict: return of_object(source)", " get = source.get"]
    if is_type_of is not None:
        lines.append(f" if get('__typename', {typename!r}) != {typename!r}: raise Unusual")
    lines += _fields(fields, "get({!r})")
    lines += [
        "def of_object(source):",
        " if isinstance(source, Exception) or hasattr(source, '__await__'): raise Unusual",
    ]
    if is_type_of is not None:
        lines.append(" if is_type_of(source, None) is not True: raise Unusual")
    lines += _fields(fields, "getattr(source, {!r})")
    exec(compile("\n".join(lines), "<projection>", "exec"), space)
    project: Complete = space["project"]
    return project


def _fields(fields: Sequence[PlainField], read: str) -> list[str]:
    lines: list[str] = []
    for at, field in enumerate(fields):
        value = f"v{at}"
        lines.append(f" {value} = {read.format(field.name) if field.read is None else f'r{at}(source)'}")
        lines.append(f" {_completed(field.completion, value, at)}")
    answer = ", ".join(f"{field.key!r}: v{at}" for at, field in enumerate(fields))
    return [*lines, f" return {{{answer}}}"]


def _completed(completion: Completion, value: str, at: int) -> str:
    present = f"{value} is not None"
    if completion.as_is is not None:
        others = f"type({value}) is not {completion.as_is.__name__}"
        condition = f"{others} and {present}" if completion.nullable else others
        return f"if {condition}: {value} = c{at}({value})"
    found = f"t{at}.get({value}) or c{at}({value})" if completion.table else f"c{at}({value})"
    return f"if {present}: {value} = {found}" if completion.nullable else f"{value} = {found}"
