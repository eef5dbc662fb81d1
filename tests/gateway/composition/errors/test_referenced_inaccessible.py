from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_visible_field_of_a_hidden_type() -> None:
    found = error(a="type Query { a: Int t: T } type T @inaccessible { x: Int }")
    assert found.code == "REFERENCED_INACCESSIBLE"
    assert '"Query.t"' in found.message


def test_hide_the_field_too() -> None:
    assert not errors(
        a="type Query { a: Int t: T @inaccessible } type T @inaccessible { x: Int }",
    )
