"""Where an error's field was asked for: every place that is in force, each once."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.pipeline.locations import add_locations

TEXT = """
query ($p: Boolean!) {
  shelf {
    book @skip(if: $p) { name }
    book { ...Named ...Named ... @include(if: $p) { title: name } }
  }
}
fragment Named on Book { name @include(if: $p) name @skip(if: false) }
"""


def lines(path: ResponsePath, **variables: bool) -> list[int]:
    document = parse(TEXT)
    [operation] = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    [error] = add_locations([GatewayError(Code.SUBGRAPH_ERROR, "no", path)], document, operation, variables)
    return [one.line for one in error.locations]


@pytest.mark.parametrize(
    ("path", "p", "found"),
    [
        (("shelf",), True, [3]),
        (("shelf", "book"), False, [4, 5]),
        (("shelf", "book"), True, [5]),
        (("shelf", "book", 0, "name"), False, [4, 8]),
        (("shelf", "book", 0, "name"), True, [8, 8]),
        (("shelf", "book", "title"), True, [5]),
        (("shelf", "book", "title"), False, [4, 5]),
    ],
)
def test_places_in_force(path: ResponsePath, p: bool, found: list[int]) -> None:
    assert lines(path, p=p) == found


def test_an_error_without_a_path_has_no_place() -> None:
    assert lines(()) == []
