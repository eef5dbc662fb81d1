from __future__ import annotations

from tests.gateway.composition.composing import error


def test_only_one_override_a_field() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b") }',
        b='type P @key(fields: "id") { id: ID x: Int @override(from: "c") }',
        c='type P @key(fields: "id") { id: ID x: Int  }',
    )
    assert found.code == "OVERRIDE_SOURCE_HAS_OVERRIDE"
