from __future__ import annotations

from tests.gateway.composition.composing import codes, error, errors


def key(fields: str) -> str:
    return f'type Query {{ p: P }} type P @key(fields: "{fields}") {{ id: ID owner: O }} type O {{ id: ID }}'


def test_a_field_that_does_not_exist() -> None:
    found = error(a=key("sku"))
    assert found.code == "KEY_INVALID_FIELDS"
    assert found.subgraphs == ("a",) and found.locations[0].line == 2
    assert 'Cannot query field "sku" on type "P"' in found.message


def test_not_a_field_set() -> None:
    for fields in ("", "id {", "{ id", "id } { id", "...F"):
        assert codes(a=key(fields)) == {"KEY_INVALID_FIELDS"}, fields


def test_an_object_needs_subfields_and_a_leaf_has_none() -> None:
    assert codes(a=key("owner")) == {"KEY_INVALID_FIELDS"}
    assert codes(a=key("id { id }")) == {"KEY_INVALID_FIELDS"}


def test_an_alias() -> None:
    assert codes(a=key("key: id")) == {"KEY_INVALID_FIELDS"}


def test_a_nested_key_is_fine() -> None:
    assert not errors(a=key("id owner { id }"))
