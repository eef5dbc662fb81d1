"""Representations of the objects that stand at a path (`places`): what identifies them to a subgraph.

Equal representations are sent once; `Batch.owners` remembers which object each answer belongs to. An object whose key is
null, or that lacks a required field, is skipped: its fields stay null.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import orjson

from gateway.execution.places import Path, PossibleTypes, locate, type_of
from gateway.language.paths import ResponsePath
from gateway.plan.nodes import RequiredField, RequiredSelection

__all__ = [
    "Batch",
    "Builder",
    "all_places",
    "build_batch",
    "compile_requires",
]

KeyFields: TypeAlias = Mapping[str, frozenset[str]]
"""Type condition → the fields that are key material and must not be null."""


Representation: TypeAlias = dict[str, Any]
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Builder:
    build: Callable[[dict[str, Any]], Representation | None]
    """From an object to its representation, or to None when it has none."""
    sources: tuple[str, ...] = ()
    """Where all that `build` looks at stands in the object itself, the key's first; none: it stands deeper."""


@dataclass(frozen=True, slots=True)
class Batch:
    objects: list[dict[str, Any]]
    owners: list[int]
    """Object i's place in `representations`; -1: it has none."""
    representations: list[Representation]
    texts: list[bytes]
    """The representations as JSON, written once."""
    positions: list[int] | None = None
    """Which of the objects at their paths these are; None: all."""


def build_batch(objects: list[dict[str, Any]], builder: Builder) -> Batch:
    """Objects alike in all that is read have one representation, so it is built and written for one of them."""
    representations: list[Representation] = []
    places: dict[bytes, int] = {}
    told = _tell_apart(objects, builder.sources)
    if told is None:
        owners = [_place(builder.build(one), representations, places) for one in objects]
    else:
        keys, alike = told
        owner = {key: _place(builder.build(one), representations, places) for key, one in alike.items()}
        owners = list(map(owner.__getitem__, keys))
    return Batch(objects, owners, representations, list(places))


_PLAIN = tuple(frozenset((str, type(None), number)) for number in (bool, int, float))
"""Values of these types, all from one of the sets, are alike when they are equal; True, 1 and 1.0 are not alike."""


def _tell_apart(
    objects: list[dict[str, Any]], sources: Sequence[str]
) -> tuple[Sequence[Hashable], Mapping[Hashable, dict[str, Any]]] | None:
    """For each object a key, which those have in common that are alike in all that is read; and one object of each key.
    None: what is read stands elsewhere, or is not plain.

    It goes column by column, so that the loops are C's. Most often the first column tells all: it holds the entity's
    key, the others follow from it, and the type's name is the same everywhere.
    """
    if not sources or not objects:
        return None
    columns = _columns(objects, sources)
    telling = [column for column in columns if not _is_one_text(column)] or columns[:1]
    first, *others = telling
    if all(map(_is_plain, telling)):
        place_of = dict(zip(first, range(len(objects)), strict=True))
        if all(_follows(column, first, place_of) for column in others):
            return first, {key: objects[place] for key, place in place_of.items()}
    keys = [(*values, *map(type, values)) for values in zip(*telling, strict=True)]
    try:
        return keys, dict(zip(keys, objects, strict=True))
    except TypeError:  # A list or an object among the values.
        return None


def _columns(objects: list[dict[str, Any]], sources: Sequence[str]) -> list[list[Any]]:
    try:
        return [list(map(itemgetter(source), objects)) for source in sources]
    except KeyError:
        return [[one.get(source, _MISSING) for one in objects] for source in sources]


def _is_one_text(column: list[Any]) -> bool:
    return column[0].__class__ is str and column.count(column[0]) == len(column)


def _is_plain(column: list[Any]) -> bool:
    types = set(map(type, column))
    return any(types <= one for one in _PLAIN)


def _follows(column: list[Any], keys: list[Any], place_of: Mapping[Any, int]) -> bool:
    """Whether objects of the same key have the same value in this column; `place_of`: of one object of each key."""
    value_of = {key: column[place] for key, place in place_of.items()}
    return list(map(value_of.__getitem__, keys)) == column


def _place(representation: Representation | None, known: list[Representation], places: dict[bytes, int]) -> int:
    if representation is None:
        return -1
    text = orjson.dumps(representation)
    place = places.get(text)
    if place is None:
        place = places[text] = len(known)
        known.append(representation)
    return place


def all_places(data: dict[str, Any], paths: Iterable[Path], batch: Batch) -> Mapping[int, Sequence[ResponsePath]]:
    """Where the objects of each representation stand; `paths`: all that the batch was collected from."""
    places: dict[int, list[ResponsePath]] = {}
    found = [one for path in paths for one in locate(data, path)]
    if batch.positions is not None:
        found = [found[position] for position in batch.positions]
    for owner, place in zip(batch.owners, found, strict=False):
        places.setdefault(owner, []).append(place)
    return places


def compile_requires(
    requires: Sequence[RequiredSelection], possible_types: PossibleTypes, key_fields: KeyFields
) -> Builder:
    branches: dict[str, list[tuple[str, _Taker]]] = {}
    for selection in requires:
        taker = _compile_fields(selection.fields, possible_types, key_fields.get(selection.type_condition, frozenset()))
        for name in possible_types(selection.type_condition) | {selection.type_condition}:
            branches.setdefault(name, []).append((selection.send_typename, taker))

    def build(one: dict[str, Any]) -> Representation | None:
        matching = branches.get(type_of(one) or "")
        if matching is None:
            return None
        representation: Representation = {}
        for send_typename, taker in matching:
            representation["__typename"] = send_typename
            if not taker(one, representation):
                return None
        return representation

    flat = all(not one.selections for selection in requires for one in selection.fields)
    sources = dict.fromkeys(one.source for selection in requires for one in selection.fields)
    return Builder(build, (*sources, "__typename") if flat and sources else ())


_Taker: TypeAlias = Callable[[dict[str, Any], Representation], bool]
"""Reads fields of an object into a representation; False: something needed is missing."""


def _compile_fields(fields: Sequence[RequiredField], possible_types: PossibleTypes, keys: frozenset[str]) -> _Taker:
    if all(not one.selections for one in fields):
        flat = tuple((one.name, one.source, one.name in keys) for one in fields)

        def take_flat(one: dict[str, Any], into: Representation) -> bool:
            for name, source, is_key in flat:
                value = one.get(source, _MISSING)
                if value is _MISSING or (is_key and value is None):
                    return False
                into[name] = value
            return True

        return take_flat

    compiled = tuple(
        (one.name, one.source, one.name in keys, _compile_nested(one.selections, possible_types)) for one in fields
    )

    def take(one: dict[str, Any], into: Representation) -> bool:
        for name, source, is_key, nested in compiled:
            value = one.get(source, _MISSING)
            if value is _MISSING or (is_key and value is None):
                return False
            taken = nested(value) if nested is not None else value
            if taken is _MISSING:
                return False
            into[name] = taken
        return True

    return take


def _compile_nested(
    selections: Sequence[RequiredSelection], possible_types: PossibleTypes
) -> Callable[[Any], Any] | None:
    """Reads an object (or list of them) below a required field, by its run-time type where that is known."""
    if not selections:
        return None
    takers = tuple(
        (
            possible_types(one.type_condition) | {one.type_condition},
            one.send_typename,
            _compile_fields(one.fields, possible_types, frozenset()),
        )
        for one in selections
    )

    def read(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            items = [read(item) for item in value]
            return _MISSING if any(item is _MISSING for item in items) else items
        if not isinstance(value, dict):
            return _MISSING
        typename = type_of(value)
        taken: Representation = {}
        for types, send_typename, taker in takers:
            if typename is None and send_typename and len(takers) > 1:
                continue
            if typename is not None and typename not in types:
                continue
            if typename is not None:
                taken["__typename"] = send_typename if send_typename else typename
            if not taker(value, taken):
                return _MISSING
        return taken

    return read
