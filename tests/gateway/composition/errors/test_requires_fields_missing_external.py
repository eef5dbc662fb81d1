from __future__ import annotations

from tests.gateway.composition.composing import error


def test_what_the_subgraph_has_itself_need_not_be_required() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int y: Int @requires(fields: "x") }',
    )
    assert found.code == "REQUIRES_FIELDS_MISSING_EXTERNAL"
    assert 'field "P.x" should not be part of a @requires' in found.message
