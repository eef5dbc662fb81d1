from __future__ import annotations

from gateway.language.paths import format_path, value_at


def test_a_path_reads_like_code() -> None:
    assert format_path(("assets", "nodes", 3, "name")) == "assets.nodes[3].name"
    assert format_path(()) == ""


def test_the_value_at_a_path() -> None:
    data = {"a": [{"b": 1}, None]}
    assert value_at(data, ("a", 0, "b")) == 1
    assert value_at(data, ()) is data


def test_a_way_that_ends_early_leads_to_null() -> None:
    data = {"a": [{"b": 1}, None]}
    for path in (("a", 1, "b"), ("a", 9), ("x", "y"), ("a", "b"), ("a", 0, "b", "c")):
        assert value_at(data, path) is None
