"""The client's shape: aliases, conditions, leaf values, null propagation as the GraphQL specification has it."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.execution.completers import Notes
from gateway.execution.project import client_path, compile_projection, condition_variables
from gateway.language.errors import Code, GatewayError
from gateway.plan.nodes import OutputField, OutputSelection

SCHEMA = build_schema(
    """
    enum Mood { GLAD SAD }
    interface Thing { id: ID! name: String }
    type Book implements Thing { id: ID! name: String pages: Int mood: Mood more: Book tags: [String!] strict: [Book!]! }
    type Lamp implements Thing { id: ID! name: String watts: Float! }
    type Query { things: [Thing] must: Thing! book: Book }
    """
)
KINDS = ("Book", "Lamp")


def leaf(key: str, type_: str, **more: Any) -> OutputField:
    return OutputField(key, more.pop("source", key), type_, **more)


def below(key: str, type_: str, *fields: OutputField, **more: Any) -> OutputField:
    return OutputField(key, more.pop("source", key), type_, selection=OutputSelection(fields), **more)


def shape(
    *fields: OutputField, data: dict[str, Any], variables: dict[str, bool] | None = None, known: Any = ()
) -> tuple[Any, list[GatewayError]]:
    assert isinstance(SCHEMA.query_type, GraphQLObjectType)
    notes = Notes(known)
    project = compile_projection(OutputSelection(fields), SCHEMA, SCHEMA.query_type, variables or {})
    return project(data, notes), notes.errors


def test_aliases_and_material_that_was_not_asked_for() -> None:
    fields = below("b", "Book", leaf("n", "String", source="_g1_name"), source="book")
    assert shape(fields, data={"book": {"_g1_name": "x", "id": "1"}}) == ({"b": {"n": "x"}}, [])


def test_keys_stand_in_the_order_of_the_selection_and_missing_data_is_null() -> None:
    result, errors = shape(below("book", "Book", leaf("pages", "Int"), leaf("name", "String")), data={"book": {}})
    assert list(result["book"].items()) == [("pages", None), ("name", None)]
    assert errors == []


def test_fields_of_one_type_only() -> None:
    fields = below(
        "things",
        "[Thing]",
        leaf("kind", "String!", meta="__typename"),
        leaf("watts", "Float!", types=frozenset({"Lamp"})),
        leaf("pages", "Int", types=frozenset({"Book"})),
    )
    data = {"things": [{"__typename": "Lamp", "watts": 4}, {"__typename": "Book", "pages": 9, "watts": 1}, None]}
    shaped, errors = shape(fields, data=data)
    assert shaped == {"things": [{"kind": "Lamp", "watts": 4}, {"kind": "Book", "pages": 9}, None]}
    assert errors == []


def test_an_object_of_a_type_that_clients_do_not_see_is_null() -> None:
    shaped, errors = shape(
        below("things", "[Thing]", leaf("id", "ID!")), data={"things": [{"__typename": "Secret", "id": "1"}]}
    )
    assert shaped == {"things": [None]}
    assert [error.path for error in errors] == [("things", 0)]
    assert "Secret" not in errors[0].message


def test_an_object_whose_real_type_nobody_needed() -> None:
    fields = below("things", "[Thing]", leaf("id", "ID!"), leaf("pages", "Int", types=frozenset({"Book"})))
    assert shape(fields, data={"things": [{"id": "1"}, {"__typename": "Thing", "id": "2"}]})[0] == {
        "things": [{"id": "1"}, {"id": "2"}]
    }


def test_an_object_whose_real_type_is_lost_keeps_no_promise() -> None:
    fields = below("things", "[Thing]", leaf("id", "ID!"), leaf("watts", "Float!", types=frozenset({"Lamp"})))
    shaped, errors = shape(fields, data={"things": [{"__typename": "Thing", "id": "1"}]})
    assert shaped == {"things": [None]}
    assert [(error.code, error.path) for error in errors] == [(Code.SUBGRAPH_BAD_RESPONSE, ("things", 0))]


def test_a_real_type_that_is_asked_for_type_by_type_and_lost_costs_the_object() -> None:
    """However its name was asked for: of all types at once, or of each by itself."""
    kinds = [leaf("kind", "String!", source="__typename", meta="__typename", types=frozenset({one})) for one in KINDS]
    shaped, errors = shape(below("things", "[Thing]", *kinds), data={"things": [{"__typename": None}, {}]})
    assert shaped == {"things": [None, None]}
    assert [error.path for error in errors] == [("things", 0, "kind"), ("things", 1, "kind")]


def test_types_that_promise_more_than_their_interface() -> None:
    name = (
        leaf("name", "String", types=frozenset({"Book"})),
        leaf("name", "String!", types=frozenset({"Lamp"})),
    )
    fields = below("things", "[Thing]", *name)
    known = [{"__typename": "Book", "name": None}, {"__typename": "Lamp", "name": None}]
    assert shape(fields, data={"things": [*known, {"name": None}]})[0] == {
        "things": [{"name": None}, None, {"name": None}]
    }


@pytest.mark.parametrize(("flag", "expected"), [(True, {"book": {"name": "x"}}), (False, {"book": {}})])
def test_conditions(flag: bool, expected: Any) -> None:
    fields = below("book", "Book", leaf("name", "String", conditions=(("with", True),)))
    assert condition_variables(OutputSelection((fields,))) == ("with",)
    assert shape(fields, data={"book": {"name": "x"}}, variables={"with": flag})[0] == expected


def test_one_key_selected_twice_is_merged() -> None:
    fields = (
        below("book", "Book", leaf("name", "String")),
        below("book", "Book", leaf("pages", "Int"), conditions=(("with", True),)),
    )
    data = {"book": {"name": "x", "pages": 1}}
    assert shape(*fields, data=data, variables={"with": True})[0] == {"book": {"name": "x", "pages": 1}}
    assert shape(*fields, data=data, variables={"with": False})[0] == {"book": {"name": "x"}}


# Null propagation


def test_a_null_goes_up_to_the_nearest_field_that_may_be_null() -> None:
    fields = below("book", "Book", below("strict", "[Book!]!", leaf("id", "ID!")), leaf("name", "String"))
    shaped, errors = shape(fields, data={"book": {"name": "x", "strict": [{"id": "1"}, {"id": None}]}})
    assert shaped == {"book": None}
    assert [(error.code, error.path) for error in errors] == [
        (Code.NULL_IN_NON_NULL_FIELD, ("book", "strict", 1, "id"))
    ]


def test_a_null_in_a_root_field_that_must_not_be_null_makes_data_null() -> None:
    shaped, errors = shape(below("must", "Thing!", leaf("id", "ID!")), data={"must": None})
    assert shaped is None
    assert errors[0].path == ("must",)


def test_a_null_in_a_list_of_nullable_items_stays_there() -> None:
    fields = below("things", "[Thing]", leaf("id", "ID!"))
    data = {"things": [{"__typename": "Book", "id": "1"}, {"__typename": "Book", "id": None}]}
    shaped, errors = shape(fields, data=data)
    assert shaped == {"things": [{"id": "1"}, None]}
    assert errors[0].path == ("things", 1, "id")


@pytest.mark.parametrize("path", [("book",), ("book", "strict"), ("book", "strict", 1, "id"), ("book", "strict", 1)])
def test_a_null_whose_reason_is_told_is_not_told_again(path: tuple[str | int, ...]) -> None:
    fields = below("book", "Book", below("strict", "[Book!]!", leaf("id", "ID!")))
    known = [GatewayError("SUBGRAPH_TIMEOUT", "late", path)]
    shaped, errors = shape(fields, data={"book": {"strict": [{"id": "1"}, {}]}}, known=known)
    assert shaped == {"book": None}
    assert errors == []


def test_an_error_elsewhere_does_not_cover_a_null() -> None:
    fields = below("book", "Book", leaf("id", "ID!"))
    known = [GatewayError("SUBGRAPH_TIMEOUT", "late", ("things",))]
    assert len(shape(fields, data={"book": {}}, known=known)[1]) == 1


# Values


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("Int", 5, 5),
        ("Int", 5.0, 5),
        ("Int", "5", None),
        ("Int", True, None),
        ("Int", 5.5, None),
        ("Int", 2**31 - 1, 2**31 - 1),
        ("Int", -(2**31), -(2**31)),
        ("Int", 2**31, None),
        ("Int", -1e10, None),
        ("Float", 5, 5),
        ("Float", "x", None),
        ("String", "x", "x"),
        ("String", 5, None),
        ("String", {"a": 1}, None),
        ("Boolean", True, True),
        ("Boolean", 1, None),
        ("ID", 7, "7"),
        ("ID", "a", "a"),
        ("ID", [], None),
        ("Mood", "GLAD", "GLAD"),
        ("Mood", "SECRET", None),
        ("Mood", 3, None),
        ("[String!]", ["a"], ["a"]),
        ("[String!]", "a", None),
        ("[String!]", ["a", 3], None),
        ("Book", "text", None),
        ("Book", [], None),
    ],
)
def test_leaf_values_are_held_to_their_type(type_: str, value: Any, expected: Any) -> None:
    field = below("name", type_, leaf("id", "ID!")) if type_ == "Book" else leaf("name", type_)
    shaped, errors = shape(below("book", "Book", field), data={"book": {"name": value}})
    assert shaped == {"book": {"name": expected}}
    assert [error.path[:2] for error in errors if error.path] == ([("book", "name")] if expected is None else [])
    assert all("SECRET" not in error.message for error in errors)


def test_paths_of_the_data_in_the_clients_keys() -> None:
    output = OutputSelection((below("b", "Book", leaf("n", "String", source="_g1_name"), source="book"),))
    assert client_path(output, ("book", "_g1_name")) == ("b", "n")
    assert client_path(output, ("book", "_gedges", 3)) == ("b",)
    assert client_path(output, ("other",)) == ()


# The oracle: graphql-core completing the same data

VALUES: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        st.none()
        | st.fixed_dictionaries(
            {
                "id": st.none() | st.just("1"),
                "name": st.none() | st.just("n"),
                "pages": st.none() | st.just(3),
                "tags": st.none() | st.lists(st.none() | st.just("t"), max_size=2),
                "more": VALUES,
                "strict": st.none() | st.lists(VALUES, max_size=2),
            }
        )
    )
)
INNER = (leaf("id", "ID!"), leaf("pages", "Int"), leaf("tags", "[String!]"))
DEEP = below(
    "book",
    "Book",
    *INNER,
    below("more", "Book", *INNER, below("strict", "[Book!]!", *INNER)),
    below("strict", "[Book!]!", *INNER, below("more", "Book", *INNER)),
)
QUERY = """{ book { ...I more { ...I strict { ...I } } strict { ...I more { ...I } } } }
fragment I on Book { id pages tags }"""


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_null_propagation_equals_graphql_cores(book: Any) -> None:
    schema: GraphQLSchema = SCHEMA
    expected = execute(schema, parse(QUERY), {"book": book})
    shaped, errors = shape(DEEP, data={"book": book})
    assert shaped == expected.data  # type: ignore[union-attr]
    assert bool(errors) == bool(expected.errors)  # type: ignore[union-attr]
    assert {error.path for error in errors} <= {tuple(error.path or ()) for error in expected.errors or ()}  # type: ignore[union-attr]
