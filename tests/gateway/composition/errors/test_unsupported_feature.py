from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_directive_that_is_not_carried_yet_is_refused_by_name() -> None:
    found = error(a="type Query { a: Int @authenticated }")
    assert found.code == "UNSUPPORTED_FEATURE"
    assert "@authenticated" in found.message
    assert [str(at) for at in found.locations] == ["a:2:21"]


def test_compose_directive_too() -> None:
    found = error(
        a="""
        extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"])
          @link(url: "https://example.com/mine/v1.0", import: ["@mine"])
          @composeDirective(name: "@mine")
        directive @mine on FIELD_DEFINITION
        type Query { a: Int @mine }
        """
    )
    assert found.code == "UNSUPPORTED_FEATURE"


def test_linking_alone_is_no_use() -> None:
    assert not errors(a="type Query { a: Int }")
