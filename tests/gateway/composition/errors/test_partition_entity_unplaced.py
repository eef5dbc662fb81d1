from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_an_entity_that_lives_nowhere() -> None:
    found = error(
        a=group("""
    type Query { rows: [Row] @gather(as: LIST) }
    type Row @key(fields: "id") { id: ID! name: String }
    """)
    )
    assert found.code == "PARTITION_ENTITY_UNPLACED"
    assert '"name"' in found.message


def test_wholly_gathered_it_lives_everywhere() -> None:
    assert not errors(
        a=group("""
    type Query { ok: [Int] @gather(as: LIST) }
    type View @key(fields: "id") { id: ID! rows: [Int] @gather(as: LIST) }
    """)
    )
