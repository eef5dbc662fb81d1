from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_hiding_is_said_where_the_field_is() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external @inaccessible y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.code == "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"


def test_at_its_owner_it_is_right() -> None:
    assert not errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x: Int @inaccessible }',
    )


def test_demands_and_costs_too() -> None:
    found = error(
        a="""
        type Query { p: P }
        type P @key(fields: "id") { id: ID x: Int @external @authenticated y: Int @authenticated @requires(fields: "x") }
        """,
        b='type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.code == "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"
