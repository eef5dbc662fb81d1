"""The city's own schemas: they compose, and the published files are what composition makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.composition import Composition, compose, load_supergraph_config
from gateway.supergraph.api import api_schema_sdl
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import FoldKind, GatherKind, Partitioned, Supergraph

SCHEMA = Path(__file__).parents[3] / "schema"


@pytest.fixture(scope="module")
def composition() -> Composition:
    return compose(load_supergraph_config(SCHEMA / "supergraph.yaml"))


@pytest.fixture(scope="module")
def city(composition: Composition) -> Supergraph:
    assert composition.supergraph_sdl is not None, [str(one) for one in composition.errors]
    return load_supergraph(composition.supergraph_sdl)


def test_the_published_supergraph_is_composed_from_the_contracts(composition: Composition) -> None:
    """Not so? Run `gwc compose` and read the diff."""
    assert (SCHEMA / "supergraph.graphql").read_text(encoding="utf-8") == composition.supergraph_sdl


def test_the_published_api_is_what_clients_see(city: Supergraph) -> None:
    assert (SCHEMA / "api.graphql").read_text(encoding="utf-8") == api_schema_sdl(city)


def test_the_districts_are_one_partitioned_graph(city: Supergraph) -> None:
    assert [one.name for one in city.graphs.values()] == ["districts", "overlay", "telemetry"]
    assert list(city.partitions) == ["DISTRICTS"]
    districts = city.partitions["DISTRICTS"]
    assert districts.types["Asset"] == Partitioned("id", 1)
    assert districts.types["Region"] == Partitioned("code", None)
    assert districts.gathers["Query", "assets"].kind is GatherKind.CONNECTION
    assert districts.folds["AssetConnection", "totalCount"].kind is FoldKind.SUM
    assert districts.routes["Mutation", "placeHold"].argument == ("input", "assetId")


def test_every_root_field_of_the_group_says_how_it_is_answered(city: Supergraph) -> None:
    districts = city.partitions["DISTRICTS"]
    for (type_name, field), joins in city.field_joins.items():
        if type_name in ("Query", "Mutation") and any(join.graph == "DISTRICTS" for join in joins):
            assert (type_name, field) in districts.gathers or (type_name, field) in districts.routes


def test_what_services_say_to_each_other_is_hidden_from_clients(city: Supergraph) -> None:
    api = api_schema_sdl(city)
    for hidden in ("AssetRule", "placeHold", "HoldPayload", "commandStatus", "join__", "Gather", "Fold"):
        assert hidden not in api
    assert "placeHold" in city.schema.type_map["Mutation"].fields


def test_a_view_asks_the_overlay_for_its_rule(city: Supergraph) -> None:
    joins = {join.graph: join for join in city.field_joins["VirtualWarehouseView", "rule"]}
    assert joins["DISTRICTS"].external and not joins["OVERLAY"].external
