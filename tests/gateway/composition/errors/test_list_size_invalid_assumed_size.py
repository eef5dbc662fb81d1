from __future__ import annotations

from tests.gateway.composition.composing import error, errors

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@listSize"])\n'


def test_a_size_below_nothing() -> None:
    assert error(a=LINK + "type Query { x: [Int] @listSize(assumedSize: -1) }").code == "LIST_SIZE_INVALID_ASSUMED_SIZE"


def test_an_empty_list_is_a_size() -> None:
    assert not errors(a=LINK + "type Query { x: [Int] @listSize(assumedSize: 0) }")
