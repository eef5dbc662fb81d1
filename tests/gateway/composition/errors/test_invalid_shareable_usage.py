from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_interface_field_is_not_shared() -> None:
    found = error(
        a="""
type Query { i: I }
interface I { x: Int @shareable }
type T implements I { x: Int }
        """,
    )
    assert found.code == "INVALID_SHAREABLE_USAGE"
