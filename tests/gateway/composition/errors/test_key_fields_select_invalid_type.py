from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def key(type_name: str, fields: str = "x") -> str:
    return f'type Query {{ p: P }} type P @key(fields: "{fields}") {{ x: {type_name} }} interface I {{ id: ID }} union U = P'


def test_a_list_of_an_interface_is_no_key() -> None:
    found = error(a=key("[I!]!", "x { id }"))
    assert found.code == "KEY_FIELDS_SELECT_INVALID_TYPE"
    assert 'field "P.x" is a interface type' in found.message


def test_an_interface_is_no_key() -> None:
    assert error(a=key("I", "x { id }")).code == "KEY_FIELDS_SELECT_INVALID_TYPE"


def test_a_union_is_no_key() -> None:
    assert error(a=key("U", "x { __typename }")).code == "KEY_FIELDS_SELECT_INVALID_TYPE"


def test_enums_and_scalars_are() -> None:
    assert not errors(a=key("ID!"))


def test_lists_of_them_are_too() -> None:
    assert not errors(a=key("[ID!]!"))
