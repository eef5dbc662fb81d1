from __future__ import annotations

from tests.gateway.composition.composing import codes, error


def test_a_syntax_error_names_its_subgraph_and_line() -> None:
    found = error(a="type Query { a: ", b="type Query { b: Int }")
    assert found.code == "INVALID_GRAPHQL"
    assert found.subgraphs == ("a",)
    assert "Syntax Error" in found.message and "line 2" in found.message


def test_an_unknown_type() -> None:
    found = error(a="type Query {\n  a: Missing\n}")
    assert found.code == "INVALID_GRAPHQL"
    assert [str(at) for at in found.locations] == ["a:3:6"]


def test_a_directive_that_was_not_imported_is_told_with_the_remedy() -> None:
    found = error(a="type Query { a: Int @listsize }")
    assert found.code == "INVALID_GRAPHQL"
    assert "import it" in found.message


def test_an_unknown_argument_of_a_federation_directive() -> None:
    assert codes(a='type Query { p: P } type P @key(field: "id") { id: ID }') == {"INVALID_GRAPHQL"}


def test_operations_are_no_schema() -> None:
    assert error(a="query { a }").code == "INVALID_GRAPHQL"


def test_a_type_that_does_not_implement_its_interface() -> None:
    assert (
        error(a="type Query { i: I } interface I { x: Int } type T implements I { y: Int }").code == "INVALID_GRAPHQL"
    )
