from __future__ import annotations

from tests.gateway.composition.composing import error


def test_the_owner_says_otherwise() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x(n: Int = 1): Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x(n: Int = 2): Int }',
    )
    assert found.code == "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH"


def test_to_leave_the_default_out_is_to_say_otherwise() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x(n: Int): Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x(n: Int = 2): Int }',
    )
    assert found.code == "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH"
