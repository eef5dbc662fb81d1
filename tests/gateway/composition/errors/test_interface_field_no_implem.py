from __future__ import annotations

from tests.gateway.composition.composing import error


def test_an_implementation_elsewhere_lacks_the_field() -> None:
    found = error(
        a="type Query { i: I } interface I { x: Int y: Int } type A implements I { x: Int y: Int }",
        b="interface I { x: Int } type B implements I { x: Int }",
    )
    assert found.code == "INTERFACE_FIELD_NO_IMPLEM"
    assert 'type "B"' in found.message and '"I.y"' in found.message
