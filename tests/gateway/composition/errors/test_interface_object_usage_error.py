from __future__ import annotations

from tests.gateway.composition.composing import error, errors

IMPLEMENTED = """
type Query { media: Media }
interface Media @key(fields: "id") { id: ID! }
type Book implements Media @key(fields: "id") { id: ID! }
"""


def test_an_interface_object_is_an_entity() -> None:
    found = error(a=IMPLEMENTED, b="type Media @interfaceObject { id: ID! @shareable stars: Int }")
    assert found.code == "INTERFACE_OBJECT_USAGE_ERROR"
    assert "has no @key" in found.message


def test_somewhere_it_must_be_an_interface() -> None:
    found = error(a='type Query { media: Media } type Media @interfaceObject @key(fields: "id") { id: ID! }')
    assert found.code == "INTERFACE_OBJECT_USAGE_ERROR"


def test_who_stands_for_all_implementations_defines_none() -> None:
    found = error(
        a=IMPLEMENTED,
        b='type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int } type Book @key(fields: "id") { id: ID! }',
    )
    assert found.code == "INTERFACE_OBJECT_USAGE_ERROR"
    assert 'defines type "Book"' in found.message


def test_with_a_key_it_composes() -> None:
    assert not errors(a=IMPLEMENTED, b='type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }')
