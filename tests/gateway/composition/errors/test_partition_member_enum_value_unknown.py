from __future__ import annotations

from tests.gateway.composition.composing import hint, member


def test_a_value_that_the_member_may_give() -> None:
    contract = "type Query { a(by: By): Out @gather(as: ONE) } enum Out { A } enum By { NAME }"
    published = contract.replace("Out { A }", "Out { A NEW }").replace("By { NAME }", "By { NAME NEW }")
    assert hint(contract, published) == ("PARTITION_MEMBER_ENUM_VALUE_UNKNOWN", "Out.NEW")
    assert member(contract, published).lacks == set()
