from __future__ import annotations

import pytest

from tests.gateway.composition.composing import fault, hint, member

CONTRACT = "type Query { a(x: Int, y: Int! = 2): Int @gather(as: ONE) b(x: Int!): Int @gather(as: ONE) }"


@pytest.mark.parametrize(("argument", "name"), [("x: Int, ", "x"), (", y: Int! = 2", "y")])
def test_an_optional_argument(argument: str, name: str) -> None:
    published = CONTRACT.replace(argument, "")
    assert hint(CONTRACT, published) == ("PARTITION_MEMBER_ARGUMENT_MISSING", f"Query.a({name}:)")
    assert member(CONTRACT, published).lacks == {f"Query.a({name}:)"}


def test_an_argument_that_is_always_given() -> None:
    assert fault(CONTRACT, CONTRACT.replace("b(x: Int!)", "b")) == ("PARTITION_MEMBER_ARGUMENT_MISSING", "Query.b(x:)")
