from __future__ import annotations

from tests.gateway.composition.composing import error, supergraph


def test_no_object_could_be_both() -> None:
    found = error(
        a="type Query { u: U @shareable } union U = A type A { x: Int }",
        b="type Query { u: U @shareable } union U = B type B { y: Int }",
    )
    assert found.code == "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"


def test_an_interface_object_may_be_any_implementation() -> None:
    found = supergraph(
        a='type Query { m: M @shareable } interface M @key(fields: "id") { id: ID! } '
        'type A implements M @key(fields: "id") { id: ID! }',
        b='type Query { m: M @shareable } type M @key(fields: "id") @interfaceObject { id: ID! y: Int }',
    )
    assert "y" in found.api_schema.type_map["A"].fields  # type: ignore[attr-defined]
