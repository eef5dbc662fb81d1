"""What the supergraph says of each field: who serves it, and on what terms."""

from __future__ import annotations

from gateway.language.selections import parse_field_set
from gateway.supergraph.model import FieldJoin, TypeJoin
from tests.gateway.composition.composing import FEDERATION_1, composed, supergraph


def test_the_usual_four_subgraphs() -> None:
    found = supergraph(
        accounts='type Query { me: User } type User @key(fields: "id") { id: ID! name: String username: String @shareable }',
        inventory="""
        type Product @key(fields: "upc") {
          upc: String! weight: Int @external price: Int @external inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
        }
        """,
        products="""
        type Query { topProducts(first: Int = 5): [Product] }
        type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
        """,
        reviews="""
        type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "username") product: Product }
        type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }
        """,
    )
    assert list(found.graphs) == ["ACCOUNTS", "INVENTORY", "PRODUCTS", "REVIEWS"]
    upc = parse_field_set("upc")
    assert found.type_joins["Product"] == (
        TypeJoin("INVENTORY", upc),
        TypeJoin("PRODUCTS", upc),
        TypeJoin("REVIEWS", upc),
    )
    assert ("Product", "upc") not in found.field_joins
    assert found.field_joins["Product", "price"] == (FieldJoin("INVENTORY", external=True), FieldJoin("PRODUCTS"))
    assert found.field_joins["Product", "shippingEstimate"] == (
        FieldJoin("INVENTORY", requires=parse_field_set("price weight")),
    )
    assert found.field_joins["Review", "author"] == (FieldJoin("REVIEWS", provides=parse_field_set("username")),)
    assert ("Review", "id") not in found.field_joins


def test_several_keys_nested_and_not_resolvable() -> None:
    found = supergraph(
        a="""
        type Query { p: P }
        type P @key(fields: "id") @key(fields: "owner { id }", resolvable: false) { id: ID owner: O }
        type O { id: ID }
        """
    )
    assert found.type_joins["P"] == (
        TypeJoin("A", parse_field_set("id")),
        TypeJoin("A", parse_field_set("owner { id }"), resolvable=False),
    )


def test_the_extensions_of_federation_1() -> None:
    found = supergraph(
        a=FEDERATION_1 + 'type Query { p: P } type P @key(fields: "id") { id: ID! price: Int }',
        b=FEDERATION_1
        + 'extend type P @key(fields: "id") { id: ID! @external price: Int @external tax: Int @requires(fields: "price") }',
    )
    assert ("P", "id") not in found.field_joins, "on an extension's key, external is not meant"
    assert found.field_joins["P", "price"] == (FieldJoin("A"), FieldJoin("B", external=True))


def test_renamed_directives_and_prefixes_mean_the_same() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", {})\n'
    p = 'type Query {{ p: P }} type P @{}(fields: "id") {{ id: ID x: Int @{} }}'
    plain = composed(a=p.format("key", "shareable"))
    renamed = link.format('import: [{name: "@key", as: "@primary"}, {name: "@shareable", as: "@shared"}]')
    prefixed = link.format('as: "fed"')
    assert plain.supergraph_sdl == composed(a=renamed + p.format("primary", "shared")).supergraph_sdl
    assert plain.supergraph_sdl == composed(a=prefixed + p.format("fed__key", "fed__shareable")).supergraph_sdl
    assert (
        plain.supergraph_sdl
        == composed(a=link.format("import: []") + p.format("federation__key", "federation__shareable")).supergraph_sdl
    )


def test_an_overridden_field_leaves_its_graph() -> None:
    found = supergraph(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b") }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.field_joins["P", "x"] == (FieldJoin("A", override_from="b"),)


def test_an_overridden_field_that_its_graph_still_needs_stays_marked() -> None:
    found = supergraph(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: ID @override(from: "b") }',
        b='type P @key(fields: "id") @key(fields: "x") { id: ID x: ID }',
    )
    assert found.field_joins["P", "x"] == (FieldJoin("A", override_from="b"), FieldJoin("B", used_overridden=True))


def test_a_labelled_override_keeps_both_sides() -> None:
    found = supergraph(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b", label: "half") }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.field_joins["P", "x"] == (
        FieldJoin("A", override_from="b", override_label="half"),
        FieldJoin("B", override_label="half"),
    )


def test_types_that_differ_are_told_by_graph() -> None:
    found = supergraph(a="type Query { x: Int! @shareable }", b="type Query { x: Int @shareable }")
    assert found.field_joins["Query", "x"] == (FieldJoin("A", type="Int!"), FieldJoin("B", type="Int"))
    assert str(found.schema.query_type and found.schema.query_type.fields["x"].type) == "Int"


def test_an_object_and_its_interface() -> None:
    found = supergraph(
        a="type Query { x: I @shareable } interface I { n: Int } type T implements I @shareable { n: Int }",
        b="type Query { x: T @shareable } type T @shareable { n: Int }",
    )
    assert str(found.api_schema.query_type and found.api_schema.query_type.fields["x"].type) == "I"
    assert found.field_joins["Query", "x"] == (FieldJoin("A", type="I"), FieldJoin("B", type="T"))


def test_an_interface_object_adds_fields_to_every_implementation() -> None:
    found = supergraph(
        a="""
        type Query { media: Media }
        interface Media @key(fields: "id") { id: ID! }
        type Book implements Media @key(fields: "id") { id: ID! }
        type Film implements Media @key(fields: "id") { id: ID! }
        """,
        b='type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }',
    )
    assert found.type_joins["Media"][1] == TypeJoin("B", parse_field_set("id"), is_interface_object=True)
    assert found.field_joins["Book", "stars"] == found.field_joins["Film", "stars"] == ()
    assert found.field_joins["Media", "stars"] == (FieldJoin("B"),)


def test_root_types_get_their_standard_names() -> None:
    found = supergraph(
        a="schema { query: Q mutation: M } type Q { a: Q } type M { b: Int }",
        b="type Query { c: Int } type Mutation { d: Int } type Subscription { e: Int }",
    )
    assert set(found.schema.type_map["Query"].fields) == {"a", "c"}
    assert set(found.schema.type_map["Mutation"].fields) == {"b", "d"}
    assert str(found.schema.type_map["Query"].fields["a"].type) == "Query"
    assert found.schema.subscription_type is not None


def test_a_subgraphs_own_service_fields_are_left_out() -> None:
    found = supergraph(
        a="""
        scalar _Any union _Entity = P type _Service { sdl: String }
        type Query { p: P _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
        type P @key(fields: "id") { id: ID }
        """
    )
    assert set(found.schema.type_map["Query"].fields) == {"p"}
    assert not [name for name in found.schema.type_map if name.startswith("_") and not name.startswith("__")]
