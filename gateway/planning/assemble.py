"""Stage 7: fetches and what they wait for → Sequence, Parallel, Condition.

Groups that have nothing to do with each other run side by side; a group that all others wait for comes first; where
several are ready and what follows hangs together, they form one wave. No fetch waits longer than the rounds it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.plan.nodes import Condition, Node, Parallel, Sequence
from gateway.planning.groups import Group
from gateway.query_graph.selection import Conditions

__all__ = ["Leaf", "assemble", "in_parallel", "in_sequence"]

Leaf = Callable[[Group], Node]


def assemble(groups: list[Group], leaf: Leaf) -> Node:
    return in_parallel([_component(one, leaf, ()) for one in _components(groups)])


def _component(groups: list[Group], leaf: Leaf, holding: Conditions) -> Node:
    common = set(groups[0].conditions).intersection(*(set(one.conditions) for one in groups[1:])) - set(holding)
    inner = tuple(sorted({*holding, *common}))
    waiting = set(groups)
    ready = [one for one in groups if not one.deps & waiting]
    rest = [one for one in groups if one.deps & waiting]
    first = in_parallel([_single(one, leaf, inner) for one in ready])
    following = in_parallel([_component(one, leaf, inner) for one in _components(rest)])
    return _conditioned(in_sequence([first, following]), tuple(sorted(common)))


def _single(group: Group, leaf: Leaf, holding: Conditions) -> Node:
    return _conditioned(leaf(group), tuple(one for one in group.conditions if one not in holding))


def _conditioned(node: Node, conditions: Conditions) -> Node:
    for variable, wanted in reversed(conditions):
        node = Condition(variable, node, None) if wanted else Condition(variable, None, node)
    return node


def _components(groups: list[Group]) -> list[list[Group]]:
    """Groups that hang together by what waits for what, in order of their first."""
    parent = {one: one for one in groups}

    def find(one: Group) -> Group:
        while parent[one] is not one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one in groups:
        for dep in one.deps:
            if dep in parent:
                parent[find(one)] = find(dep)
    found: dict[Group, list[Group]] = {}
    for one in groups:
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
