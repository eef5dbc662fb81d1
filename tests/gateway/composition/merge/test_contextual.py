"""Contexts and cache tags in the supergraph, and that it gives them back."""

from __future__ import annotations

from graphql import print_type

from gateway.composition import SubgraphSource, compose
from gateway.language.selections import parse_field_set
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import CacheTag, ContextArgument, FieldJoin
from tests.gateway.composition.composing import CONTEXTS, composed, supergraph

CACHED = CONTEXTS.replace("v2.9", "v2.12").replace('"@context"', '"@context", "@cacheTag"')

BANK = (
    CACHED
    + """
    type Query { account: Account @cacheTag(format: "account") }
    interface Account @context(name: "account") @context(name: "other") { currency: String! card: Card! }
    type Giro implements Account @key(fields: "id") @cacheTag(format: "giro-{$key.id}") @cacheTag(format: "giros") {
      id: ID! currency: String! card: Card!
    }
    type Card @key(fields: "id") {
      id: ID!
      fee(
        year: Int
        currency: String @fromContext(field: "$account { currency }")
        of: String @fromContext(field: "$other ... on Giro { currency }")
      ): Int!
    }
    """
)
CARDS = (
    CACHED
    + 'type Giro @key(fields: "id") @cacheTag(format: "giros") { id: ID! } type Card @key(fields: "id") { id: ID! holder: String! }'
)


def sdl(**subgraphs: str) -> str:
    found = composed(**subgraphs)
    assert found.supergraph_sdl is not None, [str(one) for one in found.errors]
    return found.supergraph_sdl


def test_the_argument_is_no_part_of_the_field_and_its_join_says_where_it_comes_from() -> None:
    lines = [line.strip() for line in sdl(bank=BANK, cards=CARDS).splitlines()]
    assert (
        'fee(year: Int): Int! @join__field(graph: BANK, contextArguments: [{context: "bank__account", name: "currency",'
        ' type: "String", selection: "{ currency }"}, {context: "bank__other", name: "of", type: "String", selection:'
        ' "... on Giro { currency }"}])'
    ) in lines
    assert '@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)' in lines
    assert lines.count('@context(name: "bank__account")') == 1
    assert "fee(year: Int): Int!" in print_type(supergraph(bank=BANK, cards=CARDS).api_schema.type_map["Card"])


def test_what_is_written_is_read_back() -> None:
    found = supergraph(bank=BANK, cards=CARDS)
    assert found.field_joins["Card", "fee"] == (
        FieldJoin(
            "BANK",
            context_arguments=(
                ContextArgument("currency", "String", "bank__account", parse_field_set("currency")),
                ContextArgument("of", "String", "bank__other", parse_field_set("... on Giro { currency }")),
            ),
        ),
    )
    assert found.contexts == {"bank__account": ("Account",), "bank__other": ("Account",)}


def test_each_cache_tag_says_who_wrote_it() -> None:
    found = supergraph(bank=BANK, cards=CARDS)
    assert found.cache_tags == {
        ("Query", "account"): (CacheTag("account", ("BANK",)),),
        ("Giro", None): (CacheTag("giro-{$key.id}", ("BANK",)), CacheTag("giros", ("BANK", "CARDS"))),
    }


def test_contexts_of_one_name_in_two_subgraphs_are_two() -> None:
    text = (
        CONTEXTS
        + 'type Query {{ {0}: T }} type T @context(name: "t") @key(fields: "id") {{ id: ID! {0}: Int u: U }} type U @key(fields: "id") {{ id: ID! }}'
    )
    found = supergraph(a=text.format("x").replace("u: U", ""), b=text.format("y"))
    assert found.contexts == {"a__t": ("T",), "b__t": ("T",)}


def test_names_of_ones_own() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", as: "f", import: ["@key", {name: "@context", as: "@sets"}, {name: "@fromContext", as: "@takes"}])\n'
    text = sdl(
        a=link + 'type Query { t: T } type T @sets(name: "t") @f__cacheTag(format: "t") { x: Int u: U }'
        ' type U @key(fields: "id") { id: ID! f(a: Int @takes(field: "$t { x }")): Int }'
    )
    assert '@context(name: "a__t")' in text
    assert 'contextArguments: [{context: "a__t", name: "a", type: "Int", selection: "{ x }"}]' in text
    assert '@join__directive(graphs: [A], name: "federation__cacheTag", args: {format: "t"})' in text


def test_before_their_versions_there_are_no_such_directives() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@context"])\n'
    found = compose([SubgraphSource("a", "", link + "type Query { x: Int }")])
    assert [one.code for one in found.errors] == ["INVALID_LINK_DIRECTIVE_USAGE"]


def test_nothing_is_linked_that_is_not_used() -> None:
    text = sdl(a="type Query { x: Int }")
    assert "specs.apollo.dev/context" not in text
    assert not load_supergraph(text).contexts
