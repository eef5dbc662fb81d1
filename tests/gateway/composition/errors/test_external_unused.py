from __future__ import annotations

from tests.gateway.composition.composing import CONTEXTS, FEDERATION_1, error, errors

OWNER = 'type P @key(fields: "id") { id: ID x: Int }'


def test_an_external_that_nothing_uses() -> None:
    found = error(a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @external }', b=OWNER)
    assert found.code == "EXTERNAL_UNUSED"
    assert '"P.x"' in found.message


def test_federation_1_let_it_stand() -> None:
    a = FEDERATION_1 + 'type Query { p: P } extend type P @key(fields: "id") { id: ID @external x: Int @external }'
    assert not errors(a=a, b=OWNER)


def test_an_interface_is_a_use() -> None:
    a = 'type Query { p: P } interface I { x: Int } type P implements I @key(fields: "id") { id: ID x: Int @external }'
    assert not errors(a=a, b=OWNER)


def test_a_contextual_argument_is_a_use() -> None:
    a = (
        CONTEXTS + 'type Query { p: P } type P @key(fields: "id") @context(name: "p") { id: ID x: Int @external u: U }'
        ' type U @key(fields: "id") { id: ID f(a: Int @fromContext(field: "$p { x }")): Int }'
    )
    assert not errors(a=a, b=OWNER)
