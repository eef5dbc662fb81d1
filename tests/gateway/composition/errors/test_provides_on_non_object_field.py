from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_scalar_provides_nothing() -> None:
    found = error(a='type Query { a: Int @provides(fields: "x") }')
    assert found.code == "PROVIDES_ON_NON_OBJECT_FIELD"
