from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_api_needs_its_root() -> None:
    found = error(a="type Query @inaccessible { a: Int }")
    assert found.code == "QUERY_ROOT_TYPE_INACCESSIBLE"
