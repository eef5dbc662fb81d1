from __future__ import annotations

from tests.gateway.composition.composing import error, group


def test_a_group_has_no_one_stream() -> None:
    found = error(
        a=group("""
    type Query { n: [Int] @gather(as: LIST) }
    type Subscription { changed: Int }
    """)
    )
    assert found.code == "PARTITION_SUBSCRIPTION"
