from __future__ import annotations

from tests.gateway.composition.composing import error


def test_no_object_could_be_both() -> None:
    found = error(
        a="type Query { u: U @shareable } union U = A type A { x: Int }",
        b="type Query { u: U @shareable } union U = B type B { y: Int }",
    )
    assert found.code == "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"
