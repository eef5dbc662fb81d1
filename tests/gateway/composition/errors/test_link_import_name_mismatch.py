from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def subgraph(imported: str, field: str) -> str:
    return f"""
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable", {imported}])
    type Query {{ {field} }}
    """


RENAMED = '{name: "@tag", as: "@label"}'


def test_one_directive_under_two_names() -> None:
    found = error(
        a=subgraph('"@tag"', 'a: Int @tag(name: "x")'),
        b=subgraph(RENAMED, 'b: Int @label(name: "x")'),
    )
    assert found.code == "LINK_IMPORT_NAME_MISMATCH"
    assert '"@label" in b but "@tag" in a' in found.message
    assert found.subgraphs == ("a", "b")


def test_a_name_that_is_not_used_harms_nobody() -> None:
    assert not errors(a=subgraph('"@tag"', 'a: Int @tag(name: "x")'), b=subgraph(RENAMED, "b: Int"))


def test_directives_that_stay_in_their_subgraph_may_differ() -> None:
    assert not errors(
        a=subgraph('"@tag"', "a: Int @shareable"),
        b='extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { a: Int @federation__shareable }',
    )
