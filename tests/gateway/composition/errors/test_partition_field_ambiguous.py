from __future__ import annotations

from tests.gateway.composition.composing import error, group


def test_gathered_and_routed_at_once() -> None:
    found = error(
        a=group("""
    type Row @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! }
    type Query { rows(id: ID!): [Row] @gather(as: LIST) @route(argument: "id") }
    """)
    )
    assert found.code == "PARTITION_FIELD_AMBIGUOUS"
