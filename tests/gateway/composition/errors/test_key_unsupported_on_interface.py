from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_keys_on_interfaces_came_with_2_3() -> None:
    found = error(
        a="""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.2", import: ["@key"])
type Query { i: I }
interface I @key(fields: "id") { id: ID }
type T implements I @key(fields: "id") { id: ID }
        """,
    )
    assert found.code == "KEY_UNSUPPORTED_ON_INTERFACE"


def test_from_then_on_they_compose() -> None:
    assert not errors(
        a="""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { i: I }
interface I @key(fields: "id") { id: ID }
type T implements I @key(fields: "id") { id: ID }
        """,
    )
