from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors


@pytest.mark.parametrize(
    "definition", ["enum federation__FieldSet { ID }", "scalar link__Purpose", "type _Any { x: Int }", "scalar _Entity"]
)
def test_a_type_of_the_specification_as_another_kind(definition: str) -> None:
    found = error(a=f"type Query {{ a: Int }} {definition}")
    assert found.code == "TYPE_DEFINITION_INVALID"


def test_the_right_kinds_may_be_brought_along() -> None:
    assert not errors(
        a="""
        type Query { a: Int _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
        scalar federation__FieldSet
        scalar _Any
        type _Service { sdl: String }
        union _Entity = P
        type P @key(fields: "id") { id: ID }
        """
    )
