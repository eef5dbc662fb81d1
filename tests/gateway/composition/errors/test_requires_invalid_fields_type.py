from __future__ import annotations

from tests.gateway.composition.composing import codes


def test_the_field_set_must_be_a_string() -> None:
    found = codes(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: ["x"]) }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert "REQUIRES_INVALID_FIELDS_TYPE" in found
