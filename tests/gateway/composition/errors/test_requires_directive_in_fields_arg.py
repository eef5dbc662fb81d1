from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_directive_in_the_field_set() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x @include(if: true)") }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.code == "REQUIRES_DIRECTIVE_IN_FIELDS_ARG"
