from __future__ import annotations

from tests.gateway.composition.composing import error, errors

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@listSize"])\n'


def test_a_field_that_there_is_not() -> None:
    found = error(a=LINK + 'type Query { page: Page @listSize(sizedFields: ["nodes"]) } type Page { edges: [Int] }')
    assert found.code == "LIST_SIZE_INVALID_SIZED_FIELD"
    assert '"nodes"' in found.message


def test_a_value_without_fields() -> None:
    found = error(a=LINK + 'type Query { x: [Int] @listSize(sizedFields: ["nodes"]) }')
    assert found.code == "LIST_SIZE_INVALID_SIZED_FIELD"


def test_the_lists_of_a_page() -> None:
    assert not errors(
        a=LINK
        + 'type Query { page: Page! @listSize(assumedSize: 5, sizedFields: ["edges"]) } type Page { edges: [Int]! }'
    )
