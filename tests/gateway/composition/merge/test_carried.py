"""Directives that the supergraph bears by rules of their own: access, cost, and what subgraphs ask to be composed."""

from __future__ import annotations

import pytest

from gateway.language.errors import Code, SupergraphInvalid
from gateway.pipeline.answer import Pipeline
from gateway.planning.planner import Planner
from tests.gateway.composition.composing import composed, supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",'
    ' "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"])\n'
)


def field(sdl: str, name: str) -> str:
    return next(line.strip() for line in sdl.splitlines() if line.strip().startswith(f"{name}"))


def merged(**subgraphs: str) -> str:
    found = composed(**{name: LINK + sdl for name, sdl in subgraphs.items()})
    assert found.supergraph_sdl is not None, [str(one) for one in found.errors]
    return found.supergraph_sdl


def test_authenticated_anywhere_holds() -> None:
    sdl = merged(a="type Query { x: Int @shareable @authenticated }", b="type Query { x: Int @shareable }")
    assert field(sdl, "x:") == "x: Int @authenticated"
    assert '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)' in sdl


def test_what_several_subgraphs_demand_must_all_hold() -> None:
    sdl = merged(
        a='type Query { x: Int @shareable @requiresScopes(scopes: [["read"], ["admin"]]) }',
        b='type Query { x: Int @shareable @requiresScopes(scopes: [["audit"]]) }',
    )
    assert '@requiresScopes(scopes: [["admin", "audit"], ["audit", "read"]])' in field(sdl, "x:")


def test_a_demand_that_includes_another_says_nothing_more() -> None:
    sdl = merged(
        a='type Query { x: Int @shareable @policy(policies: [["p"], ["q"]]) }',
        b='type Query { x: Int @shareable @policy(policies: [["p"]]) }',
    )
    assert '@policy(policies: [["p"]])' in field(sdl, "x:")


def test_on_types() -> None:
    sdl = merged(a='type Query { t: T } type T @authenticated @key(fields: "id") { id: ID! }')
    assert "type T\n" in sdl
    assert "\n  @authenticated\n{" in sdl


def test_cost_is_the_highest_and_list_sizes_are_the_largest() -> None:
    sdl = merged(
        a="type Query { x(first: Int @cost(weight: 2)): [Int] @shareable @cost(weight: 3)"
        ' @listSize(assumedSize: 10, slicingArguments: ["first"]) }',
        b="type Query { x(first: Int): [Int] @shareable @cost(weight: 7)"
        " @listSize(assumedSize: 20, requireOneSlicingArgument: false) }",
    )
    line = field(sdl, "x(")
    assert "first: Int @cost(weight: 2)" in line
    assert "@cost(weight: 7)" in line
    assert '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false)' in line


def test_renamed_and_prefixed_directives_get_their_own_names() -> None:
    head = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{name: "@cost", as: "@price"}])\n'
    found = composed(a=head + "type Query { x: Int @price(weight: 4) @federation__authenticated }")
    assert found.supergraph_sdl is not None
    assert field(found.supergraph_sdl, "x:") == "x: Int @authenticated @cost(weight: 4)"


def test_nothing_is_linked_that_is_not_used() -> None:
    sdl = merged(a="type Query { x: Int }")
    assert "authenticated" not in sdl
    assert "cost" not in sdl


def test_a_supergraph_with_access_rules_is_planned_but_not_served() -> None:
    loaded = supergraph(a=LINK + "type Query { x: Int @authenticated }")
    assert loaded.unenforced == ("https://specs.apollo.dev/authenticated/v0.1",)
    with pytest.raises(SupergraphInvalid) as refused:
        Pipeline(loaded, {}, Planner(loaded))
    assert refused.value.errors[0].code == Code.SUPERGRAPH_FEATURE_UNKNOWN


def test_a_directive_of_the_subgraphs_own_is_composed() -> None:
    def mine(version: str, application: str, argument: str) -> str:
        return f"""
        extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@shareable"])
          @link(url: "https://example.com/mine/{version}", import: [{{name: "@note", as: "@mine"}}])
          @composeDirective(name: "@mine")
        directive @mine({argument}) repeatable on FIELD_DEFINITION | OBJECT
        type Query @mine(text: "root") {{ a: Int @shareable {application} }}
        """

    found = composed(
        a=mine("v1.0", '@mine(text: "one")', "text: String"),
        b=mine("v1.2", '@mine(text: "two", size: 3)', "text: String, size: Int"),
    )
    sdl = found.supergraph_sdl
    assert sdl is not None, [str(one) for one in found.errors]
    assert '@link(url: "https://example.com/mine/v1.2", import: [{name: "@note", as: "@mine"}])' in sdl
    assert "directive @mine(text: String, size: Int) repeatable on FIELD_DEFINITION | OBJECT" in sdl
    assert field(sdl, "a:") == 'a: Int @mine(text: "one") @mine(text: "two", size: 3)'
    assert sdl.count('@mine(text: "root")') == 1
