from __future__ import annotations

import pytest

from tests.gateway.composition.composing import CONTEXTS, codes, errors

TYPES = """
type Query { t: T s: S o: O }
type T @context(name: "t") @context(name: "both") { x: Int y: String! n: Int! z(q: Int!): Int u: U o: O os: [O!] }
type S @context(name: "both") { x: Int! y: Int u: U }
interface I @context(name: "some") { y: Int u: U }
type A implements I { y: Int u: U }
type O { name: String! maybe: String }
type J @key(fields: "id") @interfaceObject @context(name: "object") { id: ID! x: Int }
"""
INTERFACE = 'type Query { j: J } interface J @key(fields: "id") { id: ID! u: U } type K implements J @key(fields: "id") { id: ID! u: U } type U @key(fields: "id") { id: ID! }'


def subgraph(field: str, type_: str) -> str:
    taking = f'type U @key(fields: "id") {{ id: ID! f(a: {type_} @fromContext(field: "{field}")): Int }}'
    return CONTEXTS + TYPES + taking


@pytest.mark.parametrize(
    ("field", "type_"),
    [
        ("$t { x n }", "Int"),
        ("$t { one: x }", "Int"),
        ("$t { x @skip(if: true) }", "Int"),
        ("$t { ...F }", "Int"),
        ("$t { unknown }", "Int"),
        ("$t { o }", "Int"),
        ("$t { x { y } }", "Int"),
        ("$t { y }", "Int"),
        ("$t { x }", "Int!"),
        ("$t { n }", "Int!"),
        ("$t { o { name } }", "String!"),
        ("$t { os { name } }", "String"),
        ("$t { os { name } }", "[String!]"),
        ("$both { y }", "String"),
        ("$both ... on T { x }", "Int"),
        ("$both ... on T { x } ... on S { x } ... on O { name }", "Int"),
        ("$both ... on T { x } ... on T { n } ... on S { x }", "Int"),
        ("$both ... on T { x } x", "Int"),
        ("$some ... on I { y }", "Int"),
        ("$object { x }", "Int"),
    ],
)
def test_not_one_leaf_of_each_type_that_suits_the_argument(field: str, type_: str) -> None:
    assert codes(a=subgraph(field, type_), b=CONTEXTS + INTERFACE) == {"CONTEXT_INVALID_SELECTION"}


@pytest.mark.parametrize("field", ["$t { x", "$t { }"])
def test_no_selection(field: str) -> None:
    assert codes(a=subgraph(field, "Int"), b=CONTEXTS + INTERFACE) == {"CONTEXT_INVALID_SELECTION"}


@pytest.mark.parametrize(
    ("field", "type_"),
    [
        ("$t { o { ... on O { name } } }", "String"),
        ("$t { z }", "Int"),
        ("$t { o { name maybe } }", "String"),
        ("$both ... on T { x n } ... on S { x }", "Int"),
    ],
)
def test_nothing_but_one_leaf_further_down_either(field: str, type_: str) -> None:
    assert codes(a=subgraph(field, type_), b=CONTEXTS + INTERFACE) == {"CONTEXT_INVALID_SELECTION"}


def test_space_and_remarks_may_stand_anywhere() -> None:
    found = codes(a=subgraph(" $ t # a remark\\n , { n }", "Int"), b=CONTEXTS + INTERFACE)
    assert "CONTEXT_INVALID_SELECTION" not in found


@pytest.mark.parametrize(
    ("field", "type_"),
    [
        ("$t { x }", "Int"),
        ("$t x", "Int"),
        ("$t { z(q: 1) }", "Int"),
        ("$t { o { name } }", "String"),
        ("$t { os { name } }", "[String]"),
        ("$both { x }", "Int"),
        ("$both ... on T { n } ... on S { x }", "Int"),
        ("$some { y }", "Int"),
        ("$some ... on A { y }", "Int"),
    ],
)
def test_one_leaf_is_fine(field: str, type_: str) -> None:
    """Whether every object stands below such a context is another question (SATISFIABILITY_ERROR)."""
    found = errors(a=subgraph(field, type_), b=CONTEXTS + INTERFACE)
    assert {one.code for one in found} <= {"SATISFIABILITY_ERROR"}
