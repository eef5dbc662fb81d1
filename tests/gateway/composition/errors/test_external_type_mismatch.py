from __future__ import annotations

from tests.gateway.composition.composing import codes, error, errors


def test_the_owner_says_otherwise() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }',
        b='type P @key(fields: "id") { id: ID x: String }',
    )
    assert found.code == "EXTERNAL_TYPE_MISMATCH"


def test_nullability_counts() -> None:
    for external, own in (("Int", "Int!"), ("Int!", "Int")):
        found = error(
            a=f'type Query {{ p: P }} type P @key(fields: "id") {{ id: ID x: {external} @external y: Int @requires(fields: "x") }}',
            b=f'type P @key(fields: "id") {{ id: ID x: {own} }}',
        )
        assert found.code == "EXTERNAL_TYPE_MISMATCH"


def test_where_owners_differ_an_external_may_promise_what_one_of_them_does() -> None:
    external = 'type P @key(fields: "id") { id: ID x: {} @external y: Int @requires(fields: "x") }'
    owners = {
        "a": 'type Query { p: P } type P @key(fields: "id") { id: ID x: Int! @shareable }',
        "b": 'type P @key(fields: "id") { id: ID x: Int @shareable }',
    }
    assert not errors(**owners, c=external.replace("{}", "Int!"))
    assert not errors(**owners, c=external.replace("{}", "Int"))
    assert codes(**owners, c=external.replace("{}", "String")) == {"EXTERNAL_TYPE_MISMATCH"}
