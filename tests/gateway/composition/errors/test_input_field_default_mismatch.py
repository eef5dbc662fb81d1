from __future__ import annotations

from tests.gateway.composition.composing import error


def test_two_defaults() -> None:
    found = error(
        a="type Query { f(i: I): Int } input I { x: Int = 1 }",
        b="input I { x: Int = 2 }",
    )
    assert found.code == "INPUT_FIELD_DEFAULT_MISMATCH"
