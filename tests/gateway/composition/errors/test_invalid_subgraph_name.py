from __future__ import annotations

from gateway.composition import SubgraphSource, compose

SDL = "type Query { a: Int }"


def test_a_name_that_is_no_name() -> None:
    for name in ("", "_", "a b", "1a"):
        found = compose([SubgraphSource(name, "http://a", SDL)]).errors
        assert [one.code for one in found] == ["INVALID_SUBGRAPH_NAME"]


def test_a_name_given_twice() -> None:
    found = compose([SubgraphSource("a", "http://a", SDL), SubgraphSource("a", "http://b", SDL)]).errors
    assert [one.code for one in found] == ["INVALID_SUBGRAPH_NAME"]


def test_names_with_dashes_and_dots_are_fine() -> None:
    assert not compose([SubgraphSource("order-lines.eu", "http://a", SDL)]).errors
