from __future__ import annotations

from tests.gateway.composition.composing import error, errors

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@listSize"])\n'


def test_an_argument_that_there_is_not() -> None:
    found = error(a=LINK + 'type Query { x(first: Int): [Int] @listSize(slicingArguments: ["last"]) }')
    assert found.code == "LIST_SIZE_INVALID_SLICING_ARGUMENT"
    assert '"last"' in found.message


def test_an_argument_that_is_no_number() -> None:
    found = error(a=LINK + 'type Query { x(first: String): [Int] @listSize(slicingArguments: ["first"]) }')
    assert found.code == "LIST_SIZE_INVALID_SLICING_ARGUMENT"


def test_integers() -> None:
    assert not errors(
        a=LINK + 'type Query { x(first: Int!, last: Int): [Int] @listSize(slicingArguments: ["first", "last"]) }'
    )
