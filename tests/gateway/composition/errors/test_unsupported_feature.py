from __future__ import annotations

from tests.gateway.composition.composing import error, errors

_CONTEXT = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@context"])
type Query { a: A } type A @context(name: "c") { b: Int }
"""


def test_a_directive_that_is_not_carried_yet_is_refused_by_name() -> None:
    found = error(a=_CONTEXT)
    assert found.code == "UNSUPPORTED_FEATURE"
    assert "@context" in found.message
    assert [str(at) for at in found.locations] == ["a:3:28"]


def test_linking_alone_is_no_use() -> None:
    assert not errors(a="type Query { a: Int }")
