"""Which moves are legal: from the roots, by keys, with what is required or provided, between types."""

from __future__ import annotations

import pytest

from gateway.query_graph import ROOT, Node, QueryGraph
from tests.gateway.planning.support.cases import Case

SHOP = {
    "shop": """
        type Query { products: [Product!]! any: Media shared: Int @shareable }
        type Product @key(fields: "id") @key(fields: "sku") { id: ID! sku: String! name: String! @shareable size: Size! @shareable }
        type Size @shareable { width: Int! }
        interface Media { title: String! }
        type Film implements Media { title: String! }
        type Song implements Media { title: String! }
    """,
    "stock": """
        type Query { top: Product @provides(fields: "name") other: Product shared: Int @shareable }
        type Mutation { restock(id: ID!): Product }
        type Product @key(fields: "id") {
          id: ID! name: String! @external size: Size! @external
          shipping: Int! @requires(fields: "name size { width }")
        }
        type Size @shareable { width: Int! }
    """,
    "seen": """
        type Query { seen: [Product!]! }
        type Product @key(fields: "sku", resolvable: false) { sku: String! }
    """,
}


def graph(**subgraphs: str) -> QueryGraph:
    return Case(subgraphs or SHOP).planner.query_graph


def fields(found: QueryGraph, node: Node) -> dict[str, str]:
    moves = found.field_moves.get(node, {})
    return {name: str(ways[0].target) if not ways[0].is_leaf else ways[0].type for name, ways in moves.items()}


def keys(found: QueryGraph, node: Node) -> set[tuple[str, str]]:
    return {(move.key_text, move.target.graph) for move in found.key_moves(node)}


# Roots


def test_an_operation_begins_at_no_graph_and_may_enter_each_that_serves_the_root_field() -> None:
    moves = graph().field_moves[Node(ROOT, "Query")]
    entered = {name: {way.target.graph for way in ways} for name, ways in moves.items()}
    assert entered == {
        "products": {"SHOP"},
        "any": {"SHOP"},
        "top": {"STOCK"},
        "other": {"STOCK"},
        "shared": {"SHOP", "STOCK"},
        "seen": {"SEEN"},
    }


def test_each_kind_of_operation_has_a_root_of_its_own() -> None:
    found = graph()
    assert fields(found, Node(ROOT, "Mutation")) == {"restock": "STOCK/Product"}
    assert fields(found, Node(ROOT, "Subscription")) == {}


def test_lists_are_counted() -> None:
    [products] = graph().field_moves[Node("SHOP", "Query")]["products"]
    [top] = graph().field_moves[Node("STOCK", "Query")]["top"]
    assert (products.list_depth, top.list_depth) == (1, 0)


# Fields


def test_a_graph_serves_its_own_fields_and_not_its_external_ones() -> None:
    found = graph()
    assert set(fields(found, Node("SHOP", "Product"))) == {"id", "sku", "name", "size"}
    assert set(fields(found, Node("STOCK", "Product"))) == {"id", "shipping"}
    assert found.field(Node("STOCK", "Product"), "name", frozenset()) is None


def test_a_key_is_served_even_where_it_is_external() -> None:
    found = graph(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! x: Int! }',
        b='type T @key(fields: "id") @extends { id: ID! @external y: Int! }',
    )
    assert set(fields(found, Node("B", "T"))) == {"id", "y"}


def test_what_a_field_requires_must_be_sent() -> None:
    found = graph()
    shipping = found.field(Node("STOCK", "Product"), "shipping", frozenset())
    assert shipping is not None
    assert shipping.requires is not None
    assert [one.name for one in shipping.requires.for_type("Product")] == ["name", "size"]
    plain = found.field(Node("SHOP", "Product"), "name", frozenset())
    assert plain is not None
    assert plain.requires is None


def test_below_a_providing_field_a_copy_serves_more_than_its_plain_self() -> None:
    found = graph()
    [top] = found.field_moves[Node("STOCK", "Query")]["top"]
    [other] = found.field_moves[Node("STOCK", "Query")]["other"]
    assert (top.target.copy > 0, other.target.copy) == (True, 0)
    assert "name" in fields(found, top.target)
    assert "name" not in fields(found, other.target)


# Keys


def test_an_entity_can_be_asked_for_by_each_resolvable_key_of_each_graph() -> None:
    expected = {("id", "SHOP"), ("sku", "SHOP"), ("id", "STOCK")}
    for name in ("SHOP", "STOCK", "SEEN"):
        assert keys(graph(), Node(name, "Product")) == expected


def test_what_is_no_entity_cannot_be_asked_for() -> None:
    assert keys(graph(), Node("SHOP", "Size")) == set()


def test_a_key_may_be_compound_and_nested() -> None:
    found = graph(
        a='type Query { t: T } type T @key(fields: "code place { id }") { code: ID! place: P! } type P { id: ID! }'
    )
    [move] = found.key_moves(Node("A", "T"))
    assert [one.name for one in move.key.for_type("T")] == ["code", "place"]


# Types


def test_an_abstract_type_may_be_what_the_graph_knows_for_it() -> None:
    found = graph()
    media = Node("SHOP", "Media")
    assert found.kind(media) == "abstract"
    assert found.possible(media) == {"Film", "Song"}
    assert found.downcast(media, "Film") == Node("SHOP", "Film")
    assert found.possible(Node("SHOP", "Film")) == {"Film"}


def test_an_interface_object_stands_for_all_types_behind_it() -> None:
    found = graph(
        a="""
        type Query { all: [Asset!]! }
        interface Asset @key(fields: "id") { id: ID! }
        type Car implements Asset @key(fields: "id") { id: ID! }
        type Desk implements Asset @key(fields: "id") { id: ID! }
        """,
        b='type Query { costly: Asset } type Asset @key(fields: "id") @interfaceObject { id: ID! value: Int! }',
    )
    assert found.kind(Node("B", "Asset")) == "interface_object"
    assert found.possible(Node("B", "Asset")) == {"Car", "Desk"}
    [jump] = [move for move in found.key_moves(Node("A", "Car")) if move.target.graph == "B"]
    assert (jump.target.type, jump.send_typename) == ("Asset", "Asset")


@pytest.mark.parametrize(("labels", "serving"), [(frozenset(), "A"), (frozenset({"new"}), "B")])
def test_a_progressive_override_moves_a_field_while_its_label_is_in_force(labels: frozenset[str], serving: str) -> None:
    found = graph(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! x: Int! }',
        b='type T @key(fields: "id") { id: ID! x: Int! @override(from: "a", label: "new") }',
    )
    assert [name for name in "AB" if found.field(Node(name, "T"), "x", labels) is not None] == [serving]


def test_the_graph_prints_itself() -> None:
    text = str(graph())
    for line in (
        "STOCK/Product (object)",
        "  .shipping -> Int! @requires(name size { width })",
        "  key { sku } -> SHOP/Product",
        "  may be Film, Song",
        "ROOT/Query (object)",
    ):
        assert line in text.splitlines()
