"""Stage 6: entity fetches of one graph that one request can carry, where that costs no round.

A `Unit` is what becomes one request: a single fetch, or several entity fetches of one graph that the subgraph answers
under aliases. Units are what rounds are counted over:

    earliest   rounds before a unit can start        above + below ≤ rounds of the whole operation:
    after      rounds that still follow it           then a unit may wait for another one's objects

Two units may become one when neither waits for the other, when they run under the same conditions, and when the
later start of the one and the longer rest of the other still fit into the rounds that the operation takes anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.planning.costs import BATCH_PARTS_MAX
from gateway.planning.groups import Group
from gateway.query_graph.selection import Conditions

__all__ = ["Unit", "units_of"]


@dataclass(eq=False, slots=True)
class Unit:
    """One request in the making."""

    groups: list[Group]
    conditions: Conditions
    deps: set[Unit] = field(default_factory=set)

    @property
    def graph(self) -> str:
        return self.groups[0].graph


def units_of(groups: list[Group], may_batch: Callable[[Group], bool]) -> list[Unit]:
    """In the order of their first groups. `may_batch`: whether a group may share its request with others."""
    unit_of = {group: Unit([group], group.conditions) for group in groups}
    for group, unit in unit_of.items():
        unit.deps = {unit_of[dep] for dep in group.deps if dep in unit_of}
    units = list(unit_of.values())
    candidates = [one for one in units if one.groups[0].is_entity and may_batch(one.groups[0])]
    _join(units, candidates)
    return units


def _join(units: list[Unit], candidates: list[Unit]) -> None:
    rounds = _Rounds(units)
    for place, one in enumerate(candidates):
        for other in candidates[place + 1 :]:
            if one in rounds.earliest and other in rounds.earliest and _fit(one, other, rounds):
                one.groups += other.groups
                one.deps |= other.deps
                units.remove(other)
                for unit in units:
                    if other in unit.deps:
                        unit.deps = (unit.deps - {other}) | {one}
                rounds = _Rounds(units)


def _fit(one: Unit, other: Unit, rounds: _Rounds) -> bool:
    return (
        one.graph == other.graph
        and one.conditions == other.conditions
        and len(one.groups) + len(other.groups) <= BATCH_PARTS_MAX
        and max(rounds.earliest[one], rounds.earliest[other]) + max(rounds.after[one], rounds.after[other])
        < rounds.total
        and not rounds.waits(one, other)
        and not rounds.waits(other, one)
    )


class _Rounds:
    """When units can start and what follows them, and who waits for whom (as bits of an integer)."""

    def __init__(self, units: list[Unit]) -> None:
        self.earliest: dict[Unit, int] = {}
        self.after: dict[Unit, int] = dict.fromkeys(units, 0)
        self._bit = {one: 1 << place for place, one in enumerate(units)}
        self._before: dict[Unit, int] = {}
        for one in units:
            self._visit(one)
        for one in sorted(units, key=self.earliest.__getitem__, reverse=True):
            for dep in one.deps:
                self.after[dep] = max(self.after[dep], self.after[one] + 1)
        self.total = 1 + max(self.earliest.values(), default=-1)

    def _visit(self, one: Unit) -> None:
        if one in self.earliest:
            return
        before = 0
        for dep in one.deps:
            self._visit(dep)
            before |= self._before[dep] | self._bit[dep]
        self._before[one] = before
        self.earliest[one] = 1 + max((self.earliest[dep] for dep in one.deps), default=-1)

    def waits(self, one: Unit, for_other: Unit) -> bool:
        return bool(self._before[one] & self._bit[for_other])
