from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_an_implementation_without_the_interfaces_key() -> None:
    found = error(
        a="""
type Query { i: I }
interface I @key(fields: "id") { id: ID }
type T implements I { id: ID }
        """,
    )
    assert found.code == "INTERFACE_KEY_NOT_ON_IMPLEMENTATION"
    assert 'implementation type "T"' in found.message
    assert len(found.locations) == 2


def test_an_implementation_may_have_more_keys() -> None:
    assert not errors(
        a="""
type Query { i: I }
interface I @key(fields: "id") { id: ID }
type T implements I @key(fields: "id") @key(fields: "x") { id: ID x: ID }
        """,
    )
