from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_two_defaults() -> None:
    found = error(
        a="type Query { f(x: Int = 1): Int @shareable }",
        b="type Query { f(x: Int = 2): Int @shareable }",
    )
    assert found.code == "FIELD_ARGUMENT_DEFAULT_MISMATCH"


def test_one_default_is_left_out_with_a_hint() -> None:
    assert not errors(
        a="type Query { f(x: Int = 1): Int @shareable }",
        b="type Query { f(x: Int): Int @shareable }",
    )
