from __future__ import annotations

from graphql import build_schema

from gateway.supergraph.api import api_schema_sdl
from gateway.supergraph.load import load_supergraph

SDL = """
schema @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query mutation: Mutation }
enum join__Graph { A @join__graph(name: "a", url: "") }
type Zebra @join__type(graph: A) { z: Status @deprecated(reason: "old") a: Int }
"A status." enum Status @join__type(graph: A) { "Then." SECOND FIRST }
type Mutation @join__type(graph: A) { m: Int }
scalar Any @join__type(graph: A) @specifiedBy(url: "https://example.com")
"The root." type Query @join__type(graph: A) { z("How many." n: Int = 2): Zebra any: Any }
directive @shout(twice: Boolean) on FIELD
"""


def test_roots_come_first_then_names_and_members_as_declared() -> None:
    text = api_schema_sdl(load_supergraph(SDL))
    heads = [
        line.split(" {")[0] for line in text.splitlines() if line.startswith(("type", "enum", "scalar", "directive"))
    ]
    assert heads == [
        "directive @shout(twice: Boolean) on FIELD",
        "type Query",
        "type Mutation",
        'scalar Any @specifiedBy(url: "https://example.com")',
        "enum Status",
        "type Zebra",
    ]
    assert text.index("SECOND") < text.index("FIRST")
    assert "join__" not in text


def test_descriptions_defaults_and_deprecations_are_kept() -> None:
    text = api_schema_sdl(load_supergraph(SDL))
    for part in ('"""A status."""', '"""Then."""', '"""How many."""', "n: Int = 2", '@deprecated(reason: "old")'):
        assert part in text


def test_it_is_a_schema_and_always_the_same() -> None:
    text = api_schema_sdl(load_supergraph(SDL))
    assert build_schema(text)
    assert text == api_schema_sdl(load_supergraph(SDL))
