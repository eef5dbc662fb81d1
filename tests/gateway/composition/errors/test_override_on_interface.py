from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_interface_field_resolves_nothing() -> None:
    found = error(
        a="""
type Query { i: I }
interface I { x: Int @override(from: "b") }
type T implements I { x: Int }
        """,
    )
    assert found.code == "OVERRIDE_ON_INTERFACE"
