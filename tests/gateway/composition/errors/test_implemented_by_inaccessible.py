from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_an_interface_promises_the_field() -> None:
    found = error(
        a="type Query { i: I } interface I { x: Int } type T implements I { x: Int @inaccessible y: Int }",
    )
    assert found.code == "IMPLEMENTED_BY_INACCESSIBLE"


def test_hidden_in_both() -> None:
    assert not errors(
        a="type Query { i: I } interface I { x: Int @inaccessible y: Int } type T implements I { x: Int @inaccessible y: Int }",
    )
