from __future__ import annotations

from tests.gateway.composition.composing import error, group


def test_a_key_that_the_type_does_not_have() -> None:
    found = error(
        a=group("""
    type Query { rows: [Row] @gather(as: LIST) }
    type Row @key(fields: "id") @partitioned(key: "code", segment: 1) { id: ID! code: ID }
    """)
    )
    assert found.code == "PARTITION_KEY_UNKNOWN"
