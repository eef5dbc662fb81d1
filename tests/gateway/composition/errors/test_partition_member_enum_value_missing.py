from __future__ import annotations

import pytest

from tests.gateway.composition.composing import hint, member

CONTRACT = """
type Query { a(order: By): Both @gather(as: ONE) b(x: I): Out @gather(as: ONE) }
enum By { NAME PRICE }
enum Both { A B }
enum Out { A B }
input I { both: [Both!] }
"""


@pytest.mark.parametrize(("enum", "value"), [("By", "PRICE"), ("Both", "B")])
def test_a_value_that_may_be_given(enum: str, value: str) -> None:
    start = CONTRACT.index(f"enum {enum}")
    published = CONTRACT[:start] + CONTRACT[start:].replace(f" {value} ", " ", 1)
    assert hint(CONTRACT, published) == ("PARTITION_MEMBER_ENUM_VALUE_MISSING", f"{enum}.{value}")
    assert member(CONTRACT, published).lacks == {f"{enum}.{value}"}


def test_a_value_that_only_comes_out_is_no_loss() -> None:
    assert member(CONTRACT, CONTRACT.replace("enum Out { A B }", "enum Out { A }")).findings == ()
