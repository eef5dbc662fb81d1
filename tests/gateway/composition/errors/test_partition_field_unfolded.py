from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_a_field_of_a_gathered_object_that_says_nothing() -> None:
    found = error(
        a=group("""
    type Query { total: Total @gather(as: FOLD) }
    type Total { n: Int @fold(with: SUM) m: Int }
    """)
    )
    assert found.code == "PARTITION_FIELD_UNFOLDED"
    assert "Total.m" in found.message


def test_folded_or_gathered() -> None:
    assert not errors(
        a=group("""
    type Query { total: Total @gather(as: FOLD) }
    type Total { n: Int @fold(with: SUM) parts: [Int] @gather(as: LIST) }
    """)
    )
