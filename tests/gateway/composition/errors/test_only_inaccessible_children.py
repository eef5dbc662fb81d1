from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_type_with_nothing_to_see() -> None:
    found = error(a="type Query { a: Int t: T } type T { x: Int @inaccessible }")
    assert found.code == "ONLY_INACCESSIBLE_CHILDREN"
    assert found.locations


def test_hide_the_type_instead() -> None:
    assert not errors(
        a="type Query { a: Int t: T @inaccessible } type T @inaccessible { x: Int }",
    )
