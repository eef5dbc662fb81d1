from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_field_that_everybody_takes_for_anothers() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID z: Int }',
    )
    assert found.code == "EXTERNAL_MISSING_ON_BASE"
