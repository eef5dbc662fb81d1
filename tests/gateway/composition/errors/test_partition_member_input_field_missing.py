from __future__ import annotations

import pytest

from tests.gateway.composition.composing import fault, hint, member

CONTRACT = "type Query { a(i: I): Int @gather(as: ONE) } input I { x: Int y: Int! z: Int! = 3 }"


@pytest.mark.parametrize(("written", "name"), [("x: Int", "x"), ("z: Int! = 3", "z")])
def test_an_optional_input_field(written: str, name: str) -> None:
    published = CONTRACT.replace(f" {written} ", " ")
    assert hint(CONTRACT, published) == ("PARTITION_MEMBER_INPUT_FIELD_MISSING", f"I.{name}")
    assert member(CONTRACT, published).lacks == {f"I.{name}"}


def test_an_input_field_that_is_always_given() -> None:
    assert fault(CONTRACT, CONTRACT.replace("y: Int!", "")) == ("PARTITION_MEMBER_INPUT_FIELD_MISSING", "I.y")
