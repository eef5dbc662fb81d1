"""Stage 4: fewer fetches, where that costs no round.

Two fetches of one graph at one path become one when
- they stand in the same round, or
- one of them gives nothing that another fetch waits for: then it may as well run with the later one.
Not every two may: whatever the merged fetch needs to be sent must be there whenever anything of it is wanted. A key
that is collected under `@include(if: $p)`, or below one of several types only, cannot carry fields that are wanted
without that.
"""

from __future__ import annotations

from gateway.planning.groups import Context, Group, Required, Requirement
from gateway.planning.operations import selection_text

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
        if group.path:
            places.setdefault((group.graph, group.path), []).append(group)
    for same in places.values():
        for position, one in enumerate(same):
            for other in same[position + 1 :]:
                early, late = (one, other) if rounds[one] < rounds[other] else (other, one)
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
        worthwhile = one <= other or other <= one
    else:
        worthwhile = early not in awaited and one == other
    # What lacks a contextual value is not asked for, and must take nothing else with it.
    worthwhile = worthwhile and early.contextual.keys() == late.contextual.keys()
    return worthwhile and _same_meaning(early, late) and _reads_alike(early, late) and _is_covered(early, late)


def _reads_alike(one: Group, other: Group) -> bool:
    """A representation holds one value for a field: two that require it with other arguments need one each."""
    return all(_no_conflict(mine, other.requires.get(key, {})) for key, mine in one.requires.items())


def _no_conflict(one: Requirement, other: Requirement) -> bool:
    return all(
        mine.source == other[name].source
        and all(_no_conflict(below, other[name].below.get(key, {})) for key, below in mine.below.items())
        for name, mine in one.items()
        if name in other
    )


def _same_meaning(one: Group, other: Group) -> bool:
    """Types sent as one interface share what is asked of them."""
    if one.origins == other.origins:
        return True
    return selection_text(one.selection) == selection_text(other.selection) and list(
        map(_texts, one.requires.values())
    ) == list(map(_texts, other.requires.values()))


def _texts(requirement: Requirement) -> tuple[object, ...]:
    return tuple(
        sorted(
            (name, one.source, str([_texts(below) for below in one.below.values()]))
            for name, one in requirement.items()
        )
    )


def _is_covered(one: Group, other: Group) -> bool:
    """Whether all that must be sent will be there whenever anything is wanted."""
    wanted = one.contexts | other.contexts
    for key in {*one.requires, *other.requires}:
        mine, theirs = one.requires.get(key), other.requires.get(key)
        if not _all_there(_both(mine or {}, theirs or {}), _of_type(wanted, key[0], one.path)):
            return False
    return True


def _of_type(contexts: set[Context], name: str, path: tuple[str, ...]) -> set[Context]:
    """What concerns objects of one type; the contexts of other types ask nothing of its representation."""
    found = {one for one in contexts if any(at == path and name in types for at, types in one.types)}
    return found or contexts


def _both(one: Requirement, other: Requirement) -> list[list[Required]]:
    return [[found for found in (one.get(name), other.get(name)) if found is not None] for name in {**one, **other}]


def _all_there(fields: list[list[Required]], wanted: set[Context]) -> bool:
    for same in fields:
        there = {context for one in same for context in one.contexts}
        if not all(any(context.covers(each) for context in there) for each in wanted):
            return False
        below: dict[tuple[str, str], list[Requirement]] = {}
        for one in same:
            for key, requirement in one.below.items():
                below.setdefault(key, []).append(requirement)
        for requirements in below.values():
            first, second = requirements[0], requirements[1] if len(requirements) > 1 else {}
            if not _all_there(_both(first, second), wanted):
                return False
    return True


def _merge(source: Group, target: Group) -> None:
    target.index = min(source.index, target.index)
    target.deps |= source.deps
    target.origins |= source.origins
    target.contexts |= source.contexts
    target.selection.absorb(source.selection)
    for key, requirement in source.requires.items():
        merge_requirements(target.requires.setdefault(key, {}), requirement)


def merge_requirements(target: Requirement, source: Requirement) -> None:
    for name, required in source.items():
        mine = target.setdefault(name, required)
        if mine is not required:
            mine.contexts |= required.contexts
            for key, below in required.below.items():
                merge_requirements(mine.below.setdefault(key, {}), below)
