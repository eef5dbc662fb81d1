"""What clients do not see, and what follows from it. (The codes of its faults are tested with composition.)"""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema

from gateway.language.errors import SupergraphInvalid
from gateway.supergraph.load import load_supergraph

HEAD = """
schema
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hide", for: SECURITY)
{ query: Query mutation: Mutation }
directive @hide on OBJECT
enum join__Graph { A @join__graph(name: "a", url: "") }
"""
BODY = """
type Query { a(x: Int, y: Int @hide): I b: H @hide u: U }
type Mutation { change: Int @hide }
interface I { n: Int m: Int @hide }
interface J @hide { n: Int }
type T implements I & J { n: Int m: Int @hide }
type H @hide { n: Int }
union U = T | H
enum E { ONE TWO @hide }
input In { e: E secret: Int @hide }
"""


@pytest.fixture(scope="module")
def api() -> GraphQLSchema:
    return load_supergraph(HEAD + BODY).api_schema


def test_hidden_elements_are_gone(api: GraphQLSchema) -> None:
    assert set(api.type_map["Query"].fields) == {"a", "u"}
    assert set(api.type_map["Query"].fields["a"].args) == {"x"}
    assert "H" not in api.type_map and "J" not in api.type_map
    assert set(api.type_map["E"].values) == {"ONE"}
    assert set(api.type_map["In"].fields) == {"e"}


def test_unions_and_implements_lose_hidden_types(api: GraphQLSchema) -> None:
    assert [one.name for one in api.type_map["U"].types] == ["T"]
    assert [one.name for one in api.type_map["T"].interfaces] == ["I"]


def test_a_mutation_root_with_nothing_to_see_is_no_root(api: GraphQLSchema) -> None:
    assert api.mutation_type is None


def test_a_hidden_mutation_root_is_no_root() -> None:
    body = BODY.replace("type Mutation { change: Int @hide }", "type Mutation @hide { change: Int }")
    assert load_supergraph(HEAD + body).api_schema.mutation_type is None


def test_subgraphs_may_still_be_asked(api: GraphQLSchema) -> None:
    schema = load_supergraph(HEAD + BODY).schema
    assert "b" in schema.type_map["Query"].fields and schema.mutation_type is not None


def test_a_visible_field_of_a_hidden_type_is_refused() -> None:
    with pytest.raises(SupergraphInvalid, match=r"H.*inaccessible.*Query.b"):
        load_supergraph(HEAD + BODY.replace("b: H @hide", "b: H"))
