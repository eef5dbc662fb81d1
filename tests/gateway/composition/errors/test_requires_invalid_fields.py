from __future__ import annotations

from tests.gateway.composition.composing import codes, errors


def subgraphs(fields: str) -> dict[str, str]:
    return {
        "a": f'type Query {{ p: P }} type P @key(fields: "id") {{ id: ID x: Int @external y: Int @requires(fields: "{fields}") }}',
        "b": 'type P @key(fields: "id") { id: ID x: Int }',
    }


def test_a_field_that_the_subgraph_does_not_declare() -> None:
    found = errors(**subgraphs("weight"))
    assert "REQUIRES_INVALID_FIELDS" in {one.code for one in found}
    assert any("add it to this subgraph with @external" in one.message for one in found)


def test_not_a_field_set() -> None:
    assert "REQUIRES_INVALID_FIELDS" in codes(**subgraphs("x {"))


def test_a_declared_external_is_fine() -> None:
    assert not errors(**subgraphs("x"))
