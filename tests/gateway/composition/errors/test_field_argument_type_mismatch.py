from __future__ import annotations

from tests.gateway.composition.composing import error


def test_arguments_of_different_types() -> None:
    found = error(
        a="type Query { f(x: Int): Int @shareable }",
        b="type Query { f(x: String): Int @shareable }",
    )
    assert found.code == "FIELD_ARGUMENT_TYPE_MISMATCH"
    assert '"Query.f(x:)"' in found.message
