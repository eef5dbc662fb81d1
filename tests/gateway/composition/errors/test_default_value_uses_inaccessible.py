from __future__ import annotations

from tests.gateway.composition.composing import error


def test_the_default_shows_what_is_hidden() -> None:
    found = error(a="type Query { f(e: E = Y): Int } enum E { X Y @inaccessible }")
    assert found.code == "DEFAULT_VALUE_USES_INACCESSIBLE"
