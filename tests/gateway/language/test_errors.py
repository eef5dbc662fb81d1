from __future__ import annotations

from graphql import GraphQLError, GraphQLSyntaxError, parse

from gateway.language.errors import Code, GatewayError, GatewayException, RequestRefused


def test_an_error_is_written_as_the_specification_has_it() -> None:
    error = GatewayError("BROKEN", "It broke.", path=("a", 0, "b"), extensions={"service": "x"})
    assert error.to_json() == {
        "message": "It broke.",
        "path": ["a", 0, "b"],
        "extensions": {"service": "x", "code": "BROKEN"},
    }


def test_what_is_not_known_is_left_out() -> None:
    assert GatewayError("BROKEN", "It broke.").to_json() == {"message": "It broke.", "extensions": {"code": "BROKEN"}}


def test_locations_come_over_from_graphql() -> None:
    try:
        parse("{\n  a(")
    except GraphQLSyntaxError as found:
        error = GatewayError.from_graphql(found, Code.GRAPHQL_PARSE_FAILED)
    assert error.to_json()["locations"] == [{"line": 2, "column": 5}]
    assert error.code == "GRAPHQL_PARSE_FAILED"


def test_an_errors_own_code_stays() -> None:
    found = GraphQLError("No.", extensions={"code": "FORBIDDEN", "why": "role"})
    assert GatewayError.from_graphql(found, "OTHER") == GatewayError("FORBIDDEN", "No.", extensions={"why": "role"})


def test_an_exception_carries_its_errors() -> None:
    refused = RequestRefused([GatewayError("A", "one"), GatewayError("B", "two")])
    assert isinstance(refused, GatewayException)
    assert [error.code for error in refused.errors] == ["A", "B"]
    assert str(refused) == "A: one; B: two"
