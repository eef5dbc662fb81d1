from __future__ import annotations

from tests.gateway.composition.composing import error


def test_what_the_subgraph_has_itself_need_not_be_provided() -> None:
    found = error(
        a='type Query { p: P @provides(fields: "x") } type P @key(fields: "id") { id: ID x: Int }',
    )
    assert found.code == "PROVIDES_FIELDS_MISSING_EXTERNAL"
