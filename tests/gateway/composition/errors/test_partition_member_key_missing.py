from __future__ import annotations

import pytest

from tests.gateway.composition.composing import fault, finding, member

CONTRACT = """
type Query { a: Int @gather(as: ONE) }
type Row @key(fields: "id") @key(fields: "code unit { id }") { id: ID! code: ID! unit: Unit! }
type Unit { id: ID! }
"""


def published(keys: str) -> str:
    return CONTRACT.replace('@key(fields: "id") @key(fields: "code unit { id }")', keys)


@pytest.mark.parametrize("keys", ['@key(fields: "id")', '@key(fields: "id") @key(fields: "code")'])
def test_a_key_that_the_member_does_not_have(keys: str) -> None:
    assert fault(CONTRACT, published(keys)) == ("PARTITION_MEMBER_KEY_MISSING", "Row")


def test_a_key_by_which_it_finds_nothing() -> None:
    keys = '@key(fields: "id", resolvable: false) @key(fields: "code unit { id }")'
    assert '"id"' in finding(CONTRACT, published(keys)).message


def test_the_same_key_written_otherwise() -> None:
    assert member(CONTRACT, published('@key(fields: "unit { id } code") @key(fields: "id")')).findings == ()
