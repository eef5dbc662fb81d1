"""Keys of the response tree: one thing under one key, and one field of one type's objects under one."""

from __future__ import annotations

from gateway.planning.response import ResponseNode

DESK, CAR = frozenset({"Desk"}), frozenset({"Car"})
BOTH = DESK | CAR


def test_a_field_stands_where_it_stood_whoever_asks() -> None:
    node = ResponseNode()
    assert node.allocate("size", BOTH, "size", "g", "Int") == "size"
    assert node.allocate("size", DESK, "size", "h", "Int!") == "size"
    assert node.sources("size", "Desk", "size") == ["size"]
    assert not node.is_torn("size", BOTH, "size")


def test_other_arguments_get_a_key_of_the_gateways_own_on_the_same_objects_only() -> None:
    node = ResponseNode()
    node.allocate("size", DESK, "size", "g", "Int")
    assert node.allocate("size", DESK, "size(unit:M)", "g", "Int") == "_g1_size"
    assert node.allocate("size", CAR, "size(unit:M)", "g", "Int") == "size"


def test_one_graph_gives_one_type_under_one_key() -> None:
    node = ResponseNode()
    node.allocate("size", DESK, "size", "g", "Int!")
    assert node.allocate("size", CAR, "size", "g", "Int") == "_g1_size"
    assert node.allocate("size", CAR, "size", "h", "Int!") == "_g1_size", "its other half meets the first"


def test_what_stands_apart_for_some_types_does_not_fit_for_all_at_once() -> None:
    node = ResponseNode()
    node.allocate("size", DESK, "size", "g", "Int")
    node.allocate("size", CAR, "price", "g", "Int")
    assert node.fits("size", DESK, "size", "g", "Int")
    assert not node.fits("size", BOTH, "size", "g", "Int")
    assert node.allocate("size", BOTH, "size", "g", "Int") == "_g1_size"
    assert node.is_torn("size", DESK, "size")
    assert not node.is_torn("size", CAR, "size")


def test_the_gateways_own_keys_are_not_the_clients() -> None:
    node = ResponseNode()
    assert node.allocate("__typename", DESK, "size", "g", "Int") == "_g1___typename"
    assert node.allocate("_gedges", DESK, "size", "g", "Int") == "_g1__gedges"
