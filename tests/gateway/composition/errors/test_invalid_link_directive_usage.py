from __future__ import annotations

from tests.gateway.composition.composing import error


def link(arguments: str) -> str:
    return f"extend schema @link({arguments}) type Query {{ a: Int }}"


def test_an_import_that_the_specification_does_not_have() -> None:
    found = error(a=link('url: "https://specs.apollo.dev/federation/v2.9", import: ["@keys"]'))
    assert found.code == "INVALID_LINK_DIRECTIVE_USAGE"
    assert "@keys" in found.message and found.subgraphs == ("a",)


def test_a_directive_newer_than_the_linked_version() -> None:
    found = error(a=link('url: "https://specs.apollo.dev/federation/v2.0", import: ["@interfaceObject"]'))
    assert found.code == "INVALID_LINK_DIRECTIVE_USAGE"


def test_a_directive_cannot_be_imported_as_a_type() -> None:
    found = error(a=link('url: "https://specs.apollo.dev/federation/v2.9", import: [{name: "@key", as: "primary"}]'))
    assert found.code == "INVALID_LINK_DIRECTIVE_USAGE"


def test_a_link_without_a_url() -> None:
    assert error(a=link('as: "fed"')).code == "INVALID_LINK_DIRECTIVE_USAGE"
