from __future__ import annotations

from tests.gateway.composition.composing import error


def test_nothing_in_common() -> None:
    found = error(
        a="type Query { f(i: I): Int } input I { x: Int }",
        b="input I { y: Int }",
    )
    assert found.code == "EMPTY_MERGED_INPUT_TYPE"
