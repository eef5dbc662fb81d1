from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_provided_field_with_arguments() -> None:
    found = error(
        a='type Query { p: P @provides(fields: "x") } type P @key(fields: "id") { id: ID x(n: Int): Int @external }',
        b='type P @key(fields: "id") { id: ID x(n: Int): Int @shareable }',
    )
    assert found.code == "PROVIDES_FIELDS_HAS_ARGS"
