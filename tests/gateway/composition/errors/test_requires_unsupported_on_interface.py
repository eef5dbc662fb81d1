from __future__ import annotations

from tests.gateway.composition.composing import error


def test_requires_on_an_interface_field() -> None:
    found = error(
        a="""
type Query { i: I }
interface I { x: Int y: Int @requires(fields: "x") }
type T implements I { x: Int y: Int }
        """,
    )
    assert found.code == "REQUIRES_UNSUPPORTED_ON_INTERFACE"
