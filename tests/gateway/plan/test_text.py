"""Plans for people: each node prints as readers of federation plans know it."""

from __future__ import annotations

import pytest

from gateway.plan.nodes import (
    BatchFetch,
    BatchPart,
    Condition,
    ContextValue,
    ContextVariable,
    Fetch,
    Flatten,
    GatherField,
    Node,
    Parallel,
    QueryPlan,
    RequiredField,
    RequiredSelection,
    Scatter,
    ScatterFetch,
    Sequence,
    Subscription,
)
from gateway.plan.nodes import OutputSelection as Output
from gateway.plan.text import print_plan
from gateway.supergraph.model import FoldKind, Gather, GatherKind, Partitioned, Route

ROOT = Fetch("SHOP", "query", "{products{__typename id}}")
ENTITIES = "query($representations:[_Any!]!){_entities(representations:$representations){...on Product{stock}}}"
JUMP = Fetch(
    "STOCK", "query", ENTITIES, requires=(RequiredSelection("Product", "Product", (RequiredField("id", "_g1_id"),)),)
)


def printed(root: Node | None, **more: object) -> str:
    services = (("SHOP", "shop"), ("STOCK", "stock"))
    return print_plan(QueryPlan("query", root, Output(()), services=services, **more))  # type: ignore[arg-type]


def test_a_whole_plan() -> None:
    plan = Sequence((ROOT, Flatten(("products", "@"), JUMP)))
    assert (
        printed(plan)
        == """QueryPlan {
  Sequence {
    Fetch(service: "shop") {
      {
        products {
          __typename
          id
        }
      }
    }
    Flatten(path: "products.@") {
      Fetch(service: "stock") {
        {
          ... on Product {
            __typename
            id: _g1_id
          }
        } =>
        {
          ... on Product {
            stock
          }
        }
      }
    }
  }
}"""
    )


def heads(text: str) -> list[str]:
    """The nodes' own lines."""
    return [line.strip() for line in text.splitlines() if "(" in line or line.strip().split(" ")[0] in NODES]


NODES = {"QueryPlan", "Sequence", "Parallel", "Subscription", "Primary", "Rest", "Then", "Else", "Introspection"}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Parallel((ROOT, ROOT)), ["Parallel {", 'Fetch(service: "shop") {', 'Fetch(service: "shop") {']),
        (Condition("x", ROOT), ["Include(if: $x) {", 'Fetch(service: "shop") {']),
        (Condition("x", None, ROOT), ["Skip(if: $x) {", 'Fetch(service: "shop") {']),
        (
            Condition("x", ROOT, ROOT),
            ["Condition(if: $x) {", "Then {", 'Fetch(service: "shop") {', "Else {", 'Fetch(service: "shop") {'],
        ),
        (Subscription(ROOT), ["Subscription {", "Primary {", 'Fetch(service: "shop") {']),
        (
            Subscription(ROOT, ROOT),
            ["Subscription {", "Primary {", 'Fetch(service: "shop") {', "Rest {", 'Fetch(service: "shop") {'],
        ),
        (Fetch("UNNAMED", "query", "{a}"), ['Fetch(service: "UNNAMED") {']),
    ],
)
def test_nodes(node: Node, expected: list[str]) -> None:
    assert heads(printed(node)) == ["QueryPlan {", *expected]


def test_a_plan_without_fetches() -> None:
    assert printed(None) == "QueryPlan {}"
    assert printed(None, introspection="{__schema{types{name}}}") == "QueryPlan {\n  Introspection {}\n}"


def test_a_scatter_says_how_answers_become_one() -> None:
    nodes = GatherField(
        "mine",
        "assets",
        Gather(GatherKind.CONNECTION, (), "orderBy", (("filter", "region"),)),
        children=(
            GatherField("totalCount", "totalCount", None, fold=FoldKind.SUM),
            GatherField("worth", "worth", None, fold=FoldKind.SUM, is_decimal=True),
            GatherField("groups", "groups", Gather(GatherKind.GROUPS, ("class", "status"))),
        ),
    )
    one = GatherField("asset", "asset", None, route=Route(("input", "id")))
    hold = GatherField("hold", "hold", None, route=Route(("input", "id"), ("input", "key")))
    lists = GatherField("names", "names", Gather(GatherKind.LIST, wish=("options", "wish")))
    scatter = Scatter((nodes, one, hold, lists))
    text = printed(ScatterFetch(Fetch("SHOP", "query", "{mine:assets{totalCount}asset{id}}"), scatter))
    assert text.partition("gather: {")[2].split("\n") == [
        "",
        "      mine: assets CONNECTION, ordered by orderBy, pruned by filter.region {",
        "        totalCount SUM",
        "        worth SUM of decimals",
        "        groups GROUPS, by class, status",
        "      }",
        "      asset to the member of input.id",
        "      hold to the member of input.id, once by input.key",
        "      names LIST, as options.wish wishes",
        "    }",
        "  }",
        "}",
    ]


def test_a_part_says_where_its_contextual_values_are_read() -> None:
    far, near = (
        ContextValue((), (), ("bank", "currency")),
        ContextValue(("products", "@"), ("Bread", "Rice"), ("unit",)),
    )
    operation = "query($r:[_Any!]!,$c:String){_e0:_entities(representations:$r){...on Stock{left(in:$c)}}}"
    context = ContextVariable("c", "String", (near, far))
    node = BatchFetch("STOCK", operation, (BatchPart("_e0", "r", (("products", "@", "stock"),), (), (context,)),))
    lines = [line.strip() for line in printed(node).splitlines()]
    assert lines[2] == 'Flatten(path: "products.@.stock") {'
    assert lines[3] == '$c: String from "products.@|[Bread,Rice].unit", "bank.currency"'


@pytest.mark.parametrize(
    ("partitioned", "said"),
    [(Partitioned("id", 1), 'segment 1 of "id"'), (Partitioned("code", None), 'the whole of "code"')],
)
def test_a_scatter_of_entities_says_how_members_are_found(partitioned: Partitioned, said: str) -> None:
    node = Flatten(("products", "@"), ScatterFetch(JUMP, Scatter((), (("Product", partitioned),))))
    assert f'Scatter(service: "stock", Product by {said}) {{' in printed(node)


def test_what_representations_hold_beside_plain_keys() -> None:
    place = RequiredField("place", "place", (RequiredSelection("Place", "", (RequiredField("code", "code"),)),))
    either = RequiredField(
        "owner",
        "owner",
        (
            RequiredSelection("Person", "Person", (RequiredField("id", "id"),)),
            RequiredSelection("Unit", "Unit", (RequiredField("code", "code"),)),
        ),
    )
    sent = RequiredSelection("Desk", "Asset", (place, either))
    lines = [line.strip() for line in printed(Fetch("STOCK", "query", ENTITIES, requires=(sent,))).splitlines()]
    start, end = lines.index("... on Desk {"), lines.index("} =>")
    expected = '... on Desk {|__typename: "Asset"|place {|code|}|owner {|... on Person {|__typename|id|}'
    expected += "|... on Unit {|__typename|code|}|}|}"
    assert "|".join(lines[start:end]) == expected
