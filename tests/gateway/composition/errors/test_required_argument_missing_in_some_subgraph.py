from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_one_needs_what_another_does_not_know() -> None:
    found = error(
        a="type Query { f(x: Int!): Int @shareable }",
        b="type Query { f: Int @shareable }",
    )
    assert found.code == "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"


def test_an_optional_argument_is_left_out() -> None:
    assert not errors(
        a="type Query { f(x: Int): Int @shareable }",
        b="type Query { f: Int @shareable }",
    )
