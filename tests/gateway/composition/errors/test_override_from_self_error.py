from __future__ import annotations

from tests.gateway.composition.composing import error


def test_from_itself() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "a") }',
    )
    assert found.code == "OVERRIDE_FROM_SELF_ERROR"
