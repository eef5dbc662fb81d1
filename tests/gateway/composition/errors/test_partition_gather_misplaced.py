from __future__ import annotations

from tests.gateway.composition.composing import error, group


def test_a_row_answers_alone() -> None:
    found = error(
        a=group("""
    type Query { rows: [Row] @gather(as: LIST) }
    type Row @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! parts: [Int] @gather(as: LIST) }
    """)
    )
    assert found.code == "PARTITION_GATHER_MISPLACED"
