"""The group endpoint's schema: all that the group serves, hidden or not, and nothing of other graphs."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema, parse, validate

from gateway.composition.member import check_member
from gateway.supergraph.group import contract_sdl, group_supergraph
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph

SCHEMAS = Path(__file__).parents[3] / "schema"
HOLD = 'mutation { releaseHold(input: {idempotencyKey: "k", assetId: "a", holdId: "h"}) { problems { code } } }'


@pytest.fixture(scope="module")
def city() -> Supergraph:
    return load_supergraph((SCHEMAS / "supergraph.graphql").read_text(encoding="utf-8"))


def test_services_may_ask_for_what_clients_may_not(city: Supergraph) -> None:
    assert validate(city.api_schema, parse(HOLD))
    assert not validate(group_supergraph(city, "DISTRICTS").api_schema, parse(HOLD))


def test_it_has_the_contracts_fields_and_no_others(city: Supergraph) -> None:
    group = group_supergraph(city, "DISTRICTS").schema
    contract = build_schema((SCHEMAS / "district.graphql").read_text(encoding="utf-8"), assume_valid=True)
    for name, type_ in group.type_map.items():
        if name.startswith("__") or not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        published = contract.type_map[name]
        assert isinstance(published, GraphQLObjectType | GraphQLInterfaceType)
        expected = set(published.fields) - ({"rule"} if name == "VirtualWarehouseView" else set())
        assert set(type_.fields) == expected, name


def test_only_its_own_graph_is_left(city: Supergraph) -> None:
    group = group_supergraph(city, "DISTRICTS")
    assert list(group.graphs) == ["DISTRICTS"]
    assert list(group.partitions) == ["DISTRICTS"]
    with pytest.raises(KeyError):
        group_supergraph(city, "NOWHERE")


def test_who_serves_the_published_contract_serves_what_the_gateway_asks(city: Supergraph) -> None:
    contract = contract_sdl(group_supergraph(city, "DISTRICTS"))
    published = (SCHEMAS / "district.graphql").read_text(encoding="utf-8")
    assert check_member(contract, published, "330106").findings == ()
    keyless = published.replace('Asset implements Node @key(fields: "id")', "Asset implements Node")
    assert [one.code for one in check_member(contract, keyless, "330106").errors] == ["PARTITION_MEMBER_KEY_MISSING"]
