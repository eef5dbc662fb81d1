"""One response key asked for several times, under conditions: what of it is in force when.

The same key may stand in several fragments, each switched by variables. Which occurrences are in force decides what is
selected below, and where the key stands: an answer has its keys in the order in which they are first asked for, and
mutations run in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from gateway.planning.costs import OUTPUT_VARIANTS_MAX, too_complex
from gateway.query_graph.selection import Conditions, Selected, SelectionSet

__all__ = ["in_series", "variants"]


def variants(applying: list[Selected]) -> Iterator[tuple[Conditions, list[Selected]]]:
    """For each combination of the switching variables: which occurrences are in force."""
    different = {one.conditions for one in applying}
    if len(different) == 1:
        yield applying[0].conditions, applying
        return
    variables = _variables(different)
    always = [one for one in applying if not one.conditions]
    keeps_its_place = always and (always[0] is applying[0] or len(variables) > OUTPUT_VARIANTS_MAX)
    if keeps_its_place and all(one.children is None for one in applying):
        # Nothing but the key's place depends on the variables; with too many of them, it keeps one place.
        yield (), always
        return
    if len(variables) > OUTPUT_VARIANTS_MAX:
        raise too_complex(f'variables that switch the one key "{applying[0].key}"', OUTPUT_VARIANTS_MAX)
    for values in product((True, False), repeat=len(variables)):
        known = dict(zip(variables, values, strict=True))
        in_force = [one for one in applying if all(known[name] is wanted for name, wanted in one.conditions)]
        if in_force:
            yield tuple(known.items()), in_force


def _variables(conditions: Iterable[Conditions]) -> tuple[str, ...]:
    return tuple(sorted({name for one in conditions for name, _ in one}))


def in_series(fields: Iterable[Selected]) -> list[Selected]:
    """The same fields, such that of each key exactly one is in force, at the place of the first that was."""
    written = list(fields)
    places = {one: place for place, one in enumerate(written)}
    by_key: dict[str, list[Selected]] = {}
    for one in written:
        by_key.setdefault(one.key, []).append(one)
    found: list[tuple[int, Selected]] = []
    for same in by_key.values():
        if len(same) == 1:
            found.append((places[same[0]], same[0]))
            continue
        found += [(places[in_force[0]], _as_one(in_force, known)) for known, in_force in variants(same)]
    return [one for _, one in sorted(found, key=lambda one: one[0])]


def _as_one(in_force: list[Selected], conditions: Conditions) -> Selected:
    below = [inner for one in in_force if one.children is not None for inner in one.children.fields]
    children = None if in_force[0].children is None else SelectionSet(tuple(below))
    return in_force[0].under(conditions).with_children(children)
