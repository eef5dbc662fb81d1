from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_directive_in_the_field_set() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id @skip(if: true)") { id: ID }',
    )
    assert found.code == "KEY_DIRECTIVE_IN_FIELDS_ARG"
