"""What tests of single stages start from: a flat operation, and fetches in the making."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import build_schema, parse, validate

from gateway.planning.groups import Context, Group, OpField, Required
from gateway.planning.normalise import Operation, normalise
from gateway.query_graph.selection import Condition, TypeTable

__all__ = ["entity", "flat", "root"]


def flat(sdl: str, text: str, name: str | None = None) -> tuple[Operation, TypeTable]:
    schema = build_schema(sdl)
    document = parse(text)
    assert not (faults := validate(schema, document)), faults
    types = TypeTable(schema)
    return normalise(document, name, types), types


def root(graph: str) -> Group:
    return Group(0, graph, (), is_entity=False, contexts={Context()})


def entity(
    graph: str,
    path: str,
    deps: Iterable[Group] = (),
    *,
    index: int = 1,
    fields: Iterable[str] = ("x",),
    requires: Iterable[str] = ("id",),
    when: Iterable[Condition] = (),
    key_when: Iterable[Condition] = (),
) -> Group:
    """A fetch of `fields` for `Thing`s. `when`: what it is wanted under; `key_when`: what its key is collected under."""
    wanted, there = Context(frozenset(when)), Context(frozenset(key_when))
    group = Group(index, graph, tuple(path.split(".")), is_entity=True, deps=set(deps), contexts={wanted})
    for name in fields:
        group.selection.add("Thing", name, OpField(name, "", frozenset(), "Int"))
    group.requires["Thing", "Thing"] = {name: Required(name, {there}) for name in requires}
    return group
