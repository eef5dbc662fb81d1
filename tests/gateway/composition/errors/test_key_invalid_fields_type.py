from __future__ import annotations

from tests.gateway.composition.composing import error


def test_the_field_set_must_be_a_string() -> None:
    found = error(a="type Query { p: P } type P @key(fields: ID) { ID: Int }")
    assert found.code == "KEY_INVALID_FIELDS_TYPE"
