"""A virtual warehouse is evaluated in the query, over all fourteen stores."""

from __future__ import annotations

from decimal import Decimal

from contract.ids import format_id
from subgraphs.sample_city.truth import read_summary, read_truth
from tests.system.client import Client, walk
from tests.system.conftest import City

VIEW = """
query View($id: ID!, $after: String) {
  virtualWarehouse(id: $id) {
    assets(first: 7, after: $after, orderBy: [{field: NET_VALUE, direction: DESC}, {field: NAME}]) {
      totalCount totalIsExact
      nodes { id name netValue status class { code } region { code name } orders { number } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
DESKS_AND_COMPUTERS = ("A020101", "A0501")
"""Class codes (2022) of the built-in virtual warehouse: 计算机 below A020101, desks and chairs below A0501."""


async def idle_desks_and_computers(client: Client) -> str:
    warehouses = (await client("{ virtualWarehouses { nodes { id nameEn } } }")).data["virtualWarehouses"]["nodes"]
    return next(w["id"] for w in warehouses if w["nameEn"] == "Idle desks and computers, whole city")


async def test_it_pages_through_every_matching_asset_once_and_in_order(city: City, auditor: Client) -> None:
    view = await idle_desks_and_computers(auditor)
    rows = await walk(auditor, VIEW, ("virtualWarehouse", "assets"), {"id": view})
    expected = {
        format_id("asset", region, row.native)
        for region in read_summary(city.folder)["regions"]
        for row in read_truth(city.folder, region)
        if row.row is not None and row.native is not None
        and row.row["status"] == "IDLE" and (row.row["classCode"] or "").startswith(DESKS_AND_COMPUTERS)
    }  # fmt: skip
    assert len(expected) > 14
    assert [row["id"] for row in rows if rows.count(row) > 1] == []
    assert {row["id"] for row in rows} == expected

    def place(row: dict[str, str]) -> tuple[bool, Decimal, bool, str, str]:
        net, name = row["netValue"], row["name"]
        return (net is None, -Decimal(net or 0), name is None, name or "", row["region"]["code"])  # type: ignore[index]

    assert [place(row) for row in rows] == sorted(place(row) for row in rows)


async def test_its_total_is_the_sum_over_the_city(auditor: Client) -> None:
    view = await idle_desks_and_computers(auditor)
    assets = (await auditor(VIEW, {"id": view, "after": None})).data["virtualWarehouse"]["assets"]
    rows = await walk(auditor, VIEW, ("virtualWarehouse", "assets"), {"id": view})
    assert (assets["totalCount"], assets["totalIsExact"]) == (len(rows), True)


async def test_a_new_rule_is_a_new_warehouse_at_once(person: object, anonymous: Client, city: City) -> None:
    officer = anonymous.as_(city.token("CITY_OFFICER", region="330100"))
    created = await officer(
        """mutation { createVirtualWarehouse(input: {idempotencyKey: "vw-1", name: "贵重闲置", scope: ALL,
             filter: {netValue: {gte: "5000"}, status: {eq: IDLE}}}) { virtualWarehouse { id } problems { code } } }"""
    )
    payload = created.data["createVirtualWarehouse"]
    assert payload["problems"] == []
    rows = await walk(officer, VIEW, ("virtualWarehouse", "assets"), {"id": payload["virtualWarehouse"]["id"]})
    assert rows
    assert all(Decimal(row["netValue"]) >= 5000 and row["status"] == "IDLE" for row in rows)


async def test_the_rule_is_never_visible_to_clients(auditor: Client) -> None:
    answer = await auditor('{ virtualWarehouse(id: "vw:any") { rule } }')
    assert answer.codes() == {"GRAPHQL_VALIDATION_FAILED"}
