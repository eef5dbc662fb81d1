from __future__ import annotations

from tests.gateway.composition.composing import error, errors

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@listSize"])\n'


def test_one_object_has_no_size() -> None:
    found = error(a=LINK + "type Query { x: Int @listSize(assumedSize: 10) }")
    assert found.code == "LIST_SIZE_APPLIED_TO_NON_LIST"


def test_a_sized_field_that_is_no_list() -> None:
    found = error(a=LINK + 'type Query { page: Page @listSize(sizedFields: ["count"]) } type Page { count: Int }')
    assert found.code == "LIST_SIZE_APPLIED_TO_NON_LIST"
    assert '"Page.count"' in found.message


def test_lists_of_any_nullability() -> None:
    assert not errors(
        a=LINK + "type Query { x: [Int!]! @listSize(assumedSize: 10) y: [Int] @listSize(assumedSize: 0) }"
    )
