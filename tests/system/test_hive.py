"""Another router in front: Hive Gateway reads the published supergraph unchanged, and what it answers is what ours does.

Both ask the same running city: Hive as any router does, by HTTP, the districts as the one subgraph that they are.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.node import program
from tests.system.client import Answer, Client
from tests.system.conftest import City
from tests.system.processes import WatchedProcess

FOLDER = Path(__file__).parent / "hive"
SUPERGRAPH = Path(__file__).parents[2] / "schema" / "supergraph.graphql"
START_S = 90
"""Node reads some thousand files first, on a busy machine slowly."""


class Inside:
    """A client of the router as one person: the router hands on what subgraphs trust, and knows no people itself."""

    def __init__(self, client: Client, token: str) -> None:
        self._client, self._token = client, token

    async def __call__(self, query: str, variables: dict[str, Any] | None = None) -> Answer:
        return await self._client(query, variables, {"gwc-identity": self._token, "accept": "application/json"})


@pytest.fixture(scope="module")
def router_url(city: City) -> Iterator[str]:
    base = city.url.removesuffix("/graphql")
    subgraphs = {name: f"{base}/subgraphs/{name}/graphql" for name in ("overlay", "telemetry")}
    subgraphs["districts"] = f"{base}/groups/districts/graphql"
    port = _free_port()
    running = WatchedProcess(
        str(program(FOLDER, "hive-gateway")),
        *(
            "supergraph",
            "--config-path",
            str(FOLDER / "gateway.config.mjs"),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ),
        cwd=FOLDER,
        environment={**os.environ, "SUPERGRAPH": str(SUPERGRAPH), "SUBGRAPHS": json.dumps(subgraphs)},
    )
    try:
        running.wait_for("Listening on", START_S)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        running.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def router(session: aiohttp.ClientSession, router_url: str, city: City) -> Inside:
    return Inside(Client(session, router_url), city.token("AUDITOR", inside=True))


QUERIES: dict[str, str] = {
    "a page, filtered and ordered": """{
        assets(filter: {status: {eq: IDLE}}, orderBy: [{field: NET_VALUE, direction: DESC}, {field: NAME}], first: 9) {
            nodes { id name netValue status region { code name } owner { name } warehouse { name } }
            edges { cursor node { id } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        } }""",
    "totals and facets": """{
        assets(filter: {quantity: {gte: "1"}}) {
            totalCount totalIsExact facets(fields: [STATUS, REGION]) { field value count } sources { region status }
        } }""",
    "groups": "{ summary(by: [REGION, STATUS]) { totalIsExact groups { region status count quantity netValue } } }",
    "lists of some regions": '{ warehouses(regions: ["330106", "330100"]) { id name region { name } sensors { id kind } } }',
    "one asset by its id": '{ asset(id: "asset:330106:178") { id name class { code } region { name } orders { number } } }',
    "an object by its global id": """{
        node(id: "asset:330106:178") { __typename id ... on Asset { name netValue owner { name } } } }""",
    "a virtual warehouse": """{
        virtualWarehouse(id: "vw:idle-desks-and-computers") {
            id warehouse { name }
            assets(first: 8, orderBy: [{field: NET_VALUE, direction: DESC}]) {
                totalCount nodes { id name region { name } orders { number } } pageInfo { hasNextPage endCursor }
            }
            summary(by: [REGION]) { groups { region count } }
        } }""",
    "data quality": """{
        dataQuality { rows listed quarantined issues { code field count } sources { region status } } }""",
    "aliases of one field": """{
        cheap: assets(first: 2, orderBy: [{field: NET_VALUE}]) { nodes { id netValue } }
        dear: assets(first: 2, orderBy: [{field: NET_VALUE, direction: DESC}]) { nodes { id netValue } }
        a: asset(id: "asset:330106:178") { name }
        b: asset(id: "asset:330106:nothing") { name }
    }""",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_a_query_has_the_same_answer(query: str, router: Inside, auditor: Client) -> None:
    ours = (await auditor(query)).data
    assert (await router(query)).data == ours
    assert all(ours[name] for name in ours if name != "b"), "an empty answer shows nothing"


async def test_a_walk_backwards_goes_on_in_either(router: Inside, auditor: Client) -> None:
    query = """query($before: String) {
        assets(last: 5, before: $before, orderBy: [{field: NAME}]) {
            nodes { id name } pageInfo { hasPreviousPage startCursor } } }"""
    last = (await router(query)).data
    assert last == (await auditor(query)).data
    before = {"before": last["assets"]["pageInfo"]["startCursor"]}
    last_but_one = (await router(query, before)).data
    assert last_but_one == (await auditor(query, before)).data
    assert len({node["id"] for page in (last, last_but_one) for node in page["assets"]["nodes"]}) == 10


async def test_a_change_is_made_once_and_orders_join_their_assets(
    router: Inside, anonymous: Client, city: City, session: aiohttp.ClientSession, router_url: str
) -> None:
    found = await router(
        """{ units(regions: ["330106"]) { uscc }
             assets(last: 1, filter: {region: {eq: "330100"}, status: {eq: IN_STORE}, shareable: true, quantity: {eq: "1"}}) {
                 nodes { id version } } }"""
    )
    asset = found.data["assets"]["nodes"][0]
    unit = next(one["uscc"] for one in found.data["units"] if one["uscc"])
    who = {"region": "330106", "unit": unit, "person": "through a router"}
    there = Inside(Client(session, router_url), city.token("APPLICANT", **who, inside=True))
    here = anonymous.as_(city.token("APPLICANT", **who))
    apply = """mutation($input: ApplyLoanInput!) { applyLoan(input: $input) {
        order { id number state lines { hold asset { id name region { name } } } } problems { code } } }"""
    line = {"assetId": asset["id"], "quantity": "1", "expectedVersion": asset["version"]}
    loan = {"idempotencyKey": "router-1", "purpose": "会议 meeting", "lines": [line]}
    given = {"input": {**loan, "range": {"from": "2027-05-01", "to": "2027-05-08"}}}

    made = (await there(apply, given)).data
    assert made["applyLoan"]["problems"] == []
    assert made["applyLoan"]["order"]["lines"][0]["asset"]["id"] == asset["id"]
    assert (await here(apply, given)).data == made, "the same key gives the first result, whichever way it comes"

    orders = "{ orders(first: 20) { nodes { number state lines { quantity asset { id name region { name } } } } } }"
    listed = (await there(orders)).data
    assert made["applyLoan"]["order"]["number"] in {one["number"] for one in listed["orders"]["nodes"]}
    assert (await here(orders)).data == listed


async def test_an_id_of_no_region_is_the_same_error(router: Inside, auditor: Client) -> None:
    query = '{ asset(id: "asset:999999:1") { name } }'
    ours, theirs = await auditor(query), await router(query)
    assert theirs.partial == ours.partial == {"asset": None}
    assert theirs.codes() == ours.codes() == {"UNKNOWN_REGION"}
