from __future__ import annotations

from tests.gateway.composition.composing import CONTEXTS, error, errors


def subgraph(keys: str) -> str:
    return (
        f'{CONTEXTS} type Query {{ t: T }} type T @context(name: "t") {{ x: Int u: U }}'
        f' type U {keys} {{ id: ID! f(a: Int @fromContext(field: "$t {{ x }}")): Int }}'
    )


def test_no_key() -> None:
    assert error(a=subgraph("")).code == "CONTEXT_NO_RESOLVABLE_KEY"


def test_a_key_that_is_not_resolvable() -> None:
    assert error(a=subgraph('@key(fields: "id", resolvable: false)')).code == "CONTEXT_NO_RESOLVABLE_KEY"


def test_one_resolvable_key_is_enough() -> None:
    assert not errors(a=subgraph('@key(fields: "id") @key(fields: "id id", resolvable: false)'))
