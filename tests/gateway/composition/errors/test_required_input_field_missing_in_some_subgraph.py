from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_one_needs_what_another_does_not_know() -> None:
    found = error(
        a="type Query { f(i: I): Int } input I { x: Int y: Int! }",
        b="input I { x: Int }",
    )
    assert found.code == "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH"


def test_a_field_with_a_default_is_left_out() -> None:
    assert not errors(
        a="type Query { f(i: I): Int } input I { x: Int y: Int! = 1 }",
        b="input I { x: Int }",
    )
