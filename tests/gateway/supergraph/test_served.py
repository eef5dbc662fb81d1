"""One graph with the fields of a subgraph."""

from __future__ import annotations

from graphql import GraphQLUnionType, print_type, validate_schema

from gateway.supergraph.group import group_supergraph
from gateway.supergraph.served import as_subgraph
from tests.gateway.planning.support.compose import compose_for_test

OTHERS = """
type Query { shelf: Shelf }
type Shelf @key(fields: "id") { id: ID! rule: String! }
type Reader @key(fields: "id") { id: ID! name: String }
"""
ENTITIES_ONLY = """
type Book @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! title: String }
type Reader @key(fields: "id", resolvable: false) { id: ID! }
type Shelf @key(fields: "id") {
  id: ID! rule: String! @external
  books: [Book!] @requires(fields: "rule") @gather(as: LIST)
  reader: Reader @requires(fields: "rule") @gather(as: ONE)
}
"""


def test_every_type_with_a_resolvable_key_is_an_entity() -> None:
    group = group_supergraph(compose_for_test({"books": ENTITIES_ONLY, "others": OTHERS}), "BOOKS")
    served = as_subgraph(group, ENTITIES_ONLY)
    union = served.schema.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    assert [one.name for one in union.types] == ["Book", "Shelf"]


def test_a_graph_without_root_fields_gets_a_root() -> None:
    group = group_supergraph(compose_for_test({"books": ENTITIES_ONLY, "others": OTHERS}), "BOOKS")
    assert group.schema.query_type is None
    served = as_subgraph(group, ENTITIES_ONLY)
    assert served.schema.query_type is not None
    assert validate_schema(served.schema) == []
    assert print_type(served.schema.query_type) == (
        "type Query {\n  _service: _Service!\n  _entities(representations: [_Any!]!): [_Entity]!\n}"
    )


def test_other_routers_plans_are_kept_apart_from_the_groups_own() -> None:
    group = group_supergraph(compose_for_test({"books": ENTITIES_ONLY, "others": OTHERS}), "BOOKS")
    assert as_subgraph(group, ENTITIES_ONLY).version != group.version
