"""Each member down in turn, each example query: what the others have is still there, and who is missing is named."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from contract.identity import ACCESS, Identity, Role, TokenIssuer
from contract.regions import REGIONS
from gateway.supergraph.model import Supergraph
from gwc.embedded import EmbeddedCity, sensors_of
from gwc.keys import ensure_keys, private_key
from gwc.membership import Membership
from gwc.parts.district import open_district_store, read_store
from gwc.sample_api import sample_api
from gwc.settings import Settings
from subgraphs.telemetry.broker import start_embedded_broker
from tests.gateway.support.serving import Faulty, crash
from tests.system.client import PROTOCOL
from tests.system.conftest import City
from tests.system.test_readme import examples

OVERLAYS = [
    "{ virtualWarehouses { nodes { id name } } }",
    "{ orders(first: 10) { totalCount nodes { id state lines { assetId asset { id name } } } } }",
    "{ inbox { totalCount nodes { id } } }",
    """{ virtualWarehouse(id: "vw:idle-desks-and-computers", window: {WINDOW}) {
         assets(first: 20) { totalCount facets(fields: [REGION, STATUS]) { field value count } nodes { id name region { code } }
           sources { region status } }
         summary(by: [REGION]) { groups { region count quantity netValue } } } }""",
    """{ loanSources(input: {range: {WINDOW}, wants: [{classCode: "A02", quantity: "60"}]}) {
         sources { want assetId quantity regionCode asset { id name } } stops { regionCode place } missing unanswered } }""",
    "{ ledgerBalances(by: [REGION, CUSTODY]) { groups { regionCode custody quantity value } } }",
    "{ ledgerJournal(first: 50) { nodes { movement quantity account { regionCode } assetId asset { id name } } } }",
    """{ reconciliation { state assets compared regionsMissing
         differences(first: 50) { nodes { code assetId inLedger inStore } } } }""",
]
"""What a clerk's and an officer's first screens ask, what an auditor does, and who looks for something to borrow."""
LENDERS = ("330100", "330106")
START = date.today() + timedelta(days=200)
RANGE = {"from": str(START), "to": str(START + timedelta(days=7))}
WINDOW = f'from: "{RANGE["from"]}", to: "{RANGE["to"]}"'
PATIENCE_MS = 60_000
"""Of the gateway and of each member: on a busy machine no living one is taken for a dead one."""
WATCHED = "vw:lendable-equipment"
QUERIES = [*(query for query, _ in examples("README.md")), *(one.replace("WINDOW", WINDOW) for one in OVERLAYS)]


class BreakableCity(EmbeddedCity):
    """The embedded city, whose members can be made unreachable at the transport."""

    def _open_membership(self, settings: Settings, supergraph: Supergraph, external: Any) -> Membership:
        self.ways = {region: Faulty(app) for region, app in self._districts.items()}
        self._districts = dict(self.ways)  # type: ignore[arg-type]
        membership = super()._open_membership(settings, supergraph, external)
        self._districts = {region: way.app for region, way in self.ways.items()}  # type: ignore[misc]
        return membership


AUDITOR = Identity("auditor", None, None, frozenset({Role.AUDITOR}))
HOLDS_ALL_OFFICES = frozenset({Role.UNIT_OFFICER, Role.REGION_OFFICER, Role.CITY_OFFICER, Role.KEEPER})


class Asked:
    def __init__(self, city: BreakableCity, issuer: TokenIssuer) -> None:
        self.city, self._issuer = city, issuer

    async def __call__(self, query: str, by: Identity = AUDITOR, **variables: Any) -> dict[str, Any]:
        sent: list[bytes] = []
        token = self._issuer.issue(by)
        headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token}".encode())]
        body = orjson.dumps({"query": query, "variables": variables})

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        scope = {"type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "root_path": "",
                 "scheme": "http", "query_string": b"", "headers": headers, "http_version": "1.1",
                 "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}  # fmt: skip
        await self.city.app(scope, receive, send)
        answer: dict[str, Any] = orjson.loads(b"".join(sent))
        return answer

    @asynccontextmanager
    async def subscribed(self, query: str, by: Identity, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """A subscription over graphql-transport-ws; the iterator gives each event's `data`."""
        to_app: asyncio.Queue[Any] = asyncio.Queue()
        from_app: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "scheme": "ws",
                 "query_string": b"", "headers": [], "http_version": "1.1", "subprotocols": [PROTOCOL],
                 "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}  # fmt: skip
        served = asyncio.create_task(self.city.app(scope, to_app.get, from_app.put))

        def say(type_: str, payload: Any, **more: Any) -> None:
            text = orjson.dumps({"type": type_, "payload": payload, **more}).decode()
            to_app.put_nowait({"type": "websocket.receive", "text": text})

        async def events() -> AsyncIterator[Any]:
            while True:
                message = await from_app.get()
                if "text" in message and (content := orjson.loads(message["text"]))["type"] == "next":
                    assert "errors" not in content["payload"], content["payload"]
                    yield content["payload"]["data"]

        to_app.put_nowait({"type": "websocket.connect"})
        say("connection_init", {"authorization": f"Bearer {self._issuer.issue(by)}"})
        say("subscribe", {"query": query, "variables": variables}, id="1")
        try:
            yield events()
        finally:
            to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await served


@pytest.fixture
async def asked(city: City, tmp_path: Path) -> AsyncIterator[Asked]:
    patience = {"deadline_ms": PATIENCE_MS, "member_timeout_ms": PATIENCE_MS}
    settings = Settings(data_dir=tmp_path, watch_every_s=2.0, **patience)
    shutil.copytree(city.folder, settings.city)  # what is lent here is written back to its store
    settings.state.mkdir()
    ensure_keys(settings.keys)
    async with AsyncExitStack() as running:
        await running.enter_async_context(sample_api(settings.city))
        stores = {}
        for region in REGIONS:
            store = read_store(settings.city / "mappings" / f"{region}.toml", None, settings.state / "index")
            await open_district_store(store)
            running.push_async_callback(store.close)
            stores[region] = store
        broker = await start_embedded_broker()
        made = BreakableCity(settings, stores, {}, broker, await sensors_of(stores), False)
        await running.enter_async_context(made.app.router.lifespan_context(made.app))
        yield Asked(made, TokenIssuer(private_key(settings.keys, "access"), ACCESS, life_s=3600))


async def give(asked: Asked, by: Identity, name: str, key: str, **fields: Any) -> dict[str, Any]:
    """A command that must be carried out; gives its order."""
    query = f"""mutation($input: {name[0].upper()}{name[1:]}Input!) {{
      {name}(input: $input) {{ order {{ id approvals {{ office }} }} problems {{ code message }} }} }}"""
    payload = (await asked(query, by, input={"idempotencyKey": key, **fields}))["data"][name]
    assert payload["problems"] == []
    order: dict[str, Any] = payload["order"]
    return order


async def lend_something(asked: Asked, region: str) -> None:
    """Within one region, where one officer holds every office, so that the ledger has something to tell of it."""
    found = (
        await asked(
            """query($region: ID!) {
              assets(first: 1, filter: {region: {eq: $region}, status: {eq: IN_STORE}, shareable: true}) {
                nodes { id owner { uscc } } }
              units(regions: [$region]) { uscc } }""",
            region=region,
        )
    )["data"]
    asset = found["assets"]["nodes"][0]
    unit = next(one["uscc"] for one in found["units"] if one["uscc"] not in (None, asset["owner"]["uscc"]))
    clerk = Identity(f"clerk-{region}", unit, region, frozenset({Role.APPLICANT}))
    officer = Identity(f"officer-{region}", unit, region, HOLDS_ALL_OFFICES)
    days = {"from": "2027-06-01", "to": "2027-06-08"}
    order = await give(
        asked, clerk, "applyLoan", f"apply-{region}", range=days, purpose="会议", lines=[{"assetId": asset["id"]}]
    )
    for step in range(len(order["approvals"])):
        await give(asked, officer, "approveOrder", f"approve-{region}-{step}", orderId=order["id"])
    await give(asked, officer, "dispatchOrder", f"dispatch-{region}", orderId=order["id"])
    await give(asked, clerk, "receiveOrder", f"receive-{region}", orderId=order["id"])


async def reconcile(asked: Asked) -> None:
    start = 'mutation { startReconciliation(input: {idempotencyKey: "r-1"}) { run { id } problems { code } } }'
    run = (await asked(start))["data"]["startReconciliation"]["run"]["id"]
    state = "query($id: ID!) { reconciliation(id: $id) { state } }"
    while True:
        if (await asked(state, id=run))["data"]["reconciliation"]["state"] != "RUNNING":
            return


async def test_no_answer_is_emptied_by_one_dead_member(asked: Asked) -> None:
    for region in LENDERS:
        await lend_something(asked, region)
    await reconcile(asked)
    whole = [await asked(query) for query in QUERIES]
    assert [answer.get("errors") for answer in whole] == [None] * len(QUERIES)
    for region, way in asked.city.ways.items():
        way.fault = crash
        for query, before in zip(QUERIES, whole, strict=True):
            answer = await asked(query)
            lost = list(emptied(before["data"], answer.get("data"), region, query))
            assert lost == [], f"{region} is down: {lost}\n{query}\n{answer.get('errors')}"
            for error in answer.get("errors", ()):
                assert error["extensions"].get("region") == region, error
        way.fault = None


MATCHES = f"""subscription {{ virtualWarehouseMatches(id: "{WATCHED}", window: {{{WINDOW}}}) {{
  silentRegions matches {{ assetId asset {{ name }} }} }} }}"""


async def test_a_standing_query_stands_while_a_member_is_down(asked: Asked) -> None:
    """What comes to match there meanwhile is told when the member is back, once."""
    region, way = "330106", asked.city.ways["330106"]
    lendable = f"""{{ virtualWarehouse(id: "{WATCHED}", window: {{{WINDOW}}}) {{
      assets(first: 2, filter: {{region: {{eq: "{region}"}}}}) {{ nodes {{ id }} }} }} }}"""
    first, second = (one["id"] for one in (await asked(lendable))["data"]["virtualWarehouse"]["assets"]["nodes"])
    clerk = Identity("clerk", "borrowing unit", "330105", frozenset({Role.APPLICANT}))
    orders = {}
    for asset in (first, second):
        line = {"range": RANGE, "purpose": "会议", "lines": [{"assetId": asset}]}
        orders[asset] = (await give(asked, clerk, "applyLoan", f"apply-{asset}", **line))["id"]

    async with asked.subscribed(MATCHES, AUDITOR) as events:

        async def following() -> tuple[list[str], list[str]]:
            event = (await anext(events))["virtualWarehouseMatches"]
            return event["silentRegions"], [match["assetId"] for match in event["matches"]]

        async def news() -> list[str]:
            while not (told := await following())[1]:
                pass
            return told[1]

        assert await following() == ([], [])
        way.fault = crash
        assert await following() == ([region], [])
        await withdraw(asked, clerk, orders[first])
        way.fault = None
        assert await news() == [first]
        await withdraw(asked, clerk, orders[second])
        assert await news() == [second], "and not the first one again"


async def withdraw(asked: Asked, by: Identity, order: str) -> None:
    """Where the owner does not answer, it is carried out when it does."""
    query = "mutation($input: WithdrawOrderInput!) { withdrawOrder(input: $input) { problems { code } } }"
    answer = await asked(query, by, input={"idempotencyKey": f"back-{order}", "orderId": order})
    assert "errors" not in answer, answer


def emptied(before: Any, after: Any, dead: str, query: str, path: str = "") -> list[str]:
    """Where an answer has nothing, though not all that stood there was the dead member's."""
    if _is_of(dead, before, query):
        return []
    if isinstance(before, dict):
        if not isinstance(after, dict):
            return [path]
        return [found for key in before for found in emptied(before[key], after.get(key), dead, query, f"{path}.{key}")]
    if isinstance(before, list):
        return [] if not before or after else [path]
    return [path] if before is not None and after is None else []


def _is_of(dead: str, value: Any, query: str) -> bool:
    """Whether nothing but the dead member can know it: every region that it, or the question, names is that one."""
    named = set(re.findall(r"(?<!\d)33\d{4}(?!\d)", orjson.dumps(value).decode() + query)) & REGIONS.keys()
    return named == {dead}
