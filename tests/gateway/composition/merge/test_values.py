"""Arguments and input fields by intersection, enums by use, and what stands beside types: descriptions and marks."""

from __future__ import annotations

import pytest
from graphql import GraphQLEnumType

from tests.gateway.composition.composing import codes, composed, supergraph


def test_only_arguments_that_all_know_remain() -> None:
    found = supergraph(
        a="type Query { f(x: Int!, y: Int): Int @shareable }", b="type Query { f(x: Int): Int @shareable }"
    )
    arguments = found.schema.type_map["Query"].fields["f"].args
    assert {name: str(argument.type) for name, argument in arguments.items()} == {"x": "Int!"}


def test_only_input_fields_that_all_know_remain() -> None:
    found = supergraph(a="type Query { f(i: I): Int } input I { x: Int y: Int }", b="input I { x: Int! z: Int }")
    assert {name: str(one.type) for name, one in found.schema.type_map["I"].fields.items()} == {"x": "Int!"}


def test_a_default_holds_if_all_have_it() -> None:
    found = supergraph(
        a='type Query { f(x: [String] = ["a", "b"], y: Int = 1): Int @shareable }',
        b='type Query { f(x: [String] = ["a", "b"], y: Int): Int @shareable }',
    )
    arguments = found.schema.type_map["Query"].fields["f"].args
    assert arguments["x"].default_value == ["a", "b"]
    assert arguments["y"].ast_node.default_value is None


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("f: E", {"X", "Y", "Z"}),
        ("f(e: E): Int", {"X"}),
        ("f(i: I): Int } input I { e: E", {"X"}),
        ("f: Int", {"X", "Y", "Z"}),
    ],
)
def test_an_enum_by_its_use(use: str, expected: set[str]) -> None:
    found = supergraph(a=f"type Query {{ {use} }} enum E {{ X Y }}", b="enum E { X Z } type T { n: Int }")
    enum = found.schema.type_map["E"]
    assert isinstance(enum, GraphQLEnumType) and set(enum.values) == expected


def test_members_of_unions_are_told_by_graph() -> None:
    found = supergraph(
        a="type Query { u: U } union U = S | T type S @shareable { n: Int } type T { n: Int }",
        b="union U = S type S @shareable { n: Int }",
    )
    assert found.union_members["U"] == {"A": frozenset({"S", "T"}), "B": frozenset({"S"})}


def test_the_description_that_most_subgraphs_give() -> None:
    found = supergraph(
        a='"One." type V @shareable { n: Int } type Query { v: V }',
        b='"Two." type V @shareable { n: Int }',
        c='"Two." type V @shareable { "How many." n: Int }',
    )
    assert found.schema.type_map["V"].description == "Two."
    assert found.schema.type_map["V"].fields["n"].description == "How many."


def test_marks_made_anywhere_hold_in_the_supergraph() -> None:
    found = supergraph(
        a='type Query @shareable { a: Int b: Int @tag(name: "x") c: Int }',
        b='type Query @shareable { a: Int @inaccessible b: Int @tag(name: "y") c: Int @deprecated(reason: "old") }',
    )
    query = found.api_schema.query_type
    assert query is not None and set(query.fields) == {"b", "c"}
    assert query.fields["c"].deprecation_reason == "old"
    sdl = composed(a='type Query { b: Int @tag(name: "x") }').supergraph_sdl
    assert sdl is not None and 'b: Int @tag(name: "x")' in sdl and "specs.apollo.dev/tag/v0.3" in sdl


def test_executable_directives_that_all_define_alike() -> None:
    shout = "directive @shout(n: Int) on FIELD "
    found = supergraph(a=shout + "type Query { a: Int }", b=shout + "type T { n: Int }")
    assert found.api_schema.get_directive("shout") is not None
    result = composed(a=shout + "type Query { a: Int }", b="type T { n: Int }")
    assert result.supergraph_sdl is not None and "@shout" not in result.supergraph_sdl
    assert [hint.code for hint in result.hints] == ["INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE"]


def test_scalars_say_what_specifies_them() -> None:
    found = supergraph(a='type Query { d: D } scalar D @specifiedBy(url: "https://example.com/d")')
    assert found.schema.type_map["D"].specified_by_url == "https://example.com/d"


def test_what_nobody_can_send_needs_no_agreement() -> None:
    """An inaccessible input field or value that only one subgraph knows stays, for that subgraph's own sake."""
    found = supergraph(
        a="type Query { f(i: I): Int @shareable } input I { x: Int h: Int @inaccessible e: E } enum E { X H @inaccessible }",
        b="type Query { f(i: I): Int @shareable } input I { x: Int e: E } enum E { X }",
    )
    assert set(found.schema.type_map["I"].fields) == {"x", "h", "e"}
    assert set(found.api_schema.type_map["I"].fields) == {"x", "e"}
    assert [join.graph for join in found.field_joins["I", "h"]] == ["A"]
    assert found.enum_values["E"] == {"A": frozenset({"X", "H"}), "B": frozenset({"X"})}


def test_subgraphs_must_agree_on_an_input_field_that_is_left_out() -> None:
    query = "type Query { f(i: I): Int @shareable } "
    found = codes(
        a=query + "input I { x: Int y: Int }", b=query + "input I { x: Int y: String }", c=query + "input I { x: Int }"
    )
    assert found == {"FIELD_TYPE_MISMATCH"}


def test_the_enum_of_an_input_field_that_is_left_out_goes_in_nevertheless() -> None:
    query = "type Query { f(i: I): E @shareable } "
    found = codes(
        a=query + "input I { x: Int e: E } enum E { X Y }",
        b=query + "input I { x: Int } enum E { X }",
    )
    assert found == {"ENUM_VALUE_MISMATCH"}


def test_all_that_is_wrong_with_one_field_is_told() -> None:
    found = codes(
        a="type Query { f(x: Int = 1, y: Int): Int @shareable }",
        b='type Query { f(x: String = "1", y: String): String @shareable }',
    )
    assert found == {"FIELD_TYPE_MISMATCH", "FIELD_ARGUMENT_TYPE_MISMATCH", "FIELD_ARGUMENT_DEFAULT_MISMATCH"}
