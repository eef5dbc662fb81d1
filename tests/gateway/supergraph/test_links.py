from __future__ import annotations

import pytest
from graphql import parse

from gateway.supergraph.links import Link, LinkProblem, read_links


def links(directives: str) -> tuple[Link, ...]:
    return read_links(parse(f"extend schema {directives} type Query {{ a: Int }}"))


def test_names_have_a_prefix_unless_imported() -> None:
    (link,) = links(
        '@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", {name: "@tag", as: "@label"}])'
    )
    assert link.identity == "https://specs.apollo.dev/federation" and link.version == (2, 9)
    assert link.directive("key") == "key"
    assert link.directive("tag") == "label"
    assert link.directive("shareable") == "federation__shareable"
    assert link.type("FieldSet") == "federation__FieldSet"
    assert link.owns_directive("label") and not link.owns_directive("tag")


def test_a_prefix_of_ones_own() -> None:
    (link,) = links('@link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", for: SECURITY)')
    assert link.directive("key") == "fed__key" and link.purpose == "SECURITY"


def test_the_directive_named_like_its_specification_needs_no_prefix() -> None:
    (link,) = links('@link(url: "https://specs.apollo.dev/inaccessible/v0.2")')
    assert link.directive("inaccessible") == "inaccessible"


def test_the_link_directive_may_rename_itself() -> None:
    found = links(
        '@uses(url: "https://specs.apollo.dev/link/v1.0", as: "uses") @uses(url: "https://example.com/x/v0.1")'
    )
    assert [link.name for link in found] == ["link", "x"]


def test_core_is_an_older_link() -> None:
    found = links('@core(feature: "https://specs.apollo.dev/core/v0.2") @core(feature: "https://example.com/x/v0.1")')
    assert [link.name for link in found] == ["core", "x"]


@pytest.mark.parametrize(
    "arguments",
    [
        'as: "x"',
        'url: "https://example.com/9/v1.0"',
        'url: "https://a.b/x/v1.0", import: 3',
        'url: "https://a.b/x/v1.0", import: [3]',
    ],
)
def test_a_link_that_makes_no_sense(arguments: str) -> None:
    with pytest.raises(LinkProblem):
        links(f"@link({arguments})")
