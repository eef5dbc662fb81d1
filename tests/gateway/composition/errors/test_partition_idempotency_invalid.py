from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors, group

CHANGE = """
type Query {{ n: Int @gather(as: ONE) }}
input Change {{ id: ID! key: {} }}
type Mutation {{ change(input: Change!): Int @route(argument: "input.id", idempotencyKey: "input.key") }}
"""


@pytest.mark.parametrize("type_name", ["ID!", "String"])
def test_texts_are_keys(type_name: str) -> None:
    assert not errors(a=group(CHANGE.format(type_name)))


@pytest.mark.parametrize("type_name", ["Int!", "[ID!]!"])
def test_other_values_are_not(type_name: str) -> None:
    assert error(a=group(CHANGE.format(type_name))).code == "PARTITION_IDEMPOTENCY_INVALID"


def test_a_query_changes_nothing() -> None:
    query = 'type Query { n(id: ID!, key: ID!): Int @route(argument: "id", idempotencyKey: "key") }'
    assert error(a=group(query)).code == "PARTITION_IDEMPOTENCY_INVALID"
