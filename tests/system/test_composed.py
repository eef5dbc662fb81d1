"""The city of docker-compose.yml: a process a region, over PostgreSQL, MariaDB, MongoDB, Redis and Mosquitto."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import aiohttp
import aiomqtt
import pytest

from contract.ids import format_id
from subgraphs.sample_city.truth import read_summary, read_truth
from tests.services import Server, mariadb_execute, postgres_execute
from tests.system.client import Client, walk
from tests.system.composed import DEPLOY, Composed, Servers, composed
from tests.system.processes import GWC
from tests.system.test_loan import BORROWABLE, OVERLAPPING, UNITS, WINDOW, apply
from tests.system.test_readings import READINGS, SENSORS, city_topic, reading

MOVED = ("330100", "330102", "330108", "330113", "330182")
"""Regions whose stores lie in a database server."""
SUMMARY = "{ summary(by: [REGION]) { totalIsExact groups { region count originalValue netValue } } }"
PRINT = "query P($id: ID!) { order(id: $id) { print(kind: APPLICATION) { url } } }"
ALL_OF = """
query All($after: String, $regions: [ID!]) {
  assets(first: 40, after: $after, filter: {region: {in: $regions}}, orderBy: [{field: ORIGINAL_VALUE}, {field: NAME}]) {
    nodes { id name originalValue } pageInfo { hasNextPage endCursor } } }
"""


def _create_databases(servers: Servers) -> None:
    """What the database images run when they start first."""

    async def create() -> None:
        for statement in ("CREATE DATABASE custody", *_statements("postgres")):
            name = statement.split()[2]
            await postgres_execute(servers.postgres.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await postgres_execute(servers.postgres.url, statement)
        for statement in _statements("mariadb"):
            await mariadb_execute(servers.mariadb.url, f"DROP DATABASE IF EXISTS {statement.split()[2]}")
            await mariadb_execute(servers.mariadb.url, statement)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, create()).result()


def _statements(server: str) -> list[str]:
    text = (DEPLOY / server / "init.sql").read_text("utf-8")
    return [statement.strip() for statement in text.split(";") if statement.strip()]


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: Server,
    mariadb_server: Server,
    mongo_server: Server,
    redis_server: Server,
    mosquitto_server: Server,
) -> Iterator[Composed]:
    servers = Servers(postgres_server, mariadb_server, mongo_server, redis_server, mosquitto_server)
    _create_databases(servers)
    with composed(tmp_path_factory.mktemp("composed"), servers) as running:
        yield running


def client_of(services: Composed, session: aiohttp.ClientSession, gateway: str, *token: str) -> Client:
    command = [str(GWC), "token", "--data-dir", str(services.folder), *token]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return Client(session, services.urls[gateway], text)


@pytest.mark.parametrize("gateway", ["gateway", "gateway-2"])
async def test_every_region_equals_the_truth(services: Composed, session: aiohttp.ClientSession, gateway: str) -> None:
    truth = read_summary(services.folder / "city")["regions"]
    auditor = client_of(services, session, gateway, "--role", "AUDITOR")
    summary = (await auditor(SUMMARY)).data["summary"]
    assert summary["totalIsExact"]
    found = {g["region"]: (g["count"], g["originalValue"], g["netValue"]) for g in summary["groups"]}
    assert found == {r: (t["listed"], t["originalValue"], t["netValue"]) for r, t in truth.items()}


async def test_pages_over_five_database_servers(services: Composed, session: aiohttp.ClientSession) -> None:
    auditor = client_of(services, session, "gateway", "--role", "AUDITOR")
    rows = await walk(auditor, ALL_OF, ("assets",), {"regions": list(MOVED)})
    listed = {
        format_id("asset", region, row.native or "")
        for region in MOVED
        for row in read_truth(services.folder / "city", region)
        if row.outcome == "listed"
    }
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids))
    assert set(ids) == listed


async def test_the_document_store_answers_alone(services: Composed, session: aiohttp.ClientSession) -> None:
    district = Client(session, services.urls["district-330108"])
    answer = await district("{ dataQuality { listed quarantined } }")
    truth = read_summary(services.folder / "city")["regions"]["330108"]
    assert answer.data["dataQuality"] == {"listed": truth["listed"], "quarantined": truth["quarantined"]}


async def test_a_loan_is_held_for_everybody(services: Composed, session: aiohttp.ClientSession) -> None:
    """Applied for at one gateway, refused at the other: the hold stands in PostgreSQL."""
    anonymous = Client(session, services.urls["gateway"])
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][0]
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    who = ("--role", "APPLICANT", "--region", "330106", "--unit", unit, "--person")
    clerk = client_of(services, session, "gateway", *who, "clerk")
    rival = client_of(services, session, "gateway-2", *who, "rival")
    applied = await apply(clerk, "composed-1", asset, WINDOW)
    assert (applied["problems"], applied["order"]["lines"][0]["hold"]) == ([], "ACTIVE")
    assert [p["code"] for p in (await apply(rival, "composed-2", asset, OVERLAPPING))["problems"]] == ["ASSET_BUSY"]


async def test_papers_bear_the_citys_public_address(services: Composed, session: aiohttp.ClientSession) -> None:
    """A signed URL begins with what users call the city by, and leads through a gateway to the overlay behind it."""
    anonymous = Client(session, services.urls["gateway"])
    asset = (await anonymous(BORROWABLE)).data["assets"]["nodes"][1]
    unit = next(u["uscc"] for u in (await anonymous(UNITS)).data["units"] if u["uscc"])
    who = ("--role", "APPLICANT", "--region", "330106", "--unit", unit, "--person", "printer")
    clerk = client_of(services, session, "gateway", *who)
    order = (await apply(clerk, "composed-3", asset, WINDOW))["order"]["id"]
    link = (await clerk(PRINT, {"id": order})).data["order"]["print"]["url"]
    public = services.environment("overlay")["GWC_PUBLIC_URL"]
    assert link.startswith(f"{public}/files/")
    async with session.get(urljoin(services.urls["gateway-2"], link.removeprefix(public))) as got:
        assert (got.status, (await got.read())[:5]) == (200, b"%PDF-")


@pytest.mark.parametrize("gateway", ["gateway", "gateway-2"])
async def test_a_reading_crosses_broker_and_bus(
    services: Composed, session: aiohttp.ClientSession, gateway: str, mosquitto_server: Server
) -> None:
    """Mosquitto → the process that takes readings → Redis → the process that serves → the gateway's subscriber."""
    client = Client(session, services.urls[gateway])
    sensor = (await client(SENSORS)).data["sensors"]["nodes"][0]
    port = int(mosquitto_server.url.rsplit(":", 1)[1])
    async with client.subscribe(READINGS) as events, aiomqtt.Client("127.0.0.1", port) as mqtt:
        topic = city_topic(sensor["id"], sensor["warehouse"]["id"])
        arrived = asyncio.create_task(_first(events, 23.125))
        while not arrived.done():
            await mqtt.publish(topic, reading(23.125), qos=1)
            await asyncio.wait([arrived], timeout=0.2)
    event = arrived.result()
    assert event["sensor"]["warehouse"]["name"] == sensor["warehouse"]["name"]


async def _first(events: AsyncIterator[Any], value: float) -> Any:
    async for event in events:
        if event["readings"]["value"] == value:
            return event["readings"]
    raise AssertionError("the subscription ended")
