"""The straight way of a projection gives what the careful one gives, or gives up."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.execution import project
from gateway.execution.completers import Notes
from gateway.execution.straight import Unusual, compile_straight
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from tests.gateway.composition.composing import composed

SDL = """
enum Mood { GLAD SAD }
interface Thing { id: ID! name: String }
type Book implements Thing { id: ID! name: String pages: Int mood: Mood more: Book tags: [String!] grid: [[Int!]!] strict: [Book!]! }
type Lamp implements Thing { id: ID! name: String watts: Float! any: Json }
scalar Json
type Query { things: [Thing] must: Thing! book: Book }
"""
QUERY = """query ($p: Boolean!) {
  things { __typename id ... on Book { pages mood tags grid } ... on Lamp { watts any } }
  must { name ... on Lamp { id } }
  book { b: name more { id @include(if: $p) } strict { id } }
}"""


def compiled() -> tuple[Any, Any, GraphQLObjectType]:
    sdl = composed(a=SDL).supergraph_sdl
    assert sdl is not None
    supergraph = load_supergraph(sdl)
    plan = Planner(supergraph).plan(parse(QUERY))
    root = supergraph.api_schema.query_type
    assert root is not None
    return plan.output, supergraph.api_schema, root


OUTPUT, SCHEMA, ROOT = compiled()
CONDITIONS = {"p": True}
STRAIGHT = compile_straight(OUTPUT.fields, SCHEMA, ROOT, CONDITIONS)
CAREFUL = project._Compiler(SCHEMA, CONDITIONS).object_completer(OUTPUT.fields, ROOT)

LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.sampled_from(
    ["GLAD", "SAD", "x", "Book", "Lamp", "Thing", ""]
)  # fmt: skip
KEYS = st.sampled_from(["__typename", "id", "name", "pages", "mood", "tags", "grid", "watts", "any", "more", "strict"])


def books(inner: Any) -> Any:
    return st.fixed_dictionaries(
        {"__typename": st.sampled_from(["Book", "Lamp"]), "id": st.just("1")},
        optional={
            "name": st.sampled_from(["x", None]),
            "pages": st.integers(0, 9) | LEAVES,
            "mood": st.sampled_from(["GLAD", None, "ANGRY"]),
            "tags": st.lists(st.just("t") | LEAVES, max_size=2),
            "grid": st.lists(st.lists(st.integers(0, 3) | LEAVES, max_size=2), max_size=2),
            "watts": st.floats(allow_nan=False) | st.integers(0, 5),
            "any": inner,
            "more": inner,
            "strict": st.lists(inner, max_size=2),
        },
    )


VALUES = st.recursive(LEAVES, lambda inner: books(inner) | st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner))
DATA = st.fixed_dictionaries(
    {"things": st.lists(books(VALUES), max_size=3) | VALUES, "must": books(VALUES)}, optional={"book": VALUES}
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATA)
def test_the_straight_way_is_the_careful_one_or_none(data: dict[str, Any]) -> None:
    assert STRAIGHT is not None
    notes = Notes()
    careful = CAREFUL(data, None, notes)
    try:
        straight = STRAIGHT(data)
    except Unusual:
        return
    assert straight == careful
    assert notes.errors == []


def test_what_the_schema_promises_takes_the_straight_way() -> None:
    assert STRAIGHT is not None
    data = {
        "things": [
            {"__typename": "Book", "id": "1", "pages": 3, "mood": "SAD", "tags": ["t"], "grid": [[1], []]},
            {"__typename": "Lamp", "id": "2", "watts": 5, "any": {"x": [1]}},
            None,
        ],
        "must": {"__typename": "Lamp", "name": None, "id": "2"},
        "book": {"b": "n", "more": {"id": "4"}, "strict": []},
    }
    assert STRAIGHT(data) == {
        "things": [
            {"__typename": "Book", "id": "1", "pages": 3, "mood": "SAD", "tags": ["t"], "grid": [[1], []]},
            {"__typename": "Lamp", "id": "2", "watts": 5, "any": {"x": [1]}},
            None,
        ],
        "must": {"name": None, "id": "2"},
        "book": {"b": "n", "more": {"id": "4"}, "strict": []},
    }


@pytest.mark.parametrize("pages", [0, 2**30 - 1, 2**30, 2**31 - 1, -(2**30), -(2**31), None])
def test_all_numbers_of_32_bits_take_the_straight_way(pages: int | None) -> None:
    assert STRAIGHT is not None
    book = {"__typename": "Book", "id": "1", "pages": pages, "mood": None, "tags": None, "grid": None}
    data = {"things": [book], "must": {"__typename": "Lamp", "id": "1"}}
    assert STRAIGHT(data)["things"] == [book]


@pytest.mark.parametrize(("depth", "is_straight"), [(3, True), (45, True), (60, False)])
def test_objects_stand_in_one_another_as_deep_as_a_client_asks(depth: int, is_straight: bool) -> None:
    sdl = composed(a=SDL).supergraph_sdl
    assert sdl is not None
    supergraph = load_supergraph(sdl)
    text = "{ book " + "{ more " * depth + "{ id }" + " }" * depth + " }"
    output = Planner(supergraph).plan(parse(text)).output
    straight = compile_straight(output.fields, supergraph.api_schema, ROOT, {})
    data: dict[str, Any] = {"id": "1"}
    for _ in range(depth):
        data = {"more": data}
    assert (straight is not None) == is_straight
    assert straight is None or straight({"book": data}) == {"book": data}


@pytest.mark.parametrize(
    "data",
    [
        {"must": None},
        {"must": {"__typename": "Stone"}},
        {"must": {"__typename": ["Lamp"], "id": "1"}},
        {"must": {"__typename": "Lamp", "id": 3}},
        {"must": {"__typename": "Lamp", "id": "1"}, "things": {}},
        {"must": {"__typename": "Lamp", "id": "1"}, "things": [{"__typename": "Book", "id": "1", "pages": 2**31}]},
        {
            "must": {"__typename": "Lamp", "id": "1"},
            "things": [{"__typename": "Book", "id": "1", "pages": -(2**31) - 1}],
        },
        {"must": {"__typename": "Lamp", "id": "1"}, "things": [{"__typename": "Book", "id": "1", "mood": []}]},
    ],
)
def test_it_gives_up_at_what_is_not_promised(data: dict[str, Any]) -> None:
    assert STRAIGHT is not None
    with pytest.raises(Unusual):
        STRAIGHT(data)


def test_introspection_has_the_careful_way_only() -> None:
    sdl = composed(a=SDL).supergraph_sdl
    assert sdl is not None
    supergraph = load_supergraph(sdl)
    output = Planner(supergraph).plan(parse("{ __schema { queryType { name } } }")).output
    assert compile_straight(output.fields, supergraph.api_schema, ROOT, {}) is None
