"""The fourteen members of the sample city, each over its own legacy store: one contract, whatever lies behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.mapping import load_mapping
from adapters.model import Store
from contract.ids import format_id
from contract.regions import REGIONS
from subgraphs.sample_city.generate import generate_city
from subgraphs.sample_city.truth import TruthRow, read_summary, read_truth
from tests.paged_api import running_paged_api
from tests.subgraphs.district.parts import AUDITOR, NOW, Client, district

PAGE = """query Page($first: Int, $after: String, $last: Int, $before: String, $order: [AssetOrder!]) {
  assets(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""
ORDERS: list[Any] = [
    [{"field": "NAME"}],
    [{"field": "NET_VALUE", "direction": "DESC"}, {"field": "ACQUIRED_ON"}],
]


@pytest.fixture(scope="module")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("members") / "city"
    generate_city(out, "small", 2022, lambda _: None)
    with running_paged_api(out):
        yield out


@pytest.fixture(params=list(REGIONS))
async def member(request: pytest.FixtureRequest, small_city: Path, tmp_path: Path) -> AsyncIterator[Client[Store]]:
    store = open_store(load_mapping(small_city / "mappings" / f"{request.param}.toml"), cache_dir=tmp_path)
    await store.open()
    try:
        async with district(tmp_path, store) as client:
            yield client
    finally:
        await store.close()


def listed(city: Path, region: str) -> dict[str, TruthRow]:
    rows = (row for row in read_truth(city, region) if row.outcome == "listed")
    return {format_id("asset", region, row.native or ""): row for row in rows}


async def test_sums_facets_and_quality_are_the_truths(member: Client[Store], small_city: Path) -> None:
    truth = read_summary(small_city)["regions"][member.store.region]
    data = await member.data(
        """{ assets { totalCount totalIsExact facets(fields: [STATUS]) { value count } }
             summary(by: [STATUS]) { groups { status count } }
             classes: summary(by: [CLASS]) { groups { class count } }
             both: summary(by: [REGION, CLASS, STATUS]) { groups { region class status count } }
             whole: summary(by: [REGION]) { groups { region count originalValue netValue } }
             dataQuality { rows listed quarantined issues { code field count } } }""",
        None,
        AUDITOR,
    )
    by_status = truth["byStatus"]
    assert (data["assets"]["totalCount"], data["assets"]["totalIsExact"]) == (truth["listed"], True)
    assert {one["value"] or "": one["count"] for one in data["assets"]["facets"]} == by_status
    assert {one["status"] or "": one["count"] for one in data["summary"]["groups"]} == by_status
    assert {one["class"] or "": one["count"] for one in data["classes"]["groups"]} == truth["byTopClass"]
    assert sum(one["count"] for one in data["both"]["groups"]) == truth["listed"]
    assert {one["region"] for one in data["both"]["groups"]} == {member.store.region}
    (whole,) = data["whole"]["groups"]
    assert (whole["count"], whole["originalValue"], whole["netValue"]) == (
        truth["listed"], truth["originalValue"], truth["netValue"],
    )  # fmt: skip
    quality = data["dataQuality"]
    assert (quality["listed"], quality["quarantined"]) == (truth["listed"], truth["quarantined"])
    assert {f"{i['code']}/{i['field'] or ''}": i["count"] for i in quality["issues"]} == truth["issues"]


async def test_a_condition_finds_what_the_truth_has(member: Client[Store], small_city: Path) -> None:
    query = "query F($f: AssetFilter) { assets(filter: $f, first: 500) { totalCount nodes { id } } }"
    truth = listed(small_city, member.store.region)
    for status in ("IDLE", "IN_USE"):
        found = await member.data(query, {"f": {"status": {"eq": status}, "hasIssues": False}}, AUDITOR)
        wanted = {id_ for id_, one in truth.items() if one.row and one.row["status"] == status and not one.issues}
        assert {node["id"] for node in found["assets"]["nodes"]} == wanted
        assert found["assets"]["totalCount"] == len(wanted)


async def test_anybody_sees_what_may_be_shared(member: Client[Store], small_city: Path) -> None:
    found = await member.data("{ assets(first: 500) { totalCount nodes { id keeper serialNumber } } }")
    today = NOW.date().isoformat()
    shared = {
        id_
        for id_, one in listed(small_city, member.store.region).items()
        if one.row and one.row["shareable"] and (one.row["shareableUntil"] or "9999") > today
    }
    assert {node["id"] for node in found["assets"]["nodes"]} == shared
    assert all(node["keeper"] is None and node["serialNumber"] is None for node in found["assets"]["nodes"])


@pytest.mark.parametrize("order", ORDERS, ids=["name", "net value and day"])
async def test_pages_both_ways_are_one_walk(member: Client[Store], small_city: Path, order: Any) -> None:
    forward: list[str] = []
    after = None
    while True:
        page = (await member.data(PAGE, {"first": 9, "after": after, "order": order}, AUDITOR))["assets"]
        forward += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backward: list[str] = []
    before = None
    while True:
        page = (await member.data(PAGE, {"last": 9, "before": before, "order": order}, AUDITOR))["assets"]
        backward = [edge["node"]["id"] for edge in page["edges"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert forward == backward
    assert len(forward) == len(set(forward))
    truth = listed(small_city, member.store.region)
    assert set(forward) == set(truth)
    values = [_sort_value(truth[id_], order[0]["field"]) for id_ in forward]
    present = [value for value in values if value is not None]
    assert values == [*sorted(present, reverse="direction" in order[0]), *[None] * (len(values) - len(present))]


def _sort_value(row: TruthRow, field: str) -> Any:
    assert row.row is not None
    if field == "NAME":
        return row.row["name"]
    return None if row.row["netValue"] is None else float(row.row["netValue"])


async def test_what_assets_refer_to_is_found_by_its_key(member: Client[Store]) -> None:
    data = await member.data(
        "{ assets(first: 200) { nodes { id owner { id name } warehouse { id name } } } warehouses { id name } units { id name } }",
        None,
        AUDITOR,
    )
    units = {one["id"]: one for one in data["units"]}
    warehouses = {one["id"]: one for one in data["warehouses"]}
    nodes = data["assets"]["nodes"]
    assert all(node["owner"] is None or units[node["owner"]["id"]] == node["owner"] for node in nodes)
    assert all(node["warehouse"] is None or warehouses[node["warehouse"]["id"]] == node["warehouse"] for node in nodes)
    wanted = [("Asset", nodes[0]["id"]), ("Unit", next(iter(units))), ("Warehouse", next(iter(warehouses)))]
    found = await member.data(
        """query E($of: [_Any!]!) { _entities(representations: $of) { __typename
             ... on Asset { id } ... on Unit { id } ... on Warehouse { id } ... on Region { code } } }""",
        {
            "of": [
                *({"__typename": typename, "id": id_} for typename, id_ in wanted),
                *({"__typename": typename, "id": f"{id_}-unknown"} for typename, id_ in wanted),
                {"__typename": "Region", "code": member.store.region},
            ]
        },
        AUDITOR,
    )
    assert found["_entities"] == [
        *({"__typename": typename, "id": id_} for typename, id_ in wanted),
        *(None for _ in wanted),
        {"__typename": "Region", "code": member.store.region},
    ]


async def test_secret_and_quarantined_rows_are_found_by_no_id(member: Client[Store], small_city: Path) -> None:
    region = member.store.region
    shown = listed(small_city, region)
    unlisted = [
        id_
        for row in read_truth(small_city, region)
        if row.outcome != "listed" and row.native and (id_ := format_id("asset", region, row.native)) not in shown
    ]
    assert unlisted
    for id_ in unlisted[:5]:
        data = await member.data("query One($id: ID!) { asset(id: $id) { id } }", {"id": id_}, AUDITOR)
        assert data["asset"] is None
