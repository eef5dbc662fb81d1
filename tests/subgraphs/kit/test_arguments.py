"""Arguments as plain JSON: the same whether they stand in the document, come as variables, or both in one."""

from __future__ import annotations

import enum
import json
from typing import Any

import pytest
import strawberry
from strawberry import UNSET

from subgraphs.kit.arguments import plain_arguments_field
from subgraphs.kit.errors import BadInput
from subgraphs.kit.served import ServedSchema, strawberry_config


@strawberry.enum
class Colour(enum.Enum):
    RED = "RED"
    BLUE = "BLUE"


@strawberry.input
class Wanted:
    colour: Colour | None = UNSET
    in_: list[Colour] | None = strawberry.field(name="in", default=UNSET)
    size: int = 3
    both: list[Wanted] | None = UNSET


@strawberry.type
class Query:
    @plain_arguments_field
    async def told(self, info: strawberry.Info, wanted: Wanted | None = UNSET, first: int | None = UNSET) -> str:
        if first == 0:
            raise BadInput("nothing")
        given = {"wanted": wanted, "first": first, "asks": info.context}
        return json.dumps({name: value for name, value in given.items() if value is not UNSET})

    @plain_arguments_field
    async def must(self, info: strawberry.Info, first: int) -> str | None:
        return str(first)


SDL = """
type Query { told(wanted: Wanted, first: Int): String!, must(first: Int!): String }
enum Colour { RED BLUE }
input Wanted { colour: Colour, in: [Colour!], size: Int! = 3, both: [Wanted!] }
"""
SERVED = ServedSchema(strawberry.Schema(Query, config=strawberry_config()), SDL)


async def answer(query: str, variables: dict[str, Any] | None = None, context: Any = "anna") -> Any:
    result = await SERVED.execute(SERVED.documents.get(query), None, variables, context)
    return result.data if result.errors is None else result.errors


async def told(query: str, variables: dict[str, Any] | None = None, context: Any = "anna") -> Any:
    (text,) = (await answer(query, variables, context)).values()
    return json.loads(text)


WANTED = {"colour": "RED", "in": ["BLUE"], "size": 3, "both": [{"colour": None, "size": 4}]}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ told(wanted: {colour: RED, in: [BLUE], both: [{colour: null, size: 4}]}, first: 2) }", {}),
        (
            "query Q($w: Wanted, $n: Int) { told(wanted: $w, first: $n) }",
            {"w": {"colour": "RED", "in": ["BLUE"], "both": [{"colour": None, "size": 4}]}, "n": 2},
        ),
        (
            "query Q($c: Colour, $s: Int!, $n: Int = 2)"
            " { told(wanted: {colour: $c, in: [BLUE], both: [{colour: null, size: $s}]}, first: $n) }",
            {"c": "RED", "s": 4},
        ),
        (
            "query Q($b: Colour!, $both: [Wanted!]) { told(first: 2, wanted: {colour: RED, in: [$b], both: $both}) }",
            {"b": "BLUE", "both": [{"colour": None, "size": 4}]},
        ),
    ],
)
async def test_it_does_not_matter_where_they_stand(query: str, variables: dict[str, Any]) -> None:
    assert await told(query, variables) == {"wanted": WANTED, "first": 2, "asks": "anna"}


async def test_what_is_not_given_is_absent() -> None:
    assert await told("{ told }") == {"asks": "anna"}
    assert await told("query Q($n: Int) { told(first: $n) }") == {"asks": "anna"}
    assert await told("{ told(wanted: null, first: null) }") == {"wanted": None, "first": None, "asks": "anna"}


async def test_one_document_serves_many_requests() -> None:
    """Only what it says itself is remembered: neither a variable's value nor who asks."""
    query = "query Q($n: Int, $c: Colour) { told(wanted: {colour: $c}, first: $n) }"
    for at, colour, who in ((1, "RED", "anna"), (2, "BLUE", "ben"), (1, "BLUE", "anna")):
        found = await told(query, {"n": at, "c": colour}, who)
        assert found == {"wanted": {"colour": colour, "size": 3}, "first": at, "asks": who}


async def test_each_field_of_a_document_has_its_own() -> None:
    found = await answer("{ a: told(first: 1) b: told(first: 2) }")
    assert {key: json.loads(text)["first"] for key, text in found.items()} == {"a": 1, "b": 2}


async def test_an_error_is_told_at_its_field() -> None:
    (error,) = await answer("{ told(first: 0) }")
    assert (error.message, error.path) == ("nothing", ["told"])


async def test_a_variable_that_must_be_given_is_missed() -> None:
    data = await SERVED.execute(SERVED.documents.get("query Q($n: Int = 1) { must(first: $n) }"), None, {"n": None}, 0)
    assert data.data == {"must": None}
    assert data.errors is not None
    assert [error.path for error in data.errors] == [["must"]]
