"""The flat operation: what fragments and directives said stands on the fields, nothing else is left of them."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse, validate

from gateway.language.errors import Code, PlanningRefused
from gateway.planning.normalise import normalise
from gateway.query_graph.selection import Selected, TypeTable
from tests.gateway.planning.support.stages import flat

SDL = """
type Query { thing(no: Int, on: [Int!]): Thing things: [Thing!]! desk: Desk }
interface Thing { id: ID! next: Thing }
interface Named implements Thing { id: ID! next: Thing name: String }
type Desk implements Thing & Named { id: ID! next: Thing name: String drawers: Int }
type Car implements Thing & Named { id: ID! next: Thing name: String wheels: Int }
type Tree implements Thing { id: ID! next: Thing rings: Int }
"""


def fields(text: str) -> tuple[Selected, ...]:
    return flat(SDL, text)[0].selections.fields


def below(text: str) -> list[tuple[str, str, frozenset[str] | None]]:
    """Of the one root field: key, the type it was written on, the object types it applies to."""
    [one] = fields(text)
    assert one.children is not None
    return [(inner.key, inner.on, inner.types) for inner in one.children.fields]


# Fragments


def test_a_fragment_leaves_on_its_fields_the_types_they_apply_to() -> None:
    text = "{ thing { id ... on Desk { drawers } ...N } } fragment N on Named { name ... on Car { wheels } }"
    assert below(text) == [
        ("id", "Thing", None),
        ("drawers", "Desk", frozenset({"Desk"})),
        ("name", "Named", frozenset({"Desk", "Car"})),
        ("wheels", "Car", frozenset({"Car"})),
    ]


def test_a_fragment_that_restricts_nothing_leaves_nothing() -> None:
    assert below("{ desk { ... on Thing { id ... on Named { name } } ... { drawers } } }") == [
        ("id", "Desk", None),
        ("name", "Desk", None),
        ("drawers", "Desk", None),
    ]


def test_what_no_object_can_be_is_not_asked_for() -> None:
    assert below("{ thing { id ... on Named { ... on Thing { ... on Tree { rings } } } } }") == [("id", "Thing", None)]


def test_a_field_selected_twice_stands_twice_for_later_stages_to_see_in_which_order() -> None:
    assert [one.key for one in fields("{ a: things { id } b: things { id } a: things { next { id } } }")] == list("aba")


# Conditions


def test_constant_conditions_are_resolved() -> None:
    text = """{
      a: things @skip(if: true) { id } b: things @include(if: true) @skip(if: false) { id }
      ... @include(if: false) { c: things { id } }
    }"""
    [kept] = fields(text)
    assert (kept.key, kept.conditions) == ("b", ())


def test_conditions_of_variables_add_up_from_outside_in() -> None:
    text = """query($z: Boolean!, $a: Boolean!) {
      ... @include(if: $z) { ...F @skip(if: $a) }
    }
    fragment F on Query { things @include(if: $z) { id @include(if: $a) } }"""
    [one] = fields(text)
    assert one.conditions == (("a", False), ("z", True))
    assert one.children is not None
    assert one.children.fields[0].conditions == (("a", True),)


def test_conditions_that_contradict_each_other_leave_nothing() -> None:
    assert fields("query($a: Boolean!) { ... @include(if: $a) { things @skip(if: $a) { id } } }") == ()


# Arguments and variables


def test_equal_arguments_in_any_order_have_one_signature() -> None:
    one, other, third = fields(
        "query($n: Int!) { a: thing(no: $n, on: [1]) { id } b: thing(on: [1] no: $n) { id } c: thing { id } }"
    )
    assert one.signature == other.signature == "thing(no:$n,on:[1])"
    assert third.signature == "thing"
    assert one.variables == {"n"}


def test_variables_are_kept_as_text_in_the_clients_order() -> None:
    operation, _ = flat(SDL, "query($z: [Int!] = [1, 2], $a: Int) { thing(no: $a, on: $z) { id } }")
    assert list(operation.variables.items()) == [("z", "$z:[Int!]=[1,2]"), ("a", "$a:Int")]


def test_entity_fetches_get_a_variable_that_the_client_does_not_have() -> None:
    plain, _ = flat(SDL, "{ desk { id } }")
    taken, _ = flat(SDL, "query($representations: Int) { thing(no: $representations) { id } }")
    assert plain.variables_named_representations == "representations"
    assert taken.variables_named_representations not in taken.variables


# Which operation


def test_an_operation_is_chosen_by_its_name() -> None:
    document = "query A { desk { id } } query B { things { id } }"
    assert flat(SDL, document, "B")[0].selections.fields[0].key == "things"


@pytest.mark.parametrize(
    ("text", "name"), [("query A { desk { id } } query B { desk { id } }", None), ("query A { desk { id } }", "B")]
)
def test_without_exactly_one_operation_there_is_no_plan(text: str, name: str | None) -> None:
    with pytest.raises(PlanningRefused) as refused:
        flat(SDL, text, name)
    assert refused.value.errors[0].code == Code.OPERATION_RESOLUTION_FAILURE


def test_a_kind_of_operation_that_the_schema_lacks_is_refused() -> None:
    with pytest.raises(PlanningRefused) as refused:
        normalise(parse("mutation { x }"), None, TypeTable(build_schema(SDL)))
    assert refused.value.errors[0].code == Code.PLANNING_IMPOSSIBLE


# Introspection


def test_introspection_is_set_apart_and_stays_in_the_output() -> None:
    operation, _ = flat(SDL, "{ a: __schema { description } desk { id } __typename }")
    assert [one.key for one in operation.selections.fields] == ["desk", "__typename"]
    assert [one.key for one in operation.output.fields] == ["a", "desk", "__typename"]
    assert operation.introspection == "query{a:__schema{description}}"


def test_an_operation_without_introspection_has_none() -> None:
    assert flat(SDL, "{ desk { id __typename } }")[0].introspection is None


def test_introspection_brings_the_fragments_conditions_and_variables_that_it_uses_and_no_others() -> None:
    text = """query($n: String!, $name: Int, $deep: Boolean!, $on: Boolean!) {
      ... @include(if: $on) { __type(name: $n) { ...T } }
      thing(no: $name) { ...I }
    }
    fragment T on __Type { name ...D @include(if: $deep) }
    fragment D on __Type { description }
    fragment I on Thing { id }"""
    introspection = flat(SDL, text)[0].introspection
    assert introspection is not None
    document = parse(introspection)
    assert validate(build_schema(SDL), document) == []
    operation, *fragments = document.definitions
    assert [one.variable.name.value for one in operation.variable_definitions] == ["n", "deep", "on"]  # type: ignore[attr-defined]
    assert sorted(one.name.value for one in fragments) == ["D", "T"]  # type: ignore[attr-defined]
    assert "...@include(if:$on){__type(name:$n)" in introspection
