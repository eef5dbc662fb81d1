from __future__ import annotations

import pytest

from tests.gateway.composition.composing import fault, member

CONTRACT = "type Query { a(i: I): Int @gather(as: ONE) } input I { x: Int }"


@pytest.mark.parametrize(
    ("before", "now", "coordinate"),
    [("a(i: I)", "a(i: I, y: Int!)", "Query.a(y:)"), ("x: Int", "x: Int y: Int!", "I.y")],
)
def test_what_must_be_given_and_never_is(before: str, now: str, coordinate: str) -> None:
    assert fault(CONTRACT, CONTRACT.replace(before, now)) == ("PARTITION_MEMBER_INPUT_REQUIRED", coordinate)
    assert member(CONTRACT, CONTRACT.replace(before, now.replace("y: Int!", "y: Int! = 1"))).findings == ()
