"""A virtual warehouse is evaluated in the query, over all fourteen stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

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


ROWS_OF = {
    "vw:idle-desks-and-computers": lambda row: (
        row["status"] == "IDLE" and (row["classCode"] or "").startswith(DESKS_AND_COMPUTERS)
    ),
    "vw:lendable-equipment": lambda row: (
        row["status"] in ("IDLE", "IN_STORE") and (row["classCode"] or "").startswith("A02") and row["shareable"]
    ),
    "vw:city-store": lambda row: row["region"] == "330100" and row["status"] == "IN_STORE",
}
"""The built-in warehouses' rules, said once more over the rows that the city was made of."""
FIGURES = """
query Figures($id: ID!) { virtualWarehouse(id: $id) {
  assets(first: 0) { totalCount totalIsExact facets(fields: [REGION, STATUS, CLASS, CONDITION]) { field value count }
    sources { region status } }
  total: summary(by: []) { groups { count quantity originalValue netValue } totalIsExact }
  regions: summary(by: [REGION]) { groups { region count quantity originalValue netValue } }
  apart: summary(by: [REGION, CLASS, STATUS]) { groups { region class status count quantity } } } }
"""
FACETS = {"REGION": "region", "STATUS": "status", "CLASS": "classCode", "CONDITION": "condition"}


def rows_of(city: City, warehouse: str) -> list[dict[str, Any]]:
    every = (
        {**row.row, "region": region}
        for region in read_summary(city.folder)["regions"]
        for row in read_truth(city.folder, region)
        if row.row is not None and row.native is not None
    )
    return [row for row in every if ROWS_OF[warehouse](row)]


def summed(rows: Iterable[dict[str, Any]], *by: str) -> dict[tuple[str | None, ...], tuple[Decimal, ...]]:
    """Per group: cards, quantity, original and net value."""
    groups: dict[tuple[str | None, ...], list[Decimal]] = {}
    for row in rows:
        group = groups.setdefault(tuple(row[name] for name in by), [Decimal(0)] * 4)
        amounts = (1, row["quantity"], row["originalValue"], row["netValue"])
        group[:] = [total + Decimal(amount or 0) for total, amount in zip(group, amounts, strict=True)]
    return {key: tuple(group) for key, group in groups.items()}


def told(groups: list[dict[str, Any]], *by: str) -> dict[tuple[str | None, ...], tuple[Decimal, ...]]:
    amounts = ("count", "quantity", "originalValue", "netValue")
    return {
        tuple(group[name] for name in by): tuple(Decimal(group[name]) for name in amounts if name in group)
        for group in groups
    }


@pytest.mark.parametrize("warehouse", ROWS_OF)
async def test_totals_facets_and_figures_are_those_of_one_store_with_all_rows(
    city: City, auditor: Client, warehouse: str
) -> None:
    rows = rows_of(city, warehouse)
    view = (await auditor(FIGURES, {"id": warehouse})).data["virtualWarehouse"]
    assert rows
    assert view["assets"]["totalCount"] == len(rows)
    assert view["assets"]["totalIsExact"] and view["total"]["totalIsExact"]
    assert {source["status"] for source in view["assets"]["sources"]} == {"OK"}
    facets = {(each["field"], each["value"]): each["count"] for each in view["assets"]["facets"]}
    assert facets == Counter((field, row[name]) for field, name in FACETS.items() for row in rows)
    assert told(view["total"]["groups"]) == summed(rows)
    assert told(view["regions"]["groups"], "region") == summed(rows, "region")
    tops = [{**row, "class": row["classCode"] and row["classCode"][:3]} for row in rows]
    apart = {key: group[:2] for key, group in summed(tops, "region", "class", "status").items()}
    assert told(view["apart"]["groups"], "region", "class", "status") == apart


async def test_the_rule_is_never_visible_to_clients(auditor: Client) -> None:
    answer = await auditor('{ virtualWarehouse(id: "vw:any") { rule } }')
    assert answer.codes() == {"GRAPHQL_VALIDATION_FAILED"}
