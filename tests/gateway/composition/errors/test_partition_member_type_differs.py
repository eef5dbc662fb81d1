from __future__ import annotations

import pytest

from tests.gateway.composition.composing import fault, finding, member


@pytest.mark.parametrize("theirs", ["Int", "[String]", "[Int!]!", "[[String!]!]!"])
def test_another_type_of_a_field(theirs: str) -> None:
    contract = "type Query { a: [String!] @gather(as: LIST) }"
    found = fault(contract, f"type Query {{ a: {theirs} @gather(as: LIST) }}")
    assert found == ("PARTITION_MEMBER_TYPE_DIFFERS", "Query.a")


def test_the_remedy_names_what_to_change() -> None:
    found = finding("type Query { a: Int! @gather(as: ONE) }", "type Query { a: Int @gather(as: ONE) }")
    assert found.message == "Query.a is Int, in the contract Int!."
    assert found.remedy == "Make Query.a Int! in the member."


@pytest.mark.parametrize("theirs", ["Int!", "String", "[Int]"])
def test_an_argument_that_takes_less(theirs: str) -> None:
    contract = "type Query { a(x: Int): Int @gather(as: ONE) }"
    found = fault(
        contract, f"type Query {{ a(x: {theirs} {'= 1' if theirs == 'Int!' else ''}): Int @gather(as: ONE) }}"
    )
    assert found == ("PARTITION_MEMBER_TYPE_DIFFERS", "Query.a(x:)")


def test_another_kind_of_type() -> None:
    contract = "type Query { a: T @gather(as: ONE) } type T { a: Int }"
    found = fault(
        contract, "type Query { a: T @gather(as: ONE) } interface T { a: Int } type U implements T { a: Int }"
    )
    assert found == ("PARTITION_MEMBER_TYPE_DIFFERS", "T")


def test_an_answer_may_promise_more_and_a_question_less() -> None:
    contract = """
    type Query { a(x: Int!, y: [I!]!): [Note] @gather(as: LIST) }
    input I { x: Int! }
    interface Note { id: ID } type Praise implements Note { id: ID }
    """
    published = """
    type Query { a(x: Int, y: [I]): [Praise!]! @gather(as: LIST) }
    input I { x: Int }
    interface Note { id: ID! } type Praise implements Note { id: ID! }
    """
    assert member(contract, published).findings == ()
