"""Stage 7: fetches and what they wait for → Sequence, Parallel, Condition.

Units that have nothing to do with each other run side by side; a unit that all others wait for comes first; where
several are ready and what follows hangs together, they form one wave. No fetch waits longer than the rounds it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.plan.nodes import Condition, Node, Parallel, Sequence
from gateway.planning.batch import Unit
from gateway.query_graph.selection import Conditions

__all__ = ["Leaf", "assemble", "in_parallel", "in_sequence"]

Leaf = Callable[[Unit], Node]


def assemble(units: list[Unit], leaf: Leaf) -> Node:
    return in_parallel([_component(one, leaf, ()) for one in _components(units)])


def _component(units: list[Unit], leaf: Leaf, holding: Conditions) -> Node:
    common = set(units[0].conditions).intersection(*(set(one.conditions) for one in units[1:])) - set(holding)
    inner = tuple(sorted({*holding, *common}))
    waiting = set(units)
    ready = [one for one in units if not one.deps & waiting]
    rest = [one for one in units if one.deps & waiting]
    first = in_parallel([_single(one, leaf, inner) for one in ready])
    following = in_parallel([_component(one, leaf, inner) for one in _components(rest)])
    return _conditioned(in_sequence([first, following]), tuple(sorted(common)))


def _single(unit: Unit, leaf: Leaf, holding: Conditions) -> Node:
    return _conditioned(leaf(unit), tuple(one for one in unit.conditions if one not in holding))


def _conditioned(node: Node, conditions: Conditions) -> Node:
    for variable, wanted in reversed(conditions):
        node = Condition(variable, node, None) if wanted else Condition(variable, None, node)
    return node


def _components(units: list[Unit]) -> list[list[Unit]]:
    """Units that hang together by what waits for what, in order of their first."""
    parent = {one: one for one in units}

    def find(one: Unit) -> Unit:
        while parent[one] is not one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one in units:
        for dep in one.deps:
            if dep in parent:
                parent[find(one)] = find(dep)
    found: dict[Unit, list[Unit]] = {}
    for one in units:
        found.setdefault(find(one), []).append(one)
    return list(found.values())


def in_parallel(nodes: Iterable[Node]) -> Node:
    flat: list[Node] = []
    for one in nodes:
        flat += one.nodes if isinstance(one, Parallel) else [one]
    return flat[0] if len(flat) == 1 else Parallel(tuple(flat))


def in_sequence(nodes: Iterable[Node]) -> Node:
    flat: list[Node] = []
    for one in nodes:
        flat += one.nodes if isinstance(one, Sequence | Parallel) and not _is_wave(one) else [one]
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def _is_wave(node: Node) -> bool:
    """A Parallel that must stay one; an empty one vanishes."""
    return isinstance(node, Parallel) and bool(node.nodes)
