from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_label_of_other_letters() -> None:
    found = error(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b", label: "50%") }',
        b='type P @key(fields: "id") { id: ID x: Int  }',
    )
    assert found.code == "OVERRIDE_LABEL_INVALID"


def test_a_percentage_is_a_label() -> None:
    assert not errors(
        a='type Query { p: P } type P @key(fields: "id") { id: ID x: Int @override(from: "b", label: "percent(50)") }',
        b='type P @key(fields: "id") { id: ID x: Int  }',
    )
