"""Contextual arguments at run time: whose entities are asked for with which value, in one request."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.composition import SubgraphSource, compose
from gateway.execution.answers import Answer, Failure
from gateway.execution.batches import COPIES_MAX
from gateway.language.errors import Code
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from tests.gateway.execution.test_batch import Client

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@context", "@fromContext"])\n'
BANK = (
    LINK
    + """
    type Query { accounts: [Account!]! }
    type Account @key(fields: "id") @context(name: "account") { id: ID! currency: String owner: Owner tags: [String!] }
    type Owner { name: String! }
    type Card @key(fields: "id") {
      id: ID!
      name: String
      fee(year: Int, currency: String @fromContext(field: "$account { currency }")): Int
      limit(owner: String @fromContext(field: "$account { owner { name } }")): Int!
      seen(tags: [String] @fromContext(field: "$account { tags }")): Int
    }
    """
)
CARDS = LINK + 'type Account @key(fields: "id") { id: ID! cards: [Card]! } type Card @key(fields: "id") { id: ID! }'


def _with_strict_arguments(sdl: str) -> str:
    """As composition would not have it, for a value may always be missing; whoever made this supergraph did."""
    strict = sdl.replace('name: "owner", type: "String"', 'name: "owner", type: "String!"')
    return strict.replace('name: "tags", type: "[String]"', 'name: "tags", type: "[String!]"')


def account(number: int, **more: Any) -> dict[str, Any]:
    return {"__typename": "Account", "id": str(number), **more}


def cards(*several: list[int]) -> Answer:
    """Of each account in turn."""
    of_each = [[{"__typename": "Card", "id": str(one)} for one in each] for each in several]
    return Answer({"_entities": [{"cards": one} for one in of_each]})


class Asked:
    def __init__(self, accounts: list[dict[str, Any]], of_cards: Answer, *answers: Answer | Failure) -> None:
        composition = compose([SubgraphSource("bank", "http://b", BANK), SubgraphSource("cards", "http://c", CARDS)])
        assert composition.supergraph_sdl is not None, composition.errors
        supergraph = load_supergraph(_with_strict_arguments(composition.supergraph_sdl))
        self.bank = Client(Answer({"accounts": accounts}), *answers)
        self.pipeline = Pipeline(supergraph, {"BANK": self.bank, "CARDS": Client(of_cards)}, Planner(supergraph))

    async def answer(self, query: str, variables: dict[str, Any] | None = None) -> Answered:
        return await self.pipeline.answer(GraphQLRequest(query, None, variables or {}), Caller())

    @property
    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        return self.bank.asked[1:]


def ids(representations: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in representations]


FEES = "{ accounts { cards { fee } } }"


async def test_one_value_is_sent_as_it_was_planned() -> None:
    accounts = [account(1, currency="EUR"), account(2, currency="EUR")]
    asked = Asked(accounts, cards([1, 2], [2]), Answer({"_e0": [{"fee": 10}, {"fee": 20}]}))
    answered = await asked.answer(FEES)
    assert answered.errors == ()
    assert answered.data == {"accounts": [{"cards": [{"fee": 10}, {"fee": 20}]}, {"cards": [{"fee": 20}]}]}
    ((operation, variables),) = asked.requests
    assert operation == (
        "query($representations_0:[_Any!]!,$context_0:String){_e0:_entities(representations:$representations_0)"
        "{...on Card{fee(currency:$context_0)}}}"
    )
    assert ids(variables["representations_0"]) == ["1", "2"]
    assert variables["context_0"] == "EUR"


async def test_each_value_has_an_alias_with_its_entities_in_one_request() -> None:
    accounts = [account(1, currency="EUR"), account(2, currency="CNY"), account(3, currency="EUR")]
    first, second = [{"fee": 10}, {"fee": 30}], [{"fee": 11}, {"fee": 21}]
    asked = Asked(accounts, cards([1], [1, 2], [3, 1]), Answer({"_e0": first, "_e0_1": second}))
    answered = await asked.answer("query($y: Int) { accounts { cards { fee(year: $y) } } }", {"y": 2022})
    assert answered.errors == ()
    assert answered.data == {
        "accounts": [
            {"cards": [{"fee": 10}]},
            {"cards": [{"fee": 11}, {"fee": 21}]},
            {"cards": [{"fee": 30}, {"fee": 10}]},
        ]
    }
    ((operation, variables),) = asked.requests
    assert operation == (
        "query($representations_0:[_Any!]!$context_0:String$representations_0_1:[_Any!]!$context_0_1:String$y:Int)"
        "{_e0:_entities(representations:$representations_0){...on Card{fee(year:$y currency:$context_0)}}"
        "_e0_1:_entities(representations:$representations_0_1){...on Card{fee(year:$y currency:$context_0_1)}}}"
    )
    assert (variables["context_0"], variables["context_0_1"], variables["y"]) == ("EUR", "CNY", 2022)
    assert ids(variables["representations_0"]) == ["1", "3"]
    assert ids(variables["representations_0_1"]) == ["1", "2"]


async def test_what_is_not_there_is_null() -> None:
    accounts = [account(1, currency=None), account(2)]
    asked = Asked(accounts, cards([1], [2]), Answer({"_e0": [{"fee": 1}, {"fee": 2}]}))
    assert (await asked.answer(FEES)).data == {"accounts": [{"cards": [{"fee": 1}]}, {"cards": [{"fee": 2}]}]}
    ((_, variables),) = asked.requests
    assert variables["context_0"] is None


LIMITS = "{ accounts { cards { limit } } }"


async def test_without_a_value_that_must_not_be_null_the_field_is_not_asked_for_and_null_goes_up() -> None:
    accounts = [account(1, owner=None), account(2, owner={"name": "Wu"})]
    asked = Asked(accounts, cards([1], [2]), Answer({"_e0": [{"limit": 2}]}))
    answered = await asked.answer(LIMITS)
    assert answered.data == {"accounts": [{"cards": [None]}, {"cards": [{"limit": 2}]}]}
    assert [(one.code, one.path) for one in answered.errors] == [
        (Code.NULL_IN_NON_NULL_FIELD, ("accounts", 0, "cards", 0, "limit"))
    ]
    ((_, variables),) = asked.requests
    assert ids(variables["representations_0"]) == ["2"]


async def test_nothing_is_asked_when_no_object_has_a_value() -> None:
    asked = Asked([account(1, owner=None)], cards([1]))
    assert (await asked.answer(LIMITS)).data == {"accounts": [{"cards": [None]}]}
    assert asked.requests == []


async def test_other_parts_of_the_request_do_not_need_the_value() -> None:
    accounts = [account(1, owner=None), account(2, owner={"name": "Wu"})]
    answer = Answer({"_e0": [{"name": "a"}, {"name": "b"}], "_e1": [{"limit": 2}]})
    asked = Asked(accounts, cards([1], [2]), answer)
    answered = await asked.answer("{ accounts { cards { name limit } } }")
    assert answered.data == {"accounts": [{"cards": [None]}, {"cards": [{"name": "b", "limit": 2}]}]}
    ((_, variables),) = asked.requests
    assert (ids(variables["representations_0"]), ids(variables["representations_1"])) == (["1", "2"], ["2"])


async def test_null_within_a_list_that_may_not_hold_it_spoils_no_other_entity() -> None:
    accounts = [account(1, tags=["a", None]), account(2, tags=["b"]), account(3, tags=None)]
    asked = Asked(accounts, cards([1], [2], [3]), Answer({"_e0": [{"seen": 2}], "_e0_1": [{"seen": 3}]}))
    answered = await asked.answer("{ accounts { cards { seen } } }")
    assert answered.data == {
        "accounts": [{"cards": [{"seen": None}]}, {"cards": [{"seen": 2}]}, {"cards": [{"seen": 3}]}]
    }
    ((_, variables),) = asked.requests
    assert (variables["context_0"], variables["context_0_1"]) == (["b"], None)


async def test_an_error_stands_where_the_entities_of_its_alias_stand() -> None:
    accounts = [account(1, currency="EUR"), account(2, currency="CNY"), account(3, currency="CNY")]
    error = {"message": "no", "path": ["_e0_1", 1, "fee"]}
    answer = Answer({"_e0": [{"fee": 1}], "_e0_1": [{"fee": 2}, {"fee": None}]}, (error,))
    asked = Asked(accounts, cards([7], [8, 7], [7]), answer)
    answered = await asked.answer(FEES)
    assert [one.path for one in answered.errors] == [
        ("accounts", 1, "cards", 1, "fee"),
        ("accounts", 2, "cards", 0, "fee"),
    ]
    assert answered.data == {
        "accounts": [{"cards": [{"fee": 1}]}, {"cards": [{"fee": 2}, {"fee": None}]}, {"cards": [{"fee": None}]}]
    }


async def test_a_failure_costs_the_fields_of_all_values() -> None:
    accounts = [account(1, currency="EUR"), account(2, currency="CNY")]
    asked = Asked(accounts, cards([1], [2]), Failure(Code.SUBGRAPH_TIMEOUT, "too late"))
    answered = await asked.answer(FEES)
    assert answered.data == {"accounts": [{"cards": [{"fee": None}]}, {"cards": [{"fee": None}]}]}
    assert {one.code for one in answered.errors} == {Code.SUBGRAPH_TIMEOUT}


@pytest.mark.parametrize("more", [0, 1])
async def test_very_many_values_are_spread_over_requests(more: int) -> None:
    count = COPIES_MAX + more
    accounts = [account(one, currency=f"C{one}") for one in range(count)]

    def fees(first: int, last: int) -> Answer:
        return Answer({f"_e0_{one - first}".removesuffix("_0"): [{"fee": one}] for one in range(first, last)})

    answers = [fees(0, COPIES_MAX)] + [fees(COPIES_MAX, count)] * more
    asked = Asked(accounts, cards(*([one] for one in range(count))), *answers)
    answered = await asked.answer(FEES)
    assert answered.errors == ()
    assert answered.data == {"accounts": [{"cards": [{"fee": one}]} for one in range(count)]}
    assert len(asked.requests) == 1 + more


async def test_names_that_the_client_has_taken() -> None:
    accounts = [account(1, currency="EUR"), account(2, currency="CNY")]
    asked = Asked(accounts, cards([1], [2]), Answer({"_e0": [{"fee": 1}], "_e0_1": [{"fee": 2}]}))
    query = "query($context_0_1: Int) { accounts { cards { fee(year: $context_0_1) } } }"
    answered = await asked.answer(query, {"context_0_1": 5})
    assert answered.data == {"accounts": [{"cards": [{"fee": 1}]}, {"cards": [{"fee": 2}]}]}
    ((operation, variables),) = asked.requests
    assert "fee(year:$context_0_1 currency:$context_0_1_)" in operation
    assert (variables["context_0_1"], variables["context_0_1_"]) == (5, "CNY")
