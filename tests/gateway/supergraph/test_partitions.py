from __future__ import annotations

import pytest

from gateway.language.errors import SupergraphInvalid
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Fold, FoldKind, Gather, GatherKind, Partitioned, Route, Supergraph

LINK = '@link(url: "https://specs.gongwucang.dev/horizontal/v1.0")'


def load(field: str = "", type_: str = "", link: str = LINK) -> Supergraph:
    return load_supergraph(
        f"""
        schema @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) {link} {{ query: Query }}
        enum join__Graph {{ A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }}
        type Query {{ f(x: Int): Int {field} t: T }}
        type T {type_} {{ n: Int @join__directive(graphs: [A], name: "fold", args: {{with: SUM}}) }}
        """
    )


def on(name: str, args: str, graphs: str = "[A]") -> str:
    return f'@join__directive(graphs: {graphs}, name: "{name}", args: {{{args}}})'


def test_the_directives_of_a_group_become_its_partitioning() -> None:
    gather = on("gather", 'as: CONNECTION, by: ["k"], order: "x", prune: ["filter.region.eq", "regions"]')
    partitioning = load(gather, on("partitioned", 'key: "id", segment: 1')).partitions["A"]
    assert partitioning.types == {"T": Partitioned("id", 1)}
    assert partitioning.gathers == {
        ("Query", "f"): Gather(GatherKind.CONNECTION, ("k",), "x", (("filter", "region", "eq"), ("regions",)))
    }
    assert partitioning.folds == {("T", "n"): Fold(FoldKind.SUM)}


def test_routes_and_whole_keys() -> None:
    partitioning = load(on("route", 'argument: "input.id"'), on("partitioned", 'key: "code", whole: true')).partitions[
        "A"
    ]
    assert partitioning.routes == {("Query", "f"): Route(("input", "id"))}
    assert partitioning.types == {"T": Partitioned("code", None)}


def test_keys_of_changes_and_wishes() -> None:
    routed = load(on("route", 'argument: "input.id", idempotencyKey: "input.key"')).partitions["A"]
    assert routed.routes == {("Query", "f"): Route(("input", "id"), ("input", "key"))}
    gathered = load(on("gather", 'as: ONE, wish: "options.wish"')).partitions["A"]
    assert gathered.gathers == {("Query", "f"): Gather(GatherKind.ONE, wish=("options", "wish"))}


def test_without_the_link_the_names_mean_nothing() -> None:
    assert load(on("gather", "as: LIST"), link="").partitions == {}


def test_other_directives_that_travel_this_way_are_passed_over() -> None:
    assert load(on("connect", 'http: {GET: "/x"}')).partitions["A"].gathers == {}


@pytest.mark.parametrize(
    "field",
    [
        on("gather", "as: SHUFFLE"),
        on("gather", ""),
        on("gather", "as: LIST, extra: 1"),
        on("gather", 'as: LIST, prune: ["a..b"]'),
        on("gather", "as: LIST", graphs="[C]"),
        on("gather", "as: LIST", graphs="[]"),
        on("gather", "as: LIST") + on("gather", "as: ONE"),
        on("route", "argument: 3"),
        on("route", 'argument: "id", idempotencyKey: 3'),
        on("gather", 'as: ONE, wish: ""'),
        on("fold", "with: AVG"),
        on("partitioned", 'key: "id", whole: true'),
    ],
)
def test_what_cannot_be_merged_rightly_is_not_loaded(field: str) -> None:
    with pytest.raises(SupergraphInvalid) as refused:
        load(field)
    assert refused.value.errors[0].code == "SUPERGRAPH_PARTITION_INVALID"


def test_an_unknown_version_of_the_specification_is_not_guessed_at() -> None:
    with pytest.raises(SupergraphInvalid) as refused:
        load(link=LINK.replace("v1.0", "v2.0"))
    assert refused.value.errors[0].code == "SUPERGRAPH_VERSION_UNKNOWN"
