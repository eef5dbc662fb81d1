from __future__ import annotations

from tests.gateway.composition.composing import error


def test_what_every_api_has_cannot_be_hidden() -> None:
    found = error(a="type Query { a: Int }\nscalar String @inaccessible")
    assert found.code == "DISALLOWED_INACCESSIBLE"
    assert [str(one) for one in found.locations] == ["a:3:1"]
