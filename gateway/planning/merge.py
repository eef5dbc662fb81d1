"""Stage 4: fewer fetches, where that costs no round.

Two fetches of one graph at one path become one when
- they stand in the same round, or
- one of them gives nothing that another fetch waits for: then it may as well run with the later one.
"""

from __future__ import annotations

from gateway.planning.groups import Group, Requirement

__all__ = ["levels", "merge_groups"]


def levels(groups: list[Group]) -> dict[Group, int]:
    """Group → the round it runs in, counted from 0."""
    found: dict[Group, int] = {}

    def level(group: Group) -> int:
        if group not in found:
            found[group] = 1 + max((level(dep) for dep in group.deps), default=-1)
        return found[group]

    for group in groups:
        level(group)
    return found


def merge_groups(groups: list[Group]) -> list[Group]:
    """The groups that are left, in their old order."""
    alive = list(groups)
    merged = True
    while merged:
        merged = _merge_once(alive)
    return alive


def _merge_once(alive: list[Group]) -> bool:
    rounds = levels(alive)
    awaited = {dep for group in alive for dep in group.deps}
    places: dict[tuple[str, tuple[str, ...]], list[Group]] = {}
    for group in alive:
        if group.is_entity:
            places.setdefault((group.graph, group.path), []).append(group)
    for same in places.values():
        for position, one in enumerate(same):
            for other in same[position + 1 :]:
                early, late = (one, other) if rounds[one] <= rounds[other] else (other, one)
                if _may_merge(early, late, rounds, awaited):
                    _merge(early, late)
                    alive.remove(early)
                    for group in alive:
                        if early in group.deps:
                            group.deps = (group.deps - {early}) | {late}
                    return True
    return False


def _may_merge(early: Group, late: Group, rounds: dict[Group, int], awaited: set[Group]) -> bool:
    one, other = set(early.conditions), set(late.conditions)
    if rounds[early] == rounds[late]:
        return one <= other or other <= one
    return early not in awaited and one == other


def _merge(source: Group, target: Group) -> None:
    target.index = min(source.index, target.index)
    target.deps |= source.deps
    target.contexts += source.contexts
    target.selection.absorb(source.selection)
    for key, requirement in source.requires.items():
        merge_requirements(target.requires.setdefault(key, {}), requirement)


def merge_requirements(target: Requirement, source: Requirement) -> None:
    for name, required in source.items():
        mine = target.setdefault(name, required)
        if mine is not required:
            for key, below in required.below.items():
                merge_requirements(mine.below.setdefault(key, {}), below)
