from __future__ import annotations

from tests.gateway.composition.composing import error


def test_nothing_to_ask() -> None:
    found = error(a="type T { x: Int }")
    assert found.code == "NO_QUERIES"
    assert found.subgraphs == ("a",)
