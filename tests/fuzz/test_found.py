"""What fuzzing found and no plan shows: order of keys, places of errors. Each is compared with one single schema."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fuzz.differential import Operation, compare
from tests.gateway.planning.support.cases import Case
from tests.gateway.planning.support.universe import Data

LIBRARY = {
    "books": """
        type Query { books: [Book!]! again: [Book!]! }
        type Book @key(fields: "id") { id: ID! title: String! pages: Int! sequel: Book! }
    """,
    "reviews": """
        type Book @key(fields: "id") { id: ID! rank: Int score: String! }
    """,
}


def agrees(case: Case, text: str, **variables: Any) -> Any:
    """The answer, once it has been found equal to the single schema's."""
    with asyncio.Runner() as run:
        compare(case, Operation(text, variables), run)
        return run.run(case.ask(text, variables))


def test_a_key_stands_where_it_is_first_in_force() -> None:
    case = Case(LIBRARY)
    text = "query ($p: Boolean!) { books { title @skip(if: $p) pages title } }"
    assert list(agrees(case, text, p=True).data["books"][0]) == ["pages", "title"]
    assert list(agrees(case, text, p=False).data["books"][0]) == ["title", "pages"]


def test_an_object_stands_where_it_is_first_in_force() -> None:
    text = "query ($p: Boolean!) { again @skip(if: $p) { id } books { pages } again { title } }"
    assert list(agrees(Case(LIBRARY), text, p=True).data) == ["books", "again"]


def test_an_error_of_an_entity_is_told_wherever_the_entity_stands() -> None:
    case = Case(LIBRARY, data=Data(faults=frozenset({"Book.rank"})))
    answered = agrees(case, "{ books { rank } again { rank } }")
    failed = {error.path for error in answered.errors}
    assert failed
    assert failed == {
        (key, place, "rank")
        for key in ("books", "again")
        for place, book in enumerate(answered.data[key])
        if book["rank"] is None
    }


def test_what_is_skipped_is_not_fetched_beside_what_is_not() -> None:
    case = Case(LIBRARY, data=Data(faults=frozenset({"Book.score"})))
    text = "query ($p: Boolean!) { books { sequel { rank } sequel @skip(if: $p) { score } } }"
    assert agrees(case, text, p=False).errors
    assert not agrees(case, text, p=True).errors


def test_a_mutation_asked_for_twice_runs_once_where_it_comes_first() -> None:
    case = Case({"a": "type Query { x: Int } type Mutation { one: Int! two: Int! }"})
    text = "mutation ($p: Boolean!) { one @include(if: $p) two one }"
    assert list(agrees(case, text, p=True).data) == ["one", "two"]
    assert list(agrees(case, text, p=False).data) == ["two", "one"]
