"""Contextual arguments in operations of every kind, and what is refused."""

from __future__ import annotations

from random import Random

import pytest
from graphql import parse

from gateway.language.errors import Code, PlanningRefused
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from tests.gateway.planning.support.cases import Case
from tests.gateway.planning.support.operations import random_operation
from tests.gateway.planning.support.universe import Data
from tests.gateway.planning.test_bounds import batches

WORLD = {
    "bank": """
        type Query @context(name: "money") { currency: String! bank: Bank! accounts: [Account!]! any: [Holder!]! firm: Firm! giro: Giro! }
        type Bank @key(fields: "id") @context(name: "money") {
          id: ID! currency: String! maybeTag: String accounts: [Account!]! head: Account
        }
        interface Account @context(name: "account") { id: ID! code: String! }
        type Giro implements Account @key(fields: "id") @context(name: "money") {
          id: ID! code: String! currency: String! rate: Int
        }
        type Depot implements Account @key(fields: "id") { id: ID! code: String! unit: Int! @external }
        union Holder @context(name: "account") = Giro | Firm
        type Firm @key(fields: "id") { id: ID! currency: String! maybeTag: String card: Card! code: String! }
        type Card @key(fields: "id") @context(name: "card") {
          id: ID!
          number: Int! @external
          rate(in: String @fromContext(field: "$money { currency }")): Int!
          fee(of: String @fromContext(field: "$account ... on Giro { code } ... on Depot { code } ... on Firm { code }")): Int!
          size(
            n: Int
            unit: Int @fromContext(field: "$account ... on Depot { unit } ... on Giro { rate } ... on Firm { card { number } }")
          ): Int
        }
        type Line @key(fields: "id") { id: ID! cost(card: ID @fromContext(field: "$card { id }")): Int }
    """,
    "cards": """
        interface Account { cards: [Card!]! card: Card }
        type Giro implements Account @key(fields: "id") { id: ID! cards: [Card!]! card: Card }
        type Depot implements Account @key(fields: "id") { id: ID! cards: [Card!]! card: Card unit: Int! }
        type Card @key(fields: "id") { id: ID! number: Int! lines: [Line!]! maybeOther: Card }
        type Line @key(fields: "id") { id: ID! name: String! back: Card! }
    """,
}
OPERATIONS = 150


@pytest.mark.parametrize("nulls", [False, True])
def test_random_operations_give_what_one_schema_gives(nulls: bool) -> None:
    case = Case(WORLD, data=Data(nulls=nulls))
    compared = contextual = 0
    for seed in range(OPERATIONS):
        text, variables = random_operation(case.supergraph.api_schema, Random(seed))
        if case.is_valid(text):
            assert case.federated(case.plan(text), variables) == case.expected(text, variables), text
            compared += 1
            contextual += "context" in case.uses
    assert compared > OPERATIONS // 2
    assert contextual > OPERATIONS // 10


def test_what_several_fields_take_is_selected_once_however_many_they_are() -> None:
    fields = " ".join(f"f{number}: fee" for number in range(200))
    plan = Case(WORLD).plan(f"{{ accounts {{ ... on Giro {{ card {{ {fields} }} }} }} }}")
    (batch,) = batches(plan)
    (part,) = batch.parts
    assert [one.name for one in part.contexts] == ["context_0"]


BANK = """
    schema
      @link(url: "https://specs.apollo.dev/link/v1.0")
      @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
      @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)
    { query: Query }
    enum join__Graph { A @join__graph(name: "a", url: "") }
    type Query @join__type(graph: A) { t: T u: U }
    type T @join__type(graph: A) @context(name: "a__t") { x: Int u: U }
    type U @join__type(graph: A, key: "id") {
      id: ID!
      f: Int @join__field(graph: A, contextArguments: [{context: "a__t", name: "a", type: "Int", selection: "{ x }"}])
    }
"""


def test_a_way_on_which_nothing_sets_the_context_is_refused() -> None:
    """Composition lets no such supergraph through, but others may have made it."""
    planner = Planner(load_supergraph(BANK))
    assert planner.plan(parse("{ t { u { f } } }")).root is not None
    with pytest.raises(PlanningRefused) as refused:
        planner.plan(parse("{ u { f } }"))
    (error,) = refused.value.errors
    assert error.code == Code.PLANNING_IMPOSSIBLE
    assert '"Query.u"' in error.message


PARTITIONED = {
    "districts": """
        type Query { asset(id: ID!): Asset @route(argument: "id") }
        type Asset @key(fields: "id") @partitioned(key: "id", segment: 1) @context(name: "asset") {
          id: ID! unit: String! part: Part!
        }
        type Part @key(fields: "id") @partitioned(key: "id", segment: 1) {
          id: ID! size(unit: String @fromContext(field: "$asset { unit }")): Int!
        }
    """
}


def test_a_partitioned_graph_takes_nothing_from_contexts() -> None:
    with pytest.raises(PlanningRefused) as refused:
        Case(PARTITIONED).plan('{ asset(id: "asset:330109:1") { part { size } } }')
    (error,) = refused.value.errors
    assert error.code == Code.PLANNING_UNSUPPORTED
    assert '"Part.size"' in error.message
    assert "@fromContext" in error.message
