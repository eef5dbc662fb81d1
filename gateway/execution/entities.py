"""What an answer about entities says, and where it belongs in the data. Pure: the executor asks.

An entity request names its objects by place (`_entities.3`); each of these stands at one place of the data or at
several. Values and errors of the answer are brought to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.execution.answers import Answer, Failure, error_path
from gateway.execution.batches import AskedPart
from gateway.execution.merge import copied, merge_entities
from gateway.execution.representations import Batch, all_places
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath

__all__ = ["OTHER_NUMBER", "entities_of", "entity_paths", "merge_by_path", "part_paths"]

OTHER_NUMBER = Failure(Code.SUBGRAPH_BAD_RESPONSE, "it gave another number of entities than asked for")


def entities_of(answer: Answer, key: str, count: int) -> list[Any] | None:
    """None: the subgraph gave none, or another number than asked for."""
    entities = answer.data.get(key) if answer.data is not None else None
    return entities if isinstance(entities, list) and len(entities) == count else None


def merge_by_path(batch: Batch, lengths: Sequence[int], entities: list[Any], interfaces: frozenset[str]) -> None:
    """Each path has its own copy: below, the client may ask for other things under the same keys at another path."""
    own = [entities, *([copied(one) for one in entities] for _ in lengths[1:])]
    start = 0
    for length, given in zip(lengths, own, strict=True):
        end = start + length
        merge_entities(batch.objects[start:end], batch.owners[start:end], given, interfaces)
        start = end


def part_paths(raw: Mapping[str, Any], asked: Sequence[AskedPart], data: dict[str, Any]) -> Sequence[ResponsePath]:
    """`_e1.3.name` → where the objects of the second part's fourth representation stand, then `name`."""
    path = error_path(raw)
    for part, batch in ((one.part, one.batch) for one in asked):
        if path is not None and path[:1] == (part.alias,):
            return entity_paths(raw, part.alias, all_places(data, part.paths, batch), part.plain_paths[0])
    return (asked[0].part.plain_paths[0],)


def entity_paths(
    raw: Mapping[str, Any], key: str, places: Mapping[int, Sequence[ResponsePath]], otherwise: ResponsePath
) -> Sequence[ResponsePath]:
    """`_entities.3.name` → where the fourth representation's objects stand, then `name`: each lacks it."""
    path = error_path(raw)
    if path is None or len(path) < 2 or path[0] != key or not isinstance(path[1], int) or path[1] < 0:
        return (otherwise,)
    return [(*place, *path[2:]) for place in places.get(path[1], ())] or (otherwise,)
