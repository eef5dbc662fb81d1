from __future__ import annotations

from tests.gateway.composition.composing import error, errors

FIELD_SET = "scalar federation__FieldSet"


def test_a_changed_definition_of_a_federation_directive() -> None:
    found = error(a="directive @key(fields: String!, extra: Int) repeatable on OBJECT type Query { a: Int }")
    assert found.code == "DIRECTIVE_DEFINITION_INVALID"
    assert "extra" in found.message


def test_a_definition_without_its_required_argument() -> None:
    assert error(a="directive @tag on OBJECT type Query { a: Int }").code == "DIRECTIVE_DEFINITION_INVALID"


def test_a_schema_may_bring_the_right_definitions_along() -> None:
    assert not errors(
        a=f"""
        {FIELD_SET}
        directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
        type Query {{ p: P }}
        type P @key(fields: "id") {{ id: ID }}
        """
    )
