from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_directive_in_the_field_set() -> None:
    found = error(
        a='type Query { p: P @provides(fields: "x @include(if: true)") } type P @key(fields: "id") { id: ID x: Int @external }',
        b='type P @key(fields: "id") { id: ID x: Int @shareable }',
    )
    assert found.code == "PROVIDES_DIRECTIVE_IN_FIELDS_ARG"
