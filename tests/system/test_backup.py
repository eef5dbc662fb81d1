"""The drill: a city with orders in every state is backed up while it works, destroyed, restored, and goes on."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from contract.identity import ACCESS, Identity, Role, TokenIssuer
from gwc.keys import private_key
from tests.services import Server, postgres_execute, run_apart
from tests.system.client import Client
from tests.system.conftest import City
from tests.system.processes import GWC, GwcProcess

UNIT = "unit of the drill"
BORROWABLE = """
{ assets(first: 12, filter: {region: {eq: "330106"}, status: {in: [IDLE, IN_STORE]}, shareable: true, quantity: {eq: "1"}}) {
    nodes { id } } }
"""
ORDERS = "{ orders(first: 100) { totalCount nodes { id number state settlement lines { assetId hold } timeline { command toState } } } }"
PEOPLE = {
    "clerk": Identity("clerk", UNIT, "330106", frozenset({Role.APPLICANT})),
    "head": Identity("head", UNIT, "330106", frozenset({Role.UNIT_OFFICER})),
    "officer": Identity("officer", None, "330106", frozenset({Role.REGION_OFFICER})),
    "keeper": Identity("keeper", None, "330106", frozenset({Role.KEEPER})),
    "auditor": Identity("auditor", None, None, frozenset({Role.AUDITOR})),
}


class Office:
    """People at one city; whoever gets no answer asks again with the same key."""

    def __init__(self, session: aiohttp.ClientSession, url: str, data_dir: Path) -> None:
        issuer = TokenIssuer(private_key(data_dir / "keys", "access"), ACCESS, life_s=3600)
        self.people = {name: Client(session, url, issuer.issue(person)) for name, person in PEOPLE.items()}

    async def command(self, by: str, name: str, key: str, **fields: Any) -> dict[str, Any]:
        query = (
            f"mutation C($input: {name[0].upper()}{name[1:]}Input!) "
            f"{{ {name}(input: $input) {{ order {{ id lines {{ id }} }} problems {{ code }} }} }}"
        )
        answer = await self.people[by](
            query, {"input": {"idempotencyKey": key, **fields}}, {"gwc-deadline-ms": "60000"}
        )
        payload: dict[str, Any] = answer.data[name]
        return payload

    async def apply(self, key: str, asset: str) -> dict[str, Any]:
        fields = {
            "range": {"from": "2027-09-01", "to": "2027-09-08"},
            "purpose": "drill",
            "lines": [{"assetId": asset}],
        }
        return await self.command("clerk", "applyLoan", key, **fields)

    async def orders_in_every_state(self, assets: list[str]) -> None:
        """One order on each stage of its way."""
        keys = (f"way-{n}" for n in itertools.count())
        stages = ["applied", "withdrawn", "approved", "dispatched", "received", "returned", "done"]
        for stage, asset in enumerate(assets[: len(stages)]):
            order = (await self.apply(next(keys), asset))["order"]["id"]
            ways: list[tuple[str, str, dict[str, Any]]] = [
                ("head", "approveOrder", {}), ("officer", "approveOrder", {}),
                ("keeper", "dispatchOrder", {}), ("clerk", "receiveOrder", {}), ("clerk", "returnGoods", {}),
            ]  # fmt: skip
            taken = {"applied": 0, "withdrawn": 0, "approved": 2, "dispatched": 3, "received": 4}.get(stages[stage], 5)
            for by, name, fields in ways[:taken]:
                payload = await self.command(by, name, next(keys), orderId=order, **fields)
                assert payload["problems"] == [], (stages[stage], name, payload)
            if stages[stage] == "withdrawn":
                await self.command("clerk", "withdrawOrder", next(keys), orderId=order)
            if stages[stage] == "done":
                back = payload["order"]
                lines = [{"lineId": line["id"], "outcome": "PASSED"} for line in back["lines"]]
                await self.command("keeper", "inspectReturn", next(keys), orderId=back["id"], lines=lines)

    async def orders(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = (await self.people["auditor"](ORDERS)).data["orders"]["nodes"]
        return nodes


def started(data_dir: Path, environment: Mapping[str, str]) -> tuple[GwcProcess, str]:
    command = ["up", "--port", "0", "--data-dir", str(data_dir), "--no-simulate"]
    process = GwcProcess(*command, environment={**os.environ, **environment})
    return process, process.wait_for(r"ready: (http://127\.0\.0\.1:\d+/graphql)").group(1)


def run(*arguments: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [str(GWC), *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stores(kind: str, name: str, request: pytest.FixtureRequest) -> dict[str, str]:
    if kind == "sqlite":
        return {}
    server: Server = request.getfixturevalue("postgres_server")
    run_apart(postgres_execute(server.url, f"CREATE DATABASE {name}"))
    return {"GWC_OVERLAY_URL": server.with_database(name), "GWC_CUSTODY_URL": server.with_database(name)}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_city_that_was_destroyed_goes_on(
    kind: str, city: City, session: aiohttp.ClientSession, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data_dir, backup = tmp_path / "var", tmp_path / "backup"
    shutil.copytree(city.folder, data_dir / "city")
    before, after = (stores(kind, name, request) for name in ("drill_before", "drill_after"))
    process, url = started(data_dir, before)
    try:
        office = Office(session, url, data_dir)
        nodes = (await office.people["auditor"](BORROWABLE)).data["assets"]["nodes"]
        ways, more = [node["id"] for node in nodes[:7]], [node["id"] for node in nodes[7:]]
        await office.orders_in_every_state(ways)
        still = await office.orders()
        working = asyncio.gather(*(office.apply(f"while-{asset}", asset) for asset in more), return_exceptions=True)
        await asyncio.to_thread(
            run, "backup", str(backup), "--with-keys", "--data-dir", str(data_dir), environment=before
        )
        await working
    finally:
        process.process.send_signal(signal.SIGKILL)
        process.stop()
    for lost in ("state", "keys", "anchors"):
        shutil.rmtree(data_dir / lost)

    run("restore", str(backup), "--data-dir", str(data_dir), environment=after)
    process, url = started(data_dir, after)
    try:
        office = Office(session, url, data_dir)
        now = {order["id"]: order for order in await office.orders()}
        assert {order["id"]: now.get(order["id"]) for order in still} == {order["id"]: order for order in still}
        for asset in more:  # whatever of it the backup caught, the same key gives one order, settled
            payload = await office.apply(f"while-{asset}", asset)
            assert payload["problems"] == [], payload
        orders = await office.orders()
        assert {order["settlement"] for order in orders} == {"SETTLED"}
        held = sorted(line["assetId"] for order in orders for line in order["lines"] if order["state"] == "IN_APPROVAL")
        assert held == sorted([ways[0], *more])
    finally:
        process.stop()
    if kind == "sqlite":
        _one_hold_each(data_dir / "state" / "custody-330106.sqlite", held)


def _one_hold_each(book: Path, assets: list[str]) -> None:
    """In the owner's book there is one hold for each order that waits, and none that no order stands for."""
    query = "SELECT asset, count(*) FROM custody_holds WHERE state = 'ACTIVE' GROUP BY asset"
    with sqlite3.connect(book) as connection:
        found = dict(connection.execute(query).fetchall())
    connection.close()
    native = {asset.split(":", 2)[2] for asset in assets}
    assert {asset: n for asset, n in found.items() if n != 1} == {}
    assert native <= found.keys()
