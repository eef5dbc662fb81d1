"""Put a fetch's data back into the response tree, in place and without copying what is only passed on."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain
from typing import Any

__all__ = ["copied", "merge_entities", "merge_into", "rewrite"]


_NONE: frozenset[str] = frozenset()


def merge_into(target: dict[str, Any], source: dict[str, Any], interfaces: Set[str] = _NONE) -> None:
    """Deep merge. Where both have a value that cannot be merged, a value wins over null and the later one wins; but an
    object's real type stays when a graph that knows it as its interface only (one of `interfaces`) answers later."""
    for key, value in source.items():
        if value is None:
            target.setdefault(key, None)
            continue
        present = target.get(key)
        if present is None or present is value:
            target[key] = value
        elif isinstance(present, dict) and isinstance(value, dict):
            merge_into(present, value, interfaces)
        elif isinstance(present, list) and isinstance(value, list):
            _merge_lists(present, value, interfaces)
        elif key != "__typename" or value.__class__ is not str or value not in interfaces:
            target[key] = value


def _merge_lists(target: list[Any], source: list[Any], interfaces: Set[str]) -> None:
    """Lists of the same field match element by element; of unequal length, the first stands (they disagree)."""
    if len(target) != len(source):
        return
    for index, value in enumerate(source):
        present = target[index]
        if present is None:
            target[index] = value
        elif isinstance(present, dict) and isinstance(value, dict):
            merge_into(present, value, interfaces)
        elif isinstance(present, list) and isinstance(value, list):
            _merge_lists(present, value, interfaces)


def merge_entities(
    objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any], interfaces: Set[str] = _NONE
) -> None:
    """Merge each entity into every object its representation was taken from; `owners[i]` is object i's entity."""
    if _only_add(objects, owners, entities):
        for target, owner in zip(objects, owners, strict=True):
            target |= entities[owner]  # `update` takes longer.
        return
    for target, owner in zip(objects, owners, strict=True):
        entity = entities[owner] if owner >= 0 else None
        if entity.__class__ is not dict:
            continue
        if target.keys().isdisjoint(entity):
            target |= entity
        else:
            merge_into(target, entity, interfaces)


def _only_add(objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any]) -> bool:
    """Whether each object gets an entity, and none has a key of any entity yet: the usual case, seen in C's loops."""
    if min(owners, default=-1) < 0 or set(map(type, entities)) != {dict}:
        return False
    keys = set(chain.from_iterable(entities))
    return all(map(keys.isdisjoint, objects))


def copied(value: Any) -> Any:
    """A copy that shares no object or list with the original."""
    if value.__class__ is dict:
        return {key: copied(one) if one.__class__ in (dict, list) else one for key, one in value.items()}
    if value.__class__ is list:
        return [copied(one) if one.__class__ in (dict, list) else one for one in value]
    return value


def rewrite(value: Any, path: Sequence[str], to: str) -> None:
    """Set the last key of `path`, going through lists on the way."""
    if isinstance(value, list):
        for item in value:
            rewrite(item, path, to)
    elif isinstance(value, dict):
        if len(path) == 1:
            value[path[0]] = to
        elif path[0] in value:
            rewrite(value[path[0]], path[1:], to)
