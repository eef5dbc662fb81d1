from __future__ import annotations

from tests.gateway.composition.composing import error, group


def test_a_fold_where_nothing_is_gathered() -> None:
    found = error(
        a=group("""
    type Row @key(fields: "id") @partitioned(key: "id", segment: 1) { id: ID! n: Int @fold(with: SUM) }
    type Query { rows: [Row] @gather(as: LIST) }
    """)
    )
    assert found.code == "PARTITION_FOLD_MISPLACED"
