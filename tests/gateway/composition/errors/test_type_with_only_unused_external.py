from __future__ import annotations

from tests.gateway.composition.composing import FEDERATION_1, error, errors

OWNER = FEDERATION_1 + 'type Query { p: P } type P @key(fields: "id") { id: ID x: Int }'


def test_federation_1_let_it_stand_and_here_nothing_is_left() -> None:
    found = error(a=OWNER, b=FEDERATION_1 + "type Query { q: P } extend type P { x: Int @external }")
    assert found.code == "TYPE_WITH_ONLY_UNUSED_EXTERNAL"
    assert found.subgraphs == ("b",)


def test_a_type_that_nothing_refers_to_goes() -> None:
    assert not errors(a=OWNER, b=FEDERATION_1 + "type Query { q: Int } extend type P { x: Int @external }")
