"""The shape of the answer: for any object and any values, one entry for each key, in the order in which it was asked."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.plan.nodes import OutputField, OutputSelection
from gateway.planning.output import shape_output
from gateway.planning.response import ResponseNode
from tests.gateway.planning.support.stages import flat

SDL = """
type Query { thing: Thing desk: Desk }
interface Thing { id: ID name: String next: Thing }
type Desk implements Thing { id: ID! name: String next: Thing drawers: Int size: Int }
type Car implements Thing { id: ID! name: String next: Thing wheels: Int size: Float }
type Tree implements Thing { id: ID name: String next: Thing }
"""


def shaped(text: str, response: ResponseNode | None = None) -> OutputSelection:
    operation, types = flat(SDL, text)
    return shape_output(types, operation.root_type, operation.output, response or ResponseNode())


def below(text: str, response: ResponseNode | None = None) -> tuple[OutputField, ...]:
    """The entries under the one root field."""
    [root] = shaped(text, response).fields
    assert root.selection is not None
    return root.selection.fields


def in_force(entries: tuple[OutputField, ...], type_name: str, values: dict[str, bool]) -> list[OutputField]:
    return [
        one
        for one in entries
        if (one.types is None or type_name in one.types)
        and all(values[name] is wanted for name, wanted in one.conditions)
    ]


def test_a_field_has_its_key_its_type_and_what_is_below() -> None:
    [one] = shaped("{ d: desk { n: name } }").fields
    assert (one.key, one.source, one.type, one.types, one.conditions) == ("d", "d", "Desk", None, ())
    assert one.selection == OutputSelection((OutputField("n", "n", "String"),))


def test_what_planning_put_under_a_key_of_its_own_is_read_from_there() -> None:
    response = ResponseNode()
    things = frozenset({"Desk"})
    response.child("desk").allocate("name", things, "other(a:1)", "g", "String")
    own = response.child("desk").allocate("name", things, "name", "g", "String")
    [one] = below("{ desk { name } }", response)
    assert own != "name"
    assert (one.key, one.source) == ("name", own)


def test_types_are_told_apart_only_where_that_makes_a_difference() -> None:
    entries = below("{ thing { name ... on Desk { drawers } ... on Car { n: name } } }")
    assert [(one.key, one.types) for one in entries] == [
        ("name", None),
        ("drawers", frozenset({"Desk"})),
        ("n", frozenset({"Car"})),
    ]


def test_a_types_promise_counts_where_it_is_more_than_the_interfaces() -> None:
    assert {(one.type, one.types) for one in below("{ thing { id } }")} == {
        ("ID!", frozenset({"Desk", "Car"})),
        ("ID", frozenset({"Tree"})),
    }


def test_one_key_may_be_of_other_types_in_other_objects() -> None:
    entries = below("{ thing { s: name ... on Tree { next { name } } ... on Car { next { id } } } }")
    for name, keys in (("Desk", ["s"]), ("Tree", ["s", "next"]), ("Car", ["s", "next"])):
        assert [one.key for one in in_force(entries, name, {})] == keys
    [of_tree] = [one for one in in_force(entries, "Tree", {}) if one.key == "next"]
    assert of_tree.selection is not None
    assert [one.key for one in of_tree.selection.fields] == ["name"]


CONDITIONAL = """query($p: Boolean!, $q: Boolean!) { thing {
  next @include(if: $p) { id }
  name
  ... on Desk @skip(if: $q) { next { name } drawers }
  next @include(if: $q) { a: name }
} }"""


@pytest.mark.parametrize("type_name", ["Desk", "Car"])
@pytest.mark.parametrize(("p", "q"), list(product((True, False), repeat=2)))
def test_keys_and_what_is_below_them_are_those_in_force_in_the_order_of_first_asking(
    type_name: str, p: bool, q: bool
) -> None:
    is_desk = type_name == "Desk" and not q
    wanted_below = ["id"] * p + ["name"] * is_desk + ["a"] * q
    wanted = [*(["next"] if p else []), "name"]
    wanted += ["next"] if wanted_below and not p else []
    wanted += ["drawers"] if is_desk else []
    entries = in_force(below(CONDITIONAL), type_name, {"p": p, "q": q})
    assert [one.key for one in entries] == wanted
    for one in entries:
        if one.key == "next":
            assert one.selection is not None
            inner = in_force(one.selection.fields, type_name, {"p": p, "q": q})
            assert [each.key for each in inner] == wanted_below


def test_names_of_types_and_introspection_are_marked_for_they_come_from_no_fetch() -> None:
    entries = shaped("{ kind: __typename s: __schema { description } }").fields
    assert [(one.key, one.meta) for one in entries] == [("kind", "__typename"), ("s", "introspection")]
    assert all(one.selection is None for one in entries)
