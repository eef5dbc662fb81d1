"""The query root where a field gives it: asked for once, and what goes wrong with it stands wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.execution.answers import Answer, Failure
from gateway.language.errors import Code, PlanningRefused
from tests.gateway.planning.support.cases import Case
from tests.gateway.planning.support.golden import FOLDER, read_golden
from tests.gateway.planning.support.universe import Data

SUBGRAPHS = {
    "orders": """
        type Query { sales: [Order!]! }
        type Order @key(fields: "id") { id: ID! query: Query! }
    """,
    "users": "type Query { name: String d: Int f: Int! }",
}
"""The world lets `Query.d` and `Query.f` fail when they are told to."""


class Empty:
    async def execute(self, *_: Any) -> Answer:
        return Answer({"sales": []})


class Down:
    async def execute(self, *_: Any) -> Failure:
        return Failure(Code.SUBGRAPH_UNAVAILABLE, "it cannot be reached")


async def test_it_is_asked_for_once_and_given_to_all() -> None:
    case = Case(SUBGRAPHS)
    text = "{ sales { id query { name } } }"
    answered = await case.ask(text, {})
    assert len(answered.data["sales"]) > 1
    assert answered.data == case.single(text, {}).data
    assert [one.graph for one in case.log] == ["orders", "users"]


async def test_it_is_not_asked_for_where_there_is_none() -> None:
    case = Case(SUBGRAPHS)
    case.clients["ORDERS"] = Empty()  # type: ignore[index]
    assert (await case.ask("{ sales { query { name } } }", {})).data == {"sales": []}
    assert case.log == []


async def test_an_error_is_told_wherever_it_stands() -> None:
    case = Case(SUBGRAPHS, data=Data(faults=frozenset({"Query.d"})))
    answered = await case.ask("{ sales { query { number: d name } } }", {})
    places = [("sales", place, "query", "number") for place in range(len(answered.data["sales"]))]
    assert [error.path for error in answered.errors] == places
    assert all(one["query"]["name"] for one in answered.data["sales"])


async def test_a_null_goes_up_as_far_as_it_must() -> None:
    case = Case(SUBGRAPHS, data=Data(faults=frozenset({"Query.f"})))
    assert (await case.ask("{ sales { query { f } } }", {})).data is None


async def test_a_graph_that_is_down_costs_its_fields_only() -> None:
    case = Case(SUBGRAPHS)
    case.clients["USERS"] = Down()  # type: ignore[index]
    answered = await case.ask("{ sales { id query { name } } }", {})
    assert all(one["id"] and one["query"] == {"name": None} for one in answered.data["sales"])
    assert [(error.code, error.path) for error in answered.errors] == [(Code.SUBGRAPH_UNAVAILABLE, ("sales",))]


def test_it_does_not_lead_to_a_partitioned_subgraph() -> None:
    city = read_golden(FOLDER / "scatter-count.md").subgraphs
    case = Case({**city, "back": "type Query { back: Back } type Back { query: Query! }"})
    with pytest.raises(PlanningRefused) as refused:
        case.plan("{ back { query { names } } }")
    assert refused.value.errors[0].code == Code.PLANNING_UNSUPPORTED
