"""What search chooses among: for each field its options, and the sets of jumps that serve all fields together.

A jump is paid once, however many fields use it. So options are not compared one by one: for each set of jumps, every
field takes the cheapest option that needs no others, and the sets are weighed as wholes. Pure; `search` says what
options there are and what they cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from gateway.planning.costs import TARGETS_TRIED_TOGETHER_MAX
from gateway.query_graph import FieldMove, KeyMove, Node
from gateway.query_graph.selection import Selected

__all__ = ["Alternatives", "Choice", "Chosen", "Option", "pick", "subsets", "worth_a_jump"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Where one field is taken from."""

    field: Selected
    move: FieldMove | None
    """None: `__typename`, or a field of an object whose real type the jump finds out."""
    via: KeyMove | None = None
    target: Node | None = None
    """Where the jump leads; None: no jump."""

    def by(self, keys: Mapping[Node, KeyMove]) -> Choice:
        """The same by the key that was found best beside all else."""
        via = keys.get(self.target, self.via) if self.target is not None else None
        return self if via is self.via else Choice(self.field, self.move, via, self.target)


@dataclass(frozen=True, slots=True)
class Option:
    choice: Choice
    rounds: int
    fetches: int
    """Without the jump's own, which fields share."""
    fields: int = 0
    """Required ones, likewise without the key's."""


Alternatives: TypeAlias = tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    choices: tuple[Choice, ...]
    rounds: int
    below: int
    """Fetches besides the jumps."""
    jumps: tuple[tuple[Node, int], ...]
    """Where to, at how many fetches (the key's included)."""
    fields: int = 0
    """Of keys and requirements."""


def worth_a_jump(every: list[Alternatives]) -> tuple[Node, ...]:
    """Graphs to jump to that are worth a thought: nothing that is free here needs one."""
    found: dict[Node, None] = {}
    for alternatives in every:
        if any(one.choice.target is None and one.rounds == one.fetches == 0 for one in alternatives):
            continue
        found.update((one.choice.target, None) for one in alternatives if one.choice.target is not None)
    return tuple(found)


def pick(alternatives: Alternatives, subset: Iterable[Node]) -> Option | None:
    """The cheapest option that needs no other jumps than those of `subset`; here before there."""
    allowed = frozenset(subset)
    possible = [one for one in alternatives if one.choice.target is None or one.choice.target in allowed]
    return min(possible, key=lambda one: (one.fetches, one.rounds, one.fields), default=None)


def subsets(targets: tuple[Node, ...], every: list[Alternatives]) -> Iterator[tuple[Node, ...]]:
    """Sets of jumps to weigh, small ones first; with too many targets, one set that is grown greedily."""
    if len(targets) <= TARGETS_TRIED_TOGETHER_MAX:
        for size in range(len(targets) + 1):
            yield from combinations(targets, size)
        return
    chosen: list[Node] = []
    waiting = [one for one in every if all(option.choice.target is not None for option in one)]
    while waiting:
        best = max(targets, key=lambda target: sum(pick(one, [target]) is not None for one in waiting))
        chosen.append(best)
        waiting = [one for one in waiting if pick(one, [best]) is None]
    yield tuple(chosen)
