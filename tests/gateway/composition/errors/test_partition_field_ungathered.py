from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_a_root_field_that_does_not_say_how_answers_merge() -> None:
    found = error(
        a=group("""
    type Row @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! }
    type Query { rows: [Row] }
    """)
    )
    assert found.code == "PARTITION_FIELD_UNGATHERED"
    assert "Query.rows" in found.message
    assert found.locations[0].subgraph == "a"


def test_gathered_or_routed() -> None:
    assert not errors(
        a=group("""
    type Row @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! }
    type Query { rows: [Row] @gather(as: LIST) row(id: ID!): Row @route(argument: "id") }
    """)
    )
