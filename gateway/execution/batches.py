"""What one `BatchFetch` asks at run time: its parts, filled with representations, in one request.

A part with contextual arguments has a copy for each set of values (see `contexts`); with very many of them, the copies
are spread over several requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import orjson

from gateway.execution.compiled import CompiledBatch, CompiledPart
from gateway.execution.contexts import Copies, find_standing, read_values
from gateway.execution.places import collect
from gateway.execution.representations import Batch, build_batch

__all__ = ["AskedPart", "BatchRequest", "batch_requests"]

COPIES_MAX = 64
"""Aliases of one request; subgraphs bound them."""


@dataclass(frozen=True, slots=True)
class AskedPart:
    place: int
    """The part's, in the plan."""
    part: CompiledPart
    """A copy has an alias and variables of its own."""
    batch: Batch
    lengths: list[int]
    """How many objects stand at each of the part's paths."""
    values: tuple[Any, ...] = ()
    """Of the part's contexts."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    operation: str
    asked: list[AskedPart]
    variables: Mapping[str, Any]
    """Representations and contextual values."""


def batch_requests(compiled: CompiledBatch, data: dict[str, Any]) -> list[BatchRequest]:
    """None, where there is nothing to ask."""
    asked = [one for place, part in enumerate(compiled.parts) for one in _ask(place, part, data)]
    if not any(one.batch.texts for one in asked):
        return []
    if compiled.copies is None:
        return [BatchRequest(compiled.batch.operation, asked, _representations(asked))]
    filled = [one for one in asked if one.batch.texts]
    starts = range(0, len(filled), COPIES_MAX)
    return [_with_copies(compiled.copies, filled[start : start + COPIES_MAX]) for start in starts]


def _representations(asked: list[AskedPart]) -> dict[str, Any]:
    return {one.part.variable: [orjson.Fragment(text) for text in one.batch.texts] for one in asked}


def _ask(place: int, part: CompiledPart, data: dict[str, Any]) -> Iterator[AskedPart]:
    if part.contexts:
        yield from _by_values(place, part, data)
        return
    found = [collect(data, path) for path in part.paths]
    batch = build_batch([one for same in found for one in same], part.build)
    yield AskedPart(place, part, batch, [len(one) for one in found])


def _by_values(place: int, part: CompiledPart, data: dict[str, Any]) -> Iterator[AskedPart]:
    """The entities told apart by their contextual values."""
    found = [find_standing(data, path, part.contexts) for path in part.paths]
    ends = list(accumulate(len(one) for one in found))
    standing = [one for same in found for one in same]
    alike: dict[bytes, tuple[tuple[Any, ...], list[int]]] = {}
    for position, one in enumerate(standing):
        values = read_values(one, part.contexts)
        if values is not None:
            alike.setdefault(orjson.dumps(values), (values, []))[1].append(position)
    for values, positions in alike.values():
        batch = build_batch([standing[one][0] for one in positions], part.build)
        upto = [sum(one < end for one in positions) for end in ends]
        lengths = [end - start for start, end in zip([0, *upto], upto, strict=False)]
        yield AskedPart(place, part, replace(batch, positions=positions), lengths, values)


def _with_copies(copies: Copies, asked: list[AskedPart]) -> BatchRequest:
    counts = [0] * len(copies.batch.parts)
    numbered: list[AskedPart] = []
    variables: dict[str, Any] = {}
    for one in asked:
        copy = counts[one.place]
        counts[one.place] += 1
        alias, variable = copies.alias(one.place, copy), copies.variable(one.part.variable, copy)
        numbered.append(replace(one, part=replace(one.part, alias=alias, variable=variable)))
        names = (copies.variable(context.name, copy) for context in one.part.contexts)
        variables.update(zip(names, one.values, strict=True))
    return BatchRequest(copies.text(tuple(counts)), numbered, {**variables, **_representations(numbered)})
