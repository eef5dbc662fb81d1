"""Assets through the subgraph: pages, cursors between regions, what is asked of the store, lookups, entities."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.model import KeyIn
from contract.cursors import decode_cursor
from tests.subgraphs.district.parts import AUDITOR, REGION, MemoryClient, MemoryStore, district, row

PAGE = """query ($filter: AssetFilter, $orderBy: [AssetOrder!], $first: Int, $after: String, $last: Int, $before: String) {
  assets(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id name netValue } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[MemoryClient]:
    rows = [row(f"{number:03d}", netValue=f"{number % 7}.00", name="b" if number % 2 else "a") for number in range(60)]
    async with district(tmp_path, MemoryStore(rows)) as client:
        yield client


async def test_a_page_of_fifty_by_default(client: MemoryClient) -> None:
    found = (await client.data("{ assets { nodes { id } pageInfo { hasNextPage } } }"))["assets"]
    assert len(found["nodes"]) == 50 and found["nodes"][0] == {"id": f"asset:{REGION}:000"}
    assert found["pageInfo"] == {"hasNextPage": True}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 501", "PAGE_TOO_LARGE"),
        ("last: 501", "PAGE_TOO_LARGE"),
        ("first: -1", "BAD_USER_INPUT"),
        ("first: 1, last: 1", "BAD_USER_INPUT"),
        ('after: "x"', "BAD_USER_INPUT"),
        ('filter: {id: {eq: "x"}}', "BAD_USER_INPUT"),
    ],
)
async def test_refused_arguments_have_a_code(client: MemoryClient, arguments: str, code: str) -> None:
    assert await client.code(f"{{ assets({arguments}) {{ nodes {{ id }} }} }}") == code


async def test_five_hundred_is_the_most(client: MemoryClient) -> None:
    assert len((await client.data("{ assets(first: 500) { nodes { id } } }"))["assets"]["nodes"]) == 60


async def test_a_page_of_no_rows_says_whether_more_follow(client: MemoryClient) -> None:
    query = (
        "query ($f: AssetFilter) { assets(first: 0, filter: $f) { nodes { id } totalCount pageInfo { hasNextPage } } }"
    )
    found = (await client.data(query))["assets"]
    assert found == {"nodes": [], "totalCount": 60, "pageInfo": {"hasNextPage": True}}
    none = (await client.data(query, {"f": {"name": {"eq": "none"}}}))["assets"]
    assert none == {"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": False}}


@pytest.mark.parametrize(
    ("filter_", "count"),
    [({"or": [{}]}, 60), ({"not": {}}, 0), ({"or": [{"name": {"eq": "a"}}, {"not": {"name": {}}}]}, 30)],
)
async def test_empty_filters_mean_every_row(client: MemoryClient, filter_: Any, count: int) -> None:
    query = "query ($f: AssetFilter) { assets(filter: $f) { totalCount } }"
    assert (await client.data(query, {"f": filter_}))["assets"]["totalCount"] == count


@pytest.mark.parametrize("depth", [16, 100, 250])
async def test_a_filter_that_is_too_deep_is_refused(client: MemoryClient, depth: int) -> None:
    filter_: Any = {}
    for _ in range(depth):
        filter_ = {"not": filter_}
    query = "query ($f: AssetFilter) { assets(filter: $f) { totalCount } }"
    assert await client.code(query, {"f": filter_}) == "BAD_USER_INPUT"


async def test_a_cursor_belongs_to_its_order_and_filter(client: MemoryClient) -> None:
    order = [{"field": "NET_VALUE", "direction": "DESC"}]
    page = (await client.data(PAGE, {"orderBy": order, "first": 5}))["assets"]
    cursor = page["pageInfo"]["endCursor"]
    assert await client.code(PAGE, {"after": cursor}) == "CURSOR_MISMATCH"
    assert await client.code(PAGE, {"after": cursor, "orderBy": order, "filter": {"text": "a"}}) == "CURSOR_MISMATCH"
    # A condition that says nothing changes nothing, nor does an order that repeats a field.
    again = {"after": cursor, "filter": {"name": {"eq": None}}, "orderBy": [*order, *order]}
    assert (await client.data(PAGE, again))["assets"]["edges"]


async def test_only_selected_columns_are_asked_for(client: MemoryClient) -> None:
    await client.data(
        "query ($no: Boolean = false) { assets { nodes { name class { code } keeper @include(if: $no) } } }"
    )
    request = client.store.requests[-1]
    assert request.columns == frozenset(("native", "name", "classScheme", "classCode", "className"))


async def test_counts_alone_read_no_page(client: MemoryClient) -> None:
    found = await client.data('{ assets(filter: {name: {eq: "a"}}) { totalCount totalIsExact } }')
    assert found["assets"] == {"totalCount": 30, "totalIsExact": True}
    assert client.store.requests == []


async def test_facets_and_sources(client: MemoryClient) -> None:
    query = """{ assets(first: 1, filter: {netValue: {lt: "2"}}) { facets(fields: [REGION, STATUS, CLASS, REGION])
                 { field value count } sources { region name status latencyMs asOf } nodes { id } } }"""
    found = (await client.data(query))["assets"]
    assert found["facets"] == [
        {"field": "REGION", "value": REGION, "count": 18},
        {"field": "STATUS", "value": "IDLE", "count": 18},
        {"field": "CLASS", "value": "A02010105", "count": 18},
    ]
    (source,) = found["sources"]
    assert source.pop("latencyMs") >= 0
    assert source == {"region": REGION, "name": "西湖区", "status": "OK", "asOf": "2026-11-24T04:00:00Z"}


async def test_a_store_that_is_down_is_named_by_code(client: MemoryClient) -> None:
    client.store.is_down = True
    assert await client.code("{ assets { nodes { id } } }") == "STORE_UNAVAILABLE"
    assert await client.code('{ asset(id: "asset:330106:001") { id } }') == "STORE_UNAVAILABLE"


async def test_other_regions_are_decided_without_the_store(client: MemoryClient) -> None:
    client.store.is_down = True
    found = await client.data('{ asset(id: "asset:330102:001") { id } regions { code nameEn } }')
    assert found == {"asset": None, "regions": [{"code": REGION, "nameEn": "Xihu"}]}


async def test_every_field_of_an_asset(client: MemoryClient) -> None:
    fields = """id region { code } code name class { scheme code name } legacyClass { scheme code } specification brand
      model serialNumber quantity unitOfMeasure acquiredOn acquisition originalValue accumulatedDepreciation netValue
      valueType usefulLifeMonths owner { id name uscc region { name } } keeper user warehouse { id kind address } location source
      condition status shareable shareableUntil massKg version updatedAt observedAt issues { code }"""
    found = (await client.data(f'{{ asset(id: "asset:{REGION}:003") {{ {fields} }} }}', identity=AUDITOR))["asset"]
    assert found["class"] == {"scheme": "2022", "code": "A02010105", "name": "台式计算机"}
    assert found["owner"]["id"] == f"unit:{REGION}:U1" and found["warehouse"]["kind"] == "PHYSICAL"
    assert found["netValue"] == "3.00" and found["status"] == "IDLE" and found["observedAt"] == "2026-11-24T04:00:00Z"
    assert found["keeper"] is None and found["serialNumber"] == "SN-003"


async def test_entities(client: MemoryClient) -> None:
    query = """query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Asset { title: name region { code } }
      ... on Unit { name } ... on Warehouse { address } ... on Region { name } } }"""
    answer = await client.ask(
        query,
        {
            "r": [
                {"__typename": "Asset", "id": f"asset:{REGION}:001"},
                {"__typename": "Unit", "id": f"unit:{REGION}:U2"},
                {"__typename": "Asset", "id": "no id"},
                {"__typename": "Asset", "id": f"asset:{REGION}:unknown"},
                {"__typename": "Warehouse", "id": f"warehouse:{REGION}:W1"},
                {"__typename": "Region", "code": REGION},
                {"__typename": "Region", "code": "330102"},
                {"__typename": "Unit", "id": "asset:330106:U2"},
            ]
        },
    )
    assert answer["data"]["_entities"] == [
        {"__typename": "Asset", "title": "b", "region": {"code": REGION}},
        {"__typename": "Unit", "name": "图书馆"},
        None,
        None,
        {"__typename": "Warehouse", "address": "文二路 1 号"},
        {"__typename": "Region", "name": "西湖区"},
        None,
        None,
    ]
    assert [(e["path"][1], e["extensions"]["code"]) for e in answer["errors"]] == [
        (2, "BAD_USER_INPUT"),
        (7, "BAD_USER_INPUT"),
    ]


async def test_lists_by_region(client: MemoryClient) -> None:
    found = await client.data(
        """{ units { id uscc } warehouses(regions: ["330106"]) { name } none: units(regions: ["330102"]) { id }
             unit(id: "unit:330106:U1") { name } }"""
    )
    assert [unit["id"] for unit in found["units"]] == [f"unit:{REGION}:{n}" for n in ("U1", "U2", "U9")]
    assert found["warehouses"] == [{"name": "西湖仓"}] and found["none"] == [] and found["unit"] == {"name": "文化馆"}


async def test_summary_adds_up(client: MemoryClient) -> None:
    query = """query ($by: [SummaryDimension!]!) { summary(by: $by, filter: {name: {eq: "a"}}) {
        groups { region class status count quantity originalValue netValue } totalIsExact sources { region } } }"""
    found = (await client.data(query, {"by": ["REGION", "CLASS"]}))["summary"]
    assert found["groups"] == [
        {"region": REGION, "class": "A02", "status": None, "count": 30, "quantity": "30",
         "originalValue": "150000.00", "netValue": "86.00"}
    ]  # fmt: skip
    assert found["totalIsExact"] is True and found["sources"] == [{"region": REGION}]
    assert len((await client.data(query, {"by": []}))["summary"]["groups"]) == 1


# --- one walk over many members, against one store that holds all rows --------------------------------------------------

REGIONS = ("330102", "330106", "330182")
ORDERS: list[list[dict[str, str]]] = [
    [],
    [{"field": "NET_VALUE", "direction": "DESC"}],
    [{"field": "NAME", "direction": "ASC"}, {"field": "STATUS", "direction": "DESC"}],
]


def key_of(edge: Any) -> Any:
    return decode_cursor(edge["cursor"]).key


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("backward", [False, True])
async def test_one_cursor_serves_every_member(tmp_path: Path, order: Any, backward: bool) -> None:
    """Page through three members by merging their pages: every row exactly once, in the canonical order."""
    rng = random.Random(2022)
    async with AsyncExitStack() as stack:
        members = []
        for region in REGIONS:
            rows = [
                row(
                    f"K{number:02d}",
                    netValue=rng.choice([None, "1.00", "2.00", "10.00"]),
                    name=rng.choice([None, "甲", "乙"]),
                    status=rng.choice(["IDLE", "LENT", None]),
                )
                for number in range(20)
            ]
            members.append(await stack.enter_async_context(district(tmp_path, MemoryStore(rows, region))))
        whole = []
        for member in members:
            whole += (await member.data(PAGE, {"orderBy": order, "first": 500}))["assets"]["edges"]
        whole.sort(key=key_of)
        walked: list[Any] = []
        cursor = None
        while True:
            place = {"last": 7, "before": cursor} if backward else {"first": 7, "after": cursor}
            edges: list[Any] = []
            more = False
            for member in members:
                page = (await member.data(PAGE, {"orderBy": order, **place}))["assets"]
                edges += page["edges"]
                more = more or page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
            edges.sort(key=key_of)
            taken = edges[-7:] if backward else edges[:7]
            walked = taken + walked if backward else walked + taken
            if not more and len(edges) <= 7:
                break
            cursor = taken[0 if backward else -1]["cursor"]
        assert [edge["node"]["id"] for edge in walked] == [edge["node"]["id"] for edge in whole]
        assert len({edge["node"]["id"] for edge in walked}) == 60


async def test_a_forged_cursor_cannot_confuse_the_store(client: MemoryClient) -> None:
    """Of the right shape, with values of another kind."""
    page = (await client.data(PAGE, {"orderBy": [{"field": "NAME"}], "first": 1}))["assets"]
    text = page["pageInfo"]["endCursor"]
    record = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for place, value in ((4, [7]), (4, []), (7, [{"a": 1}]), (2, "n"), (5, 330106)):
        forged = [*record]
        forged[place] = value
        cursor = base64.urlsafe_b64encode(orjson.dumps(forged)).decode().rstrip("=")
        code = await client.code(PAGE, {"orderBy": [{"field": "NAME"}], "after": cursor})
        assert code in ("CURSOR_MISMATCH", "BAD_USER_INPUT")


async def test_ids_narrow_the_question_to_the_store(client: MemoryClient) -> None:
    ids = [f"asset:{REGION}:001", "asset:330102:001"]
    found = await client.data(PAGE, {"filter": {"id": {"in": ids}}}, AUDITOR)
    assert [edge["node"]["id"] for edge in found["assets"]["edges"]] == ids[:1]
    assert client.store.requests[-1].filter == KeyIn(("001",))
