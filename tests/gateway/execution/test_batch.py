"""Entity fetches at several paths in one request: whose answer goes where, and what a failure costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson
import pytest

from gateway.composition import SubgraphSource, compose
from gateway.execution.answers import Answer, Failure, Outcome, read_answer
from gateway.execution.limits import Deadline
from gateway.language.errors import Code
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
USERS = LINK + 'type Query { me: U us: [U!] } type U @key(fields: "id") { id: ID! }'
AGES = LINK + 'type U @key(fields: "id") { id: ID! age: Int height: Int! }'
ONE_SELECTION = "{ me { age } us { age } }"
TWO_SELECTIONS = "{ me { age } us { height } }"


class Client:
    """Answers what the test says, and keeps what it was asked."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        self.asked.append((operation, orjson.loads(orjson.dumps(variables or {}))))
        return self.answers.pop(0)

    async def subscribe(self, *_: Any) -> AsyncGenerator[Outcome, None]:
        raise NotImplementedError
        yield

    async def close(self) -> None: ...


def users() -> Answer:
    def user(number: int) -> dict[str, Any]:
        return {"__typename": "U", "id": str(number)}

    return Answer({"me": user(1), "us": [user(2), user(1), user(3)]})


async def ask(query: str, *answers: Outcome, first: Answer | None = None, sdl: str = AGES) -> tuple[Answered, Client]:
    composition = compose([SubgraphSource("users", "http://u", USERS), SubgraphSource("ages", "http://a", sdl)])
    assert composition.supergraph_sdl is not None
    supergraph = load_supergraph(composition.supergraph_sdl)
    ages = Client(*answers)
    pipeline = Pipeline(supergraph, {"USERS": Client(first or users()), "AGES": ages}, Planner(supergraph))
    return await pipeline.answer(GraphQLRequest(query), Caller()), ages


def ages(*values: Any) -> list[Any]:
    return [None if one is None else {"age": one} for one in values]


async def test_alike_objects_of_both_paths_are_sent_once_and_all_get_the_answer() -> None:
    answered, client = await ask(ONE_SELECTION, Answer({"_e0": ages(10, 20, 30)}))
    assert answered.errors == ()
    assert answered.data == {"me": {"age": 10}, "us": [{"age": 20}, {"age": 10}, {"age": 30}]}
    (_, variables), *more = client.asked
    assert [one["id"] for one in variables["representations_0"]] == ["1", "2", "3"]
    assert more == []


async def test_each_alias_goes_to_its_own_path() -> None:
    heights = [{"height": 2}, {"height": 1}, {"height": 3}]
    answered, client = await ask(TWO_SELECTIONS, Answer({"_e0": ages(10), "_e1": heights}))
    assert answered.data == {"me": {"age": 10}, "us": [{"height": 2}, {"height": 1}, {"height": 3}]}
    assert len(client.asked) == 1


async def test_an_error_is_told_where_its_object_stands() -> None:
    error = {"message": "no height", "path": ["_e1", 2, "height"]}
    heights = [{"height": 2}, {"height": 1}, None]
    answered, _ = await ask(TWO_SELECTIONS, Answer({"_e0": ages(10), "_e1": heights}, (error,)))
    assert [one.path for one in answered.errors] == [("us", 2, "height")]
    assert answered.data == {"me": {"age": 10}, "us": None}


async def test_an_error_without_a_known_path_is_told_at_the_first_one() -> None:
    answered, _ = await ask(ONE_SELECTION, Answer(None, ({"message": "broken"},)))
    assert [one.path for one in answered.errors] == [("me",)]
    assert answered.data == {"me": {"age": None}, "us": [{"age": None}] * 3}


@pytest.mark.parametrize("said", [{"_e0": []}, {"_e0": {}}, {}])
async def test_another_number_of_entities_costs_the_fields_of_all_paths(said: dict[str, Any]) -> None:
    answered, _ = await ask(ONE_SELECTION, Answer(said))
    assert {(one.code, one.path) for one in answered.errors} == {
        (Code.SUBGRAPH_BAD_RESPONSE, ("me",)),
        (Code.SUBGRAPH_BAD_RESPONSE, ("us",)),
    }
    assert answered.data == {"me": {"age": None}, "us": [{"age": None}] * 3}


async def test_a_failure_is_told_at_every_path() -> None:
    answered, _ = await ask(TWO_SELECTIONS, Failure(Code.SUBGRAPH_TIMEOUT, "it did not answer in time"))
    assert [(one.code, one.path) for one in answered.errors] == [
        (Code.SUBGRAPH_TIMEOUT, ("me",)),
        (Code.SUBGRAPH_TIMEOUT, ("us",)),
    ]


async def test_half_an_answer_is_garbage() -> None:
    answered, _ = await ask(ONE_SELECTION, read_answer(200, b'{"data": {"_e0": [{"age": 1'))
    assert {one.code for one in answered.errors} == {Code.SUBGRAPH_BAD_RESPONSE}


async def test_nobody_there_nobody_asked() -> None:
    answered, client = await ask(ONE_SELECTION, first=Answer({"me": None, "us": []}))
    assert answered.data == {"me": None, "us": []}
    assert client.asked == []


async def test_one_path_without_objects_is_no_reason_not_to_ask_the_other() -> None:
    first = Answer({"me": None, "us": [{"__typename": "U", "id": "7"}]})
    answered, _ = await ask(TWO_SELECTIONS, Answer({"_e0": [], "_e1": [{"height": 5}]}), first=first)
    assert answered.errors == ()
    assert answered.data == {"me": None, "us": [{"height": 5}]}


async def test_what_lies_below_one_path_is_not_written_over_by_another() -> None:
    """One entity at two paths, and other things asked for below it under the same key."""
    sdl = LINK + 'type U @key(fields: "id") { id: ID! dog: Dog! } type Dog @key(fields: "id") { id: ID! }'
    more = LINK + 'type Dog @key(fields: "id") { id: ID! name: String! breed: String! }'
    composition = compose(
        [SubgraphSource(name, f"http://{name}", one) for name, one in (("u", USERS), ("d", sdl), ("m", more))]
    )
    assert composition.supergraph_sdl is not None
    supergraph = load_supergraph(composition.supergraph_sdl)
    dogs = Client(Answer({"_e0": [{"dog": {"__typename": "Dog", "id": "rex"}}]}))
    names = Client(Answer({"_e0": [{"x": "Rex"}], "_e1": [{"x": "Collie"}]}))
    user = {"__typename": "U", "id": "1"}
    users = Client(Answer({"me": dict(user), "us": [dict(user)]}))
    pipeline = Pipeline(supergraph, {"U": users, "D": dogs, "M": names}, Planner(supergraph))
    answered = await pipeline.answer(GraphQLRequest("{ me { dog { x: name } } us { dog { x: breed } } }"), Caller())
    assert answered.errors == ()
    assert answered.data == {"me": {"dog": {"x": "Rex"}}, "us": [{"dog": {"x": "Collie"}}]}
