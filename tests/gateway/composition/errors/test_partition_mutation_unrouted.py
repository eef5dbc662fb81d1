from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group


def test_a_change_goes_to_one_member() -> None:
    found = error(
        a=group("""
    type Query { n: [Int] @gather(as: LIST) }
    type Mutation { change(id: ID!): [Int] @gather(as: LIST) }
    """)
    )
    assert found.code == "PARTITION_MUTATION_UNROUTED"


def test_routed_by_a_nested_argument() -> None:
    assert not errors(
        a=group("""
    type Query { n: [Int] @gather(as: LIST) }
    input Change { id: ID! }
    type Mutation { change(input: Change!): Int @route(argument: "input.id") }
    """)
    )
