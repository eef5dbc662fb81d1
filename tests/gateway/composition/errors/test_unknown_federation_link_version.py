from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_version_from_the_future() -> None:
    found = error(
        a="""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.99", import: ["@key"])
type Query { a: Int }
        """,
    )
    assert found.code == "UNKNOWN_FEDERATION_LINK_VERSION"
    assert found.locations[0].line == 2


def test_the_oldest_version_composes() -> None:
    assert not errors(
        a="""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
type Query { a: Int }
        """,
    )
