"""Places: which objects stand at a path, whatever else stands on the way."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.execution.places import collect, compile_path, locate
from gateway.language.paths import value_at

TYPES = {"Thing": frozenset({"Book", "Lamp"})}


def possible(name: str) -> frozenset[str]:
    return TYPES.get(name, frozenset({name}))


def test_lists_of_lists_nulls_and_things_that_are_no_objects() -> None:
    data = {"a": [[{"x": {"id": 1}}, None], [], None, [{"x": None}, "text", {"x": {"id": 2}}]]}
    path = compile_path(("a", "@", "@", "x"), possible)
    assert collect(data, path) == [{"id": 1}, {"id": 2}]
    assert locate(data, path) == [("a", 0, 0, "x"), ("a", 3, 2, "x")]


def test_filters_by_type_alone_and_behind_a_key() -> None:
    data = {"a": [{"__typename": "Book", "n": 1}, {"__typename": "Lamp", "n": 2}, {"__typename": "Pen", "n": 3}]}
    for path in (("a", "@", "|[Book,Pen]"), ("a", "@|[Book,Pen]")):
        assert [one["n"] for one in collect(data, compile_path(path, possible))] == [1, 3]
    assert [one["n"] for one in collect(data, compile_path(("a", "@", "|[Thing]"), possible))] == [1, 2]
    assert locate(data, compile_path(("a", "@", "|[Pen]"), possible)) == [("a", 2)]


LEFT: tuple[Any, ...] = (None, {}, [], "", 0, "text", ["text"], [[]], [None], {"other": 1}, True)
"""What may stand on the way to an object in place of it."""


@pytest.mark.parametrize(
    "path", [("a", "@", "b"), ("a", "@", "b", "@"), ("a", "@|[Book]", "b"), ("a",), ("a", "@", "@")]
)
@pytest.mark.parametrize("stranger", LEFT, ids=repr)
def test_what_is_no_object_costs_its_neighbours_nothing(path: tuple[str, ...], stranger: Any) -> None:
    """What `collect` finds is what `locate` tells the places of, one by one."""
    book = {"__typename": "Book", "b": [{"n": 1}], "n": 0}
    for data in (
        {"a": stranger},
        {"a": [book, stranger, book]},
        {"a": [book, {"__typename": "Book", "b": stranger}]},
        {"a": [book, {"__typename": stranger, "b": {"n": 2}}]},
        {"a": [{"b": {"n": 2}}, {"__typename": "Book", "b": {}}]},
    ):
        compiled = compile_path(path, possible)
        assert collect(data, compiled) == [value_at(data, place) for place in locate(data, compiled)]


def test_a_path_may_have_more_steps_than_python_nests_blocks() -> None:
    data: dict[str, Any] = {"n": 1}
    for _ in range(40):
        data = {"a": [data]}
    assert collect(data, compile_path(("a", "@") * 40, possible)) == [{"n": 1}]
