from __future__ import annotations

import pytest

from tests.gateway.composition.composing import CONTEXTS, error


@pytest.mark.parametrize("field", ["{ x }", "x", "", "t { x }", "$ { x }", "$t", "$context"])
def test_no_context_is_named_or_nothing_of_it(field: str) -> None:
    found = error(
        a=f'{CONTEXTS} type Query {{ t: T }} type T @context(name: "t") {{ x: Int u: U }}'
        f' type U @key(fields: "id") {{ id: ID! f(a: Int @fromContext(field: "{field}")): Int }}'
    )
    assert found.code == "NO_CONTEXT_IN_SELECTION"
    assert f'"{field}"' in found.message
