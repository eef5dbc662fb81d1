from __future__ import annotations

from tests.gateway.composition.composing import error


def test_provides_on_an_interface_field() -> None:
    found = error(
        a="""
type Query { i: I }
interface I { p: P @provides(fields: "x") }
type T implements I { p: P }
type P @key(fields: "id") { id: ID x: Int @external }
        """,
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.code == "PROVIDES_UNSUPPORTED_ON_INTERFACE"
