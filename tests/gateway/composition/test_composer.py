"""The whole way: order, round trip, hints, and how errors are told."""

from __future__ import annotations

import itertools

from graphql import print_schema

from gateway.composition import SubgraphSource, compose
from gateway.supergraph.load import load_supergraph
from tests.gateway.composition.composing import composed, error

SUBGRAPHS = {
    "b": 'type P @key(fields: "id") { id: ID y: Int } type Zebra @shareable { n: Int }',
    "a": 'type Query { p: P z: Zebra } type P @key(fields: "id") { id: ID x: Int } type Zebra @shareable { n: Int }',
    "c-1": 'type P @key(fields: "id") { id: ID "Says \\"so\\"." z(n: String = "\\"q\\" \\\\ ü"): Int }',
}


def test_the_order_of_subgraphs_does_not_matter() -> None:
    texts = {composed(**dict(order)).supergraph_sdl for order in itertools.permutations(SUBGRAPHS.items())}
    assert len(texts) == 1 and None not in texts


def test_what_is_printed_is_read_back() -> None:
    sdl = composed(**SUBGRAPHS).supergraph_sdl
    assert sdl is not None
    found = load_supergraph(sdl)
    assert [(one.graph, one.name, one.url) for one in found.graphs.values()] == [
        ("A", "a", "http://a"),
        ("B", "b", "http://b"),
        ("C_1_", "c-1", "http://c-1"),
    ]
    field = found.schema.type_map["P"].fields["z"]
    assert field.description == 'Says "so".'
    assert field.args["n"].default_value == '"q" \\ ü'


def test_a_supergraph_of_supergraphs_api_is_the_same_api() -> None:
    """The API of a composition is a plain schema: composing it again, alone, changes nothing of it."""
    api = load_supergraph(composed(**SUBGRAPHS).supergraph_sdl or "").api_schema
    again = load_supergraph(composed(all="# Federation 1\n" + print_schema(api)).supergraph_sdl or "").api_schema
    assert print_schema(again) == print_schema(api)


def test_names_that_become_the_same_graph_get_numbers() -> None:
    sources = [
        SubgraphSource("x-y", "", "type Query { a: Int }"),
        SubgraphSource("x_y", "", "type Query { b: Int }"),
    ]
    found = load_supergraph(compose(sources).supergraph_sdl or "")
    assert {one.name: one.graph for one in found.graphs.values()} == {"x-y": "X_Y_1", "x_y": "X_Y_2"}


def test_hints_do_not_stop_composition() -> None:
    found = composed(a="type Query { f(x: Int): Int @shareable }", b="type Query { f: Int @shareable }")
    assert found.supergraph_sdl is not None and not found.errors
    (hint,) = found.hints
    assert hint.code == "INCONSISTENT_ARGUMENT_PRESENCE"
    assert [str(at) for at in hint.locations] == ["a:2:16"]


def test_an_error_prints_its_code_and_its_places() -> None:
    text = str(error(a="type Query { x: Int @shareable }", b="type Query { x: Int }"))
    assert text.startswith("INVALID_FIELD_SHARING: Non-shareable field")
    assert text.endswith("(a:2:14, b:2:14)")


def test_all_faults_of_one_stage_are_told_at_once() -> None:
    found = composed(
        a='type Query { p: P } type P @key(fields: "nope") { id: ID }',
        b='type Q @key(fields: "nope") { id: ID }',
    )
    assert [(one.code, one.subgraphs) for one in found.errors] == [
        ("KEY_INVALID_FIELDS", ("a",)),
        ("KEY_INVALID_FIELDS", ("b",)),
    ]


def test_no_subgraphs() -> None:
    assert [one.code for one in compose([]).errors] == ["NO_QUERIES"]
