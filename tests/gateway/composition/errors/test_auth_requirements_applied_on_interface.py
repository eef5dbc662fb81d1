from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy"])\n'
)


@pytest.mark.parametrize(
    "demand", ["@authenticated", '@requiresScopes(scopes: [["read"]])', '@policy(policies: [["own"]])']
)
def test_a_demand_that_its_implementations_would_walk_round(demand: str) -> None:
    for interface in (f"interface I {demand} {{ x: Int }}", f"interface I {{ x: Int {demand} }}"):
        found = error(a=LINK + f"type Query {{ i: I }} {interface} type T implements I {{ x: Int }}")
        assert found.code == "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"


def test_an_interface_object_is_an_interface() -> None:
    found = error(
        a=LINK
        + 'type Query { i: I } interface I @key(fields: "id") { id: ID } type T implements I @key(fields: "id") { id: ID }',
        b=LINK + 'type I @key(fields: "id") @interfaceObject { id: ID y: Int @authenticated }',
    )
    assert found.code == "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"
    assert found.subgraphs == ("b",)


def test_on_implementations_it_is_right() -> None:
    assert not errors(
        a=LINK + "type Query { i: I } interface I { x: Int } type T implements I @authenticated { x: Int }"
    )
