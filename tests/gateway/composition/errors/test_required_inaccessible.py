from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_nobody_could_send_it() -> None:
    found = error(a="type Query { f(x: Int! @inaccessible): Int }")
    assert found.code == "REQUIRED_INACCESSIBLE"


def test_with_a_default_nobody_must() -> None:
    assert not errors(a="type Query { f(x: Int! = 1 @inaccessible): Int }")
