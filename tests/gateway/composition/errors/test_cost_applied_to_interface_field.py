from __future__ import annotations

from tests.gateway.composition.composing import error, errors

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost"])\n'


def test_an_interface_field_costs_what_its_implementations_say() -> None:
    found = error(a=LINK + "type Query { i: I } interface I { x: Int @cost(weight: 3) } type T implements I { x: Int }")
    assert found.code == "COST_APPLIED_TO_INTERFACE_FIELD"
    assert '"I.x"' in found.message


def test_on_the_implementation_it_is_right() -> None:
    assert not errors(
        a=LINK + "type Query { i: I } interface I { x: Int } type T implements I { x: Int @cost(weight: 3) }"
    )
