"""Which key to jump by, where several lead there as well: the one that adds the fewest fields to what is selected here.

A field counts once, however many jumps need it, and not at all where the client selects it anyway under its own name.
Keys that are the only way to a graph are settled first; whoever has a choice then joins them if it can. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from gateway.planning.costs import FIELD_COST, Cost
from gateway.query_graph import KeyMove, Node, QueryGraph
from gateway.query_graph.selection import TYPENAME, Selected, SelectionSet

__all__ = ["Keys", "leaves"]

Way: TypeAlias = tuple[str, ...]
"""Signatures from the object down to a leaf."""
Candidates: TypeAlias = tuple[tuple[KeyMove, Cost], ...]


@lru_cache(maxsize=4096)
def leaves(selections: SelectionSet) -> frozenset[Way]:
    """The fields that a key or a requirement adds, for all types together."""
    return frozenset(_leaves(selections.fields))


def _leaves(fields: tuple[Selected, ...], above: Way = ()) -> Iterator[Way]:
    for one in fields:
        if one.children is not None:
            yield from _leaves(one.children.fields, (*above, one.signature))
        elif one.name != TYPENAME:
            yield (*above, one.signature)


class Keys:
    def __init__(self, graph: QueryGraph, node: Node, fields: tuple[Selected, ...]) -> None:
        """`fields`: what is selected at `node`."""
        names = {one.name for jump in graph.key_moves(node) for one in jump.key.fields}
        self._present = frozenset(_plain(tuple(one for one in fields if one.name in names)))

    def best(self, jumps: Mapping[Node, Candidates]) -> tuple[dict[Node, KeyMove], int]:
        """A key for each jump, and what all of them add."""
        there = set(self._present)
        vias: dict[Node, KeyMove] = {}
        added = 0
        for target, candidates in sorted(jumps.items(), key=lambda one: len(one[1])):
            via, cost = min(candidates, key=lambda one: one[1].fields + len(leaves(one[0].key) - there))
            vias[target] = via
            added += cost.fields + FIELD_COST * len(leaves(via.key) - there)
            there |= leaves(via.key)
        return vias, added


def _plain(fields: tuple[Selected, ...], above: Way = ()) -> Iterator[Way]:
    """What is selected under its own name and without conditions."""
    for one in fields:
        if one.conditions or one.key != one.name:
            continue
        if one.children is not None:
            yield from _plain(one.children.fields, (*above, one.signature))
        else:
            yield (*above, one.signature)
