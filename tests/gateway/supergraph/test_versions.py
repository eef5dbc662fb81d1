"""One graph, written down in each version of the join specification as composers of its time wrote it: one model, and
the same plans. `versions/` has the files; what a version cannot say is told by the loader (see `join`, `join_v01`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from graphql import parse, validate

from gateway.plan.text import print_plan
from gateway.planning.planner import Planner
from gateway.supergraph.join import KNOWN_JOIN_VERSIONS
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from tests.gateway.supergraph.normal import difference

VERSIONS: Mapping[str, Supergraph] = {
    path.stem: load_supergraph(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "versions").glob("*.graphql"))
}
NEWEST = "v0.5"
OLDER = [version for version in VERSIONS if version != NEWEST]
OPERATIONS = [
    "{ me { name username reviews { body product { name verdict } } } }",
    "{ latest { author { username name } product { upc brand { code } state } } }",
    "query ($only: Filter) { topProducts(only: $only) { verdict size { height } reviews { author { username } } } }",
    "{ named { name ... on Product { reviews { id } } } }",
    "{ latest { product { ... on Named { name } } } }",
    "{ anything { __typename ... on User { name } ... on Review { body } ... on Product { price } } }",
    'mutation { rename(id: 1, name: "x") { reviews { id } } review(upc: 1, body: "y") { product { state } } }',
]


def plan(supergraph: Supergraph, text: str) -> str:
    document = parse(text)
    assert not validate(supergraph.api_schema, document)
    return print_plan(Planner(supergraph).plan(document, None))


def test_every_version_that_is_read_is_here() -> None:
    assert set(VERSIONS) == {f"v{major}.{minor}" for major, minor in KNOWN_JOIN_VERSIONS}


@pytest.mark.parametrize("version", OLDER)
def test_the_models_are_equal(version: str) -> None:
    assert not difference(VERSIONS[version], VERSIONS[NEWEST])


@pytest.mark.parametrize("version", OLDER)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_plans_are_the_same(version: str, operation: str) -> None:
    assert plan(VERSIONS[version], operation) == plan(VERSIONS[NEWEST], operation)


def test_what_is_hidden_is_hidden_from_federation_1_on() -> None:
    for supergraph in VERSIONS.values():
        assert "secret" in supergraph.schema.type_map["User"].fields
        assert "secret" not in supergraph.api_schema.type_map["User"].fields


V01 = """
schema
  @core(feature: "https://specs.apollo.dev/core/v0.1")
  @core(feature: "https://specs.apollo.dev/join/v0.1")
{ query: Query }

enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "http://b")
}
"""


def test_v01_value_types_are_where_fields_lead_to_them() -> None:
    found = load_supergraph(
        V01
        + """
        type Query {
          found(of: Asked): Found @join__field(graph: A)
          row: Row @join__field(graph: B)
        }
        input Asked { how: How }
        enum How { SLOW FAST }
        union Found = Row | Part
        interface Sized { size: Int }
        type Part implements Sized { size: Int unit: Unit }
        type Unit { symbol: String }
        type Row @join__owner(graph: B) @join__type(graph: B, key: "id") @join__type(graph: A, key: "id") {
          id: ID! @join__field(graph: B)
          sized: Sized @join__field(graph: B)
        }
        type Lonely { x: Int }
        """
    )
    where = {name: "".join(join.graph for join in joins) for name, joins in found.type_joins.items()}
    assert where == {
        "Query": "AB",
        "Asked": "A",
        "How": "A",
        "Found": "A",
        "Sized": "B",
        "Part": "AB",
        "Unit": "AB",
        "Row": "BA",
        "Lonely": "",
    }
    assert found.implements["Part"] == {"B": frozenset({"Sized"})}
    assert found.union_members["Found"] == {"A": frozenset({"Row", "Part"})}


def test_v01_an_interface_that_no_field_returns_is_asked_of_nobody() -> None:
    found = load_supergraph(
        V01
        + """
        type Query { row: Row @join__field(graph: A) }
        interface Named { name: String }
        type Row implements Named @join__owner(graph: A) @join__type(graph: A, key: "id") {
          id: ID! @join__field(graph: A)
          name: String @join__field(graph: A)
        }
        """
    )
    assert plan(found, "{ row { ... on Named { name } } }") == plan(found, "{ row { name } }")


CONTEXT = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)
{ query: Query }

enum join__Graph { A @join__graph(name: "a", url: "http://a") }
directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION
directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION
scalar context__ContextFieldValue

type Query @join__type(graph: A) { user: User }
type User @join__type(graph: A, key: "id") @context(name: "a__userContext") { id: ID! currency: String price: Price }
type Price @join__type(graph: A, key: "id") {
  id: ID!
  amount: Int @join__field(graph: A, contextArguments: [
    {context: "a__userContext", name: "currency", type: "String", selection: "{ currency }"}
  ])
}
"""


def test_what_a_context_is_not_about_is_planned() -> None:
    assert "context_0" not in plan(load_supergraph(CONTEXT), "{ user { currency price { id } } }")


def test_what_needs_a_context_is_asked_with_it() -> None:
    text = plan(load_supergraph(CONTEXT), "{ user { price { amount } } }")
    assert '$context_0: String from "user.currency"' in text
