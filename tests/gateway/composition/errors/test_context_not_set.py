from __future__ import annotations

import pytest

from tests.gateway.composition.composing import CONTEXTS, error, errors


def subgraph(types: str) -> str:
    return f'{CONTEXTS} type Query {{ t: T }} type T @context(name: "t") {{ x: Int u: U }} {types}'


@pytest.mark.parametrize(
    "types",
    [
        'type U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$unknown { x }")): Int }',
        'type U @key(fields: "id") { id: ID! f(a: Int = 1 @fromContext(field: "$t { x }")): Int }',
        'interface U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }',
        'interface I { f(a: Int): Int } type U implements I @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }',
        'directive @d(a: Int @fromContext(field: "$t { x }")) on FIELD_DEFINITION type U { y: Int }',
    ],
    ids=["nobody sets it", "a default value", "an interface", "an implementation of one", "a directive"],
)
def test_where_no_context_can_give_a_value(types: str) -> None:
    found = error(a=subgraph(types))
    assert found.code == "CONTEXT_NOT_SET"
    assert found.locations


def test_another_subgraph_setting_it_is_of_no_use() -> None:
    taking = 'type Query { v: V } type V @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }'
    found = error(a=subgraph("type U { y: Int }"), b=CONTEXTS + taking)
    assert (found.code, found.subgraphs) == ("CONTEXT_NOT_SET", ("b",))


def test_a_context_that_is_set() -> None:
    assert not errors(
        a=subgraph('type U @key(fields: "id") { id: ID! f(a: Int @fromContext(field: "$t { x }")): Int }')
    )
