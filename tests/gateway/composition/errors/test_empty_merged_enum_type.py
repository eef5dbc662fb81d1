from __future__ import annotations

from tests.gateway.composition.composing import error


def test_nothing_in_common() -> None:
    found = error(
        a="type Query { f(e: E): Int } enum E { X }",
        b="enum E { Y }",
    )
    assert found.code == "EMPTY_MERGED_ENUM_TYPE"
