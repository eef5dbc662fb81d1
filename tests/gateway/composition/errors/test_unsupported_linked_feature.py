from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_connectors_would_be_lost() -> None:
    found = error(
        a="""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") @link(url: "https://specs.apollo.dev/connect/v0.1")
type Query { a: Int }
        """,
    )
    assert found.code == "UNSUPPORTED_LINKED_FEATURE"


def test_a_specification_of_ones_own_only_annotates() -> None:
    assert not errors(
        a="""
extend schema @link(url: "https://example.com/notes/v1.0", import: ["@note"])
directive @note on OBJECT
type Query @note { a: Int }
        """,
    )
