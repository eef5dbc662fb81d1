from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_who_resolves_an_interface_knows_all_of_it() -> None:
    found = error(
        a="""
type Query { i: I }
interface I @key(fields: "id") { id: ID! }
type A implements I @key(fields: "id") { id: ID! }
        """,
        b="""
interface I { id: ID! }
type B implements I @key(fields: "id") { id: ID! }
        """,
    )
    assert found.code == "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE"


def test_a_key_that_is_not_resolvable_promises_nothing() -> None:
    assert not errors(
        a="""
type Query { i: I }
interface I @key(fields: "id", resolvable: false) { id: ID! }
type A implements I @key(fields: "id") { id: ID! }
        """,
        b="""
interface I { id: ID! }
type B implements I @key(fields: "id") { id: ID! }
        """,
    )
