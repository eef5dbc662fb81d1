from __future__ import annotations

from tests.gateway.composition.composing import FEDERATION_1, codes, error, errors


def test_two_subgraphs_resolve_what_one_of_them_does_not_share() -> None:
    found = error(a="type Query { x: Int @shareable }", b="type Query {\n  x: Int\n}")
    assert found.code == "INVALID_FIELD_SHARING"
    assert 'resolved from subgraphs "a" and "b" and defined as non-shareable in subgraph "b"' in found.message
    assert [str(at) for at in found.locations] == ["a:2:14", "b:3:3"]


def test_shared_by_both_it_composes() -> None:
    assert not errors(a="type Query @shareable { x: Int }", b="type Query { x: Int @shareable }")


def test_keys_are_shared_without_saying_so() -> None:
    p = 'type P @key(fields: "id owner { id }") { id: ID owner: O } type O { id: ID }'
    assert not errors(a="type Query { p: P } " + p, b=p)


def test_what_is_provided_is_resolved_too() -> None:
    a = 'type Query { p: P @provides(fields: "x") } type P @key(fields: "id") { id: ID x: Int @external }'
    assert error(a=a, b='type P @key(fields: "id") { id: ID x: Int }').code == "INVALID_FIELD_SHARING"
    assert not errors(a=a, b='type P @key(fields: "id") { id: ID x: Int @shareable }')


def test_an_overridden_field_is_resolved_once() -> None:
    q = 'type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b") }'
    assert not errors(a=q, b='type P @key(fields: "id") { id: ID x: Int }')


def test_federation_1_shares_by_rule() -> None:
    v = "type V { x: Int }"
    assert not errors(a=FEDERATION_1 + "type Query { v: V } " + v, b=FEDERATION_1 + v)
    assert error(a=FEDERATION_1 + "type Query { v: V } " + v, b=v).code == "INVALID_FIELD_SHARING"


def test_an_interface_object_resolves_for_every_implementation() -> None:
    a = """
    type Query { media: Media }
    interface Media @key(fields: "id") { id: ID! }
    type Book implements Media @key(fields: "id") { id: ID! stars: Int }
    """
    found = error(a=a, b='type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }')
    assert found.code == "INVALID_FIELD_SHARING"
    assert 'through @interfaceObject field "Media.stars"' in found.message


def test_a_subscription_is_never_shared() -> None:
    a = "type Query { a: Int } type Subscription { s: Int @shareable }"
    assert codes(a=a, b="type Subscription { s: Int @shareable }") == {"INVALID_FIELD_SHARING"}
