from __future__ import annotations

from tests.gateway.composition.composing import error


def test_a_field_that_does_not_exist() -> None:
    found = error(a='type Query { p: P @provides(fields: "nope") } type P @key(fields: "id") { id: ID }')
    assert found.code == "PROVIDES_INVALID_FIELDS"
    assert 'On field "Query.p"' in found.message
