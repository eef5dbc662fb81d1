"""Representations: which objects stand at a path, what identifies them, and where answers go back to."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.execution.merge import merge_entities, merge_into, rewrite
from gateway.execution.places import collect, compile_path
from gateway.execution.representations import build_batch, compile_requires
from gateway.plan.nodes import RequiredField, RequiredSelection

TYPES = {"Thing": frozenset({"Book", "Lamp"})}


def possible(name: str) -> frozenset[str]:
    return TYPES.get(name, frozenset({name}))


def requires(*fields: RequiredField, on: str = "Book", send: str | None = None) -> RequiredSelection:
    return RequiredSelection(on, send or on, fields)


ID = RequiredField("id", "id")


def batch_of(data: dict[str, Any], path: tuple[str, ...], *selections: RequiredSelection) -> Any:
    build = compile_requires(selections, possible, {"Book": frozenset({"id"}), "Thing": frozenset({"id"})})
    return build_batch(collect(data, compile_path(path, possible)), build)


def test_equal_representations_are_sent_once_and_answers_return_to_each_object() -> None:
    objects = [{"__typename": "Book", "id": one} for one in ("1", "2", "1", None)] + [{"__typename": "Book"}]
    batch = batch_of({"a": objects}, ("a", "@"), requires(ID))
    assert batch.representations == [{"__typename": "Book", "id": "1"}, {"__typename": "Book", "id": "2"}]
    assert batch.owners == [0, 1, 0, -1, -1]
    merge_entities(batch.objects, batch.owners, [{"n": "one"}, None])
    assert [one.get("n") for one in objects] == ["one", None, "one", None, None]


@pytest.mark.parametrize(
    ("given", "owners"),
    [
        ([("1", True), ("1", 1), ("1", 1.0), ("1", True)], [0, 1, 2, 0]),
        ([(1, "x"), (True, "x"), (1, "x")], [0, 1, 0]),
        ([("1", "x"), ("1", "y"), ("2", "y"), ("1", "y")], [0, 1, 2, 1]),
        ([("1", None), ("1", "x"), ("1", None)], [0, 1, 0]),
        ([("1", [1]), ("1", [True]), ("1", [1])], [0, 1, 0]),
        ([("1", {"a": 1}), ("1", {"a": 1})], [0, 0]),
        ([("1", "x"), (None, "x"), ("2", "x"), (None, "y")], [0, -1, 1, -1]),
    ],
)
def test_objects_have_one_representation_when_all_that_is_sent_is_the_same(
    given: list[tuple[Any, Any]], owners: list[int]
) -> None:
    objects = [{"__typename": "Book", "id": one, "weight": weight} for one, weight in given]
    batch = batch_of({"a": objects}, ("a", "@"), requires(ID, RequiredField("weight", "weight")))
    assert batch.owners == owners
    sent = [None if owner < 0 else batch.representations[owner] for owner in owners]
    assert orjson.dumps(sent) == orjson.dumps(
        [one if owner >= 0 else None for one, owner in zip(objects, owners, strict=True)]
    )


def test_an_object_that_lacks_something_or_is_of_another_type_costs_its_neighbours_nothing() -> None:
    book = {"__typename": "Book", "id": "1", "weight": 1}
    objects = [book, {"__typename": "Book", "id": "2"}, {"__typename": "Pen"}, dict(book), {"__typename": ["Book"]}]
    batch = batch_of({"a": objects}, ("a", "@"), requires(ID, RequiredField("weight", "weight")))
    assert batch.owners == [0, -1, -1, 0, -1]
    assert batch.texts == [orjson.dumps(book)]


@pytest.mark.parametrize(
    ("given", "owners", "merged"),
    [
        ([{"id": "1"}, {"id": "2"}], [1, 0], [{"id": "1", "a": None}, {"id": "2", "a": {"y": 2}, "b": 3}]),
        ([{"id": "1"}, {"id": "2"}], [0, -1], [{"id": "1", "a": {"y": 2}, "b": 3}, {"id": "2"}]),
        ([{"id": "1"}, {"id": "2"}], [0, 2], [{"id": "1", "a": {"y": 2}, "b": 3}, {"id": "2"}]),
        (
            [{"id": "1"}, {"id": "2", "a": {"x": 1}}],
            [0, 0],
            [{"id": "1", "a": {"y": 2}, "b": 3}, {"id": "2", "a": {"x": 1, "y": 2}, "b": 3}],
        ),
        ([{"id": "1", "a": 1}], [1], [{"id": "1", "a": 1}]),
    ],
)
def test_an_entity_is_merged_into_each_object_whatever_that_has_of_it_and_whatever_others_get(
    given: list[dict[str, Any]], owners: list[int], merged: list[dict[str, Any]]
) -> None:
    entities = [{"a": {"y": 2}, "b": 3}, {"a": None}, None]
    merge_entities(given, owners, entities if 2 in owners else entities[:2])
    assert given == merged


def test_a_required_value_that_is_null_is_sent_but_a_null_key_is_not() -> None:
    weight = RequiredField("weight", "_g1_weight")
    given = [{"__typename": "Book", "id": "1", "_g1_weight": None}, {"__typename": "Book", "id": None, "_g1_weight": 3}]
    batch = batch_of({"a": given}, ("a", "@"), requires(ID, weight))
    assert batch.representations == [{"__typename": "Book", "id": "1", "weight": None}]


def test_an_interface_object_is_sent_under_the_interfaces_name() -> None:
    batch = batch_of({"a": {"__typename": "Lamp", "id": "1"}}, ("a",), requires(ID, on="Thing", send="Thing"))
    assert batch.representations == [{"__typename": "Thing", "id": "1"}]


def test_nested_requirements_by_the_runtime_type() -> None:
    nested = RequiredField(
        "owner",
        "owner",
        (
            RequiredSelection("Book", "Book", (RequiredField("id", "id"),)),
            RequiredSelection("Lamp", "Lamp", (RequiredField("watts", "watts"),)),
        ),
    )
    owners = [{"__typename": "Lamp", "watts": 4, "id": "x"}, {"__typename": "Book", "id": "y"}, None]
    batch = batch_of({"a": {"__typename": "Book", "id": "1", "owner": owners}}, ("a",), requires(ID, nested))
    assert batch.representations[0]["owner"] == [
        {"__typename": "Lamp", "watts": 4},
        {"__typename": "Book", "id": "y"},
        None,
    ]


def test_merging_keeps_what_is_there_and_adds_what_is_new() -> None:
    target = {"a": {"x": 1}, "l": [{"p": 1}, None, {"p": 3}], "n": None, "k": "kept"}
    merge_into(target, {"a": {"y": 2}, "l": [{"q": 1}, {"q": 2}, None], "n": 5, "k": None, "new": None})
    assert target == {
        "a": {"x": 1, "y": 2},
        "l": [{"p": 1, "q": 1}, {"q": 2}, {"p": 3}],
        "n": 5,
        "k": "kept",
        "new": None,
    }


def test_merging_things_of_unlike_shapes_does_not_fail() -> None:
    target: dict[str, Any] = {"a": {"x": 1}, "l": [1, 2], "s": "x"}
    merge_into(target, {"a": [1], "l": [{"x": 1}], "s": {"y": 1}})
    assert target == {"a": [1], "l": [1, 2], "s": {"y": 1}}


def test_rewriting_goes_through_lists() -> None:
    data = {"a": [{"b": {"__typename": "X"}}, {"b": None}, {}]}
    rewrite(data, ("a", "b", "__typename"), "Y")
    assert data == {"a": [{"b": {"__typename": "Y"}}, {"b": None}, {}]}
