from __future__ import annotations

from tests.gateway.composition.composing import errors


def test_an_external_field_has_nothing_to_override_with() -> None:
    found = errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external @override(from: "b") y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert [one.code for one in found] == ["OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"]
