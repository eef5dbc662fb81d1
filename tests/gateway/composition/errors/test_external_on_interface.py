from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_interface_field_cannot_be_external() -> None:
    found = error(
        a="""
type Query { i: I }
interface I { x: Int @external }
type T implements I { x: Int }
        """,
    )
    assert found.code == "EXTERNAL_ON_INTERFACE"
