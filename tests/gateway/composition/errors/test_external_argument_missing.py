from __future__ import annotations

from tests.gateway.composition.composing import error


def test_the_owner_has_an_argument_more() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x(n: Int): Int }',
    )
    assert found.code == "EXTERNAL_ARGUMENT_MISSING"
