from __future__ import annotations

import pytest

from tests.gateway.composition.composing import CONTEXTS, error, errors


@pytest.mark.parametrize("name", ["my_context", "_context", "2nd", "", "kon-text"])
def test_a_name_of_other_characters(name: str) -> None:
    found = error(a=f'{CONTEXTS} type Query {{ t: T }} type T @context(name: "{name}") {{ x: Int }}')
    assert found.code == "CONTEXT_NAME_INVALID"
    assert [str(at) for at in found.locations] == ["a:2:29"]


def test_letters_and_digits() -> None:
    assert not errors(a=CONTEXTS + 'type Query { t: T } type T @context(name: "account2") { x: Int }')
