from __future__ import annotations

from tests.gateway.composition.composing import error, supergraph


def fields(a: str, b: str) -> dict[str, str]:
    return {
        "a": f"type Query {{ t: T @shareable }} type T @shareable {{ x: {a} }}",
        "b": f"type T @shareable {{ x: {b} }}",
    }


def test_types_that_are_not_one() -> None:
    found = error(**fields("Int", "String"))
    assert found.code == "FIELD_TYPE_MISMATCH"
    assert 'type "Int" in subgraph "a" but type "String" in subgraph "b"' in found.message
    assert found.subgraphs == ("a", "b")


def test_a_list_is_not_its_element() -> None:
    assert error(**fields("[Int]", "Int")).code == "FIELD_TYPE_MISMATCH"


def test_neither_type_is_the_more_general_one() -> None:
    assert error(**fields("[Int!]", "[Int]!")).code == "FIELD_TYPE_MISMATCH"


def test_the_nullable_type_wins() -> None:
    assert str(supergraph(**fields("Int!", "Int")).schema.type_map["T"].fields["x"].type) == "Int"


def test_input_fields() -> None:
    found = error(a="type Query { q(i: I): Int } input I { x: Int }", b="input I { x: String }")
    assert found.code == "FIELD_TYPE_MISMATCH"
