"""Contexts and cache tags as another composer writes them, and what is refused."""

from __future__ import annotations

import pytest

from gateway.language.errors import Code
from gateway.language.selections import parse_field_set
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import CacheTag, ContextArgument
from tests.gateway.supergraph.test_load import code, v

CONTEXT = '@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)'
DEFINITIONS = """
directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION
directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION
scalar context__ContextFieldValue
scalar join__FieldValue
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
"""


def types(arguments: str, set_by: str = '@context(name: "a__t")', tag: str = "") -> str:
    return f"""
    type Query @join__type(graph: A) {{ t: T }}
    type T @join__type(graph: A) {set_by} {{ x: Int u: U {tag} }}
    type U @join__type(graph: A, key: "id") {{ id: ID! f: Int @join__field(graph: A, contextArguments: {arguments}) }}
    """


def test_contexts_are_read_without_loss_and_are_no_part_of_the_schema() -> None:
    given = '[{context: "a__t", name: "a", type: "[Int!]", selection: " { x }"}, {name: "b", type: "Int", context: "a__t", selection: "... on T { x }"}]'
    found = load_supergraph(v("v0.5", CONTEXT) + DEFINITIONS + types(given))
    assert found.contexts == {"a__t": ("T",)}
    assert found.field_joins["U", "f"][0].context_arguments == (
        ContextArgument("a", "[Int!]", "a__t", parse_field_set("x")),
        ContextArgument("b", "Int", "a__t", parse_field_set("... on T { x }")),
    )
    assert not [name for name in found.schema.type_map if name.startswith(("context", "join__"))]
    assert found.schema.get_directive("context") is None


def test_a_renamed_link() -> None:
    link = '@link(url: "https://specs.apollo.dev/context/v0.1", as: "ctx", for: SECURITY)'
    given = '[{context: "c", name: "a", type: "Int", selection: "{ x }"}]'
    found = load_supergraph(v("v0.5", link) + types(given, '@ctx(name: "c") @ctx(name: "d")'))
    assert found.contexts == {"c": ("T",), "d": ("T",)}


@pytest.mark.parametrize(
    "given",
    [
        '[{name: "a", type: "Int", context: "a__t"}]',
        '[{name: "a", type: "Int", context: 3, selection: "{ x }"}]',
        '["a"]',
        '[{name: "a", type: "Int", context: "a__t", selection: "{ x"}]',
    ],
)
def test_contextual_arguments_that_make_no_sense(given: str) -> None:
    assert code(v("v0.5", CONTEXT) + types(given)) == Code.SUPERGRAPH_INVALID


def test_cache_tags_are_read_without_loss() -> None:
    tags = (
        '@join__directive(graphs: [A, B], name: "federation__cacheTag", args: {format: "u-{$args.x}"})'
        ' @join__directive(graphs: [A], name: "federation__cacheTag", args: {format: "us"})'
        ' @join__directive(graphs: [A], name: "of_another_kind", args: {})'
    )
    found = load_supergraph(v("v0.5", CONTEXT) + types("[]", tag=tags))
    assert found.cache_tags == {("T", "u"): (CacheTag("u-{$args.x}", ("A", "B")), CacheTag("us", ("A",)))}


@pytest.mark.parametrize("given", ["graphs: [A], args: {}", 'graphs: [C], args: {format: "u"}', 'args: {format: "u"}'])
def test_cache_tags_that_make_no_sense(given: str) -> None:
    tag = f'@join__directive(name: "federation__cacheTag", {given})'
    assert code(v("v0.5", CONTEXT) + types("[]", tag=tag)) == Code.SUPERGRAPH_INVALID
