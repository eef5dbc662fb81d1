from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_key_field_with_an_argument() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id(short: Boolean): ID }',
    )
    assert found.code == "KEY_FIELDS_HAS_ARGS"
