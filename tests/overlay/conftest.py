"""The overlay over an in-memory city: as services for the sagas, and as an app behind GraphQL."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from contract.identity import IDENTITY_HEADER, Identity, TokenIssuer
from overlay.app import OverlayOptions, create_overlay_app
from overlay.clock import shanghai_today
from overlay.group.custody import Custody
from overlay.group.endpoint import GroupEndpoint
from overlay.orders import repository
from overlay.orders.model import Command, Flow, Order
from overlay.orders.policy import load_policy
from overlay.orders.rights import allowed_commands
from overlay.orders.service import Circulation, CommandAnswer
from overlay.orders.shortages import shortages
from overlay.paperwork import PaperworkOptions
from overlay.store import tables
from overlay.store.database import Database
from overlay.warehouses.watching import WatchSettings
from tests.overlay.city import (
    BORROWING,
    BORROWING_FINANCE,
    CITY,
    CLERK,
    HEAD,
    INTERNAL,
    KEEPER,
    LENDING,
    LENDING_FINANCE,
    OWNER_HEAD,
    RULE,
    ManualClock,
    days,
)
from tests.overlay.city import City as FakeCity
from tests.stores import ENGINES, NewStore

ISSUER = TokenIssuer(INTERNAL[0])
OFFICERS = {
    "UNIT_HEAD": HEAD,
    "OWNER_UNIT": OWNER_HEAD,
    "DEPARTMENT": LENDING,
    "WAREHOUSE": KEEPER,
    "LENDING_REGION": LENDING,
    "BORROWING_REGION": BORROWING,
    "LENDING_FINANCE": LENDING_FINANCE,
    "BORROWING_FINANCE": BORROWING_FINANCE,
    "GOVERNMENT": CITY,
    "CITY": CITY,
}


class Desk:
    """The overlay's services over a database file, and shorthands for what people do."""

    def __init__(self, url: str, city: GroupEndpoint, clock: ManualClock, resumed_together: int = 8) -> None:
        self.database = Database(url)
        self.policy, self.clock = load_policy(), clock
        self.circulation = Circulation(self.database, Custody(city, ISSUER), self.policy, clock, resumed_together)

    async def apply(
        self,
        *assets: str,
        by: Identity = CLERK,
        key: str | None = None,
        window: Mapping[str, str] | None = None,
        **line: str,
    ) -> CommandAnswer:
        body = {
            "range": dict(window or days(1, 7)),
            "purpose": "会议",
            "lines": [{"assetId": asset, **line} for asset in assets],
        }
        return await self.circulation.apply(Flow.LOAN, by, key or self.key(), body)

    async def hand_in(self, flow: Flow, by: Identity, *lines: Mapping[str, Any], **body: Any) -> CommandAnswer:
        key = body.pop("key", None) or self.key()
        return await self.circulation.apply(flow, by, key, {"purpose": "说明", "lines": list(lines), **body})

    async def give(
        self, by: Identity, command: Command, order_id: str | None, key: str | None = None, **body: Any
    ) -> CommandAnswer:
        assert order_id is not None
        return await self.circulation.submit(by, key or self.key(), command, order_id, body)

    async def approve_all(self, order_id: str | None) -> None:
        while (step := (await self.order(order_id)).current_step) is not None:
            officer = OFFICERS[step.office]
            of_region = replace(officer, region=step.region or officer.region)
            answer = await self.give(of_region, Command.APPROVE, order_id)
            assert answer.problems == ()

    async def order(self, order_id: str | None) -> Order:
        assert order_id is not None
        async with self.database.read() as connection:
            order = await repository.load_order(connection, order_id)
        assert order is not None
        return order

    async def allowed(self, by: Identity, order_id: str | None) -> list[Command]:
        order, today = await self.order(order_id), shanghai_today(self.clock.now)
        async with self.database.read() as connection:
            short = await shortages(connection, [line.asset_id for line in order.lines], today)
        return allowed_commands(by, order, self.policy, today, short)

    async def orders(self) -> list[Order]:
        async with self.database.read() as connection:
            return await repository.load_orders(connection, repository.select_orders().order_by(tables.orders.c.seq))

    async def ledger(self, asset_id: str) -> Sequence[Mapping[str, Any]]:
        table = tables.ledger_entries
        async with self.database.read() as connection:
            query = select(table).where(table.c.asset_id == asset_id).order_by(table.c.sequence)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    def key(self) -> str:
        return uuid.uuid4().hex


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def city(clock: ManualClock) -> FakeCity:
    return FakeCity(clock)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, new_store: NewStore) -> str:
    """A new store: every test that uses one runs on both engines."""
    return new_store(request.param, Database)


@asynccontextmanager
async def opened_desk(url: str, city: GroupEndpoint, clock: ManualClock) -> AsyncIterator[Desk]:
    desk = Desk(url, city, clock)
    await desk.database.open()
    await desk.circulation.start()
    try:
        yield desk
    finally:
        await desk.circulation.stop()
        await desk.database.close()


@pytest.fixture
async def desk(url: str, city: FakeCity, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_desk(url, city, clock) as opened:
        yield opened


class Api:
    """A GraphQL client of the overlay's app, over ASGI."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(
        self, query: str, by: Identity | None = None, language: str = "zh", **variables: Any
    ) -> dict[str, Any]:
        headers = [(b"content-type", b"application/json"), (b"accept-language", language.encode())]
        if by is not None:
            headers.append((IDENTITY_HEADER.encode(), ISSUER.issue(by).encode()))
        body = orjson.dumps({"query": query, "variables": variables})
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        scope = {"type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "root_path": "",
                 "scheme": "http", "query_string": b"", "headers": headers, "http_version": "1.1",
                 "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}  # fmt: skip
        await self._app(scope, receive, send)
        answer: dict[str, Any] = orjson.loads(b"".join(sent))
        return answer

    async def data(self, query: str, by: Identity | None = None, language: str = "zh", **variables: Any) -> Any:
        answer = await self(query, by, language, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def overlay_app(url: str, city: FakeCity, clock: ManualClock, **more: Any) -> Starlette:
    """The overlay's app over a store and a city; what it does by itself, it does once at its start."""
    options = OverlayOptions(
        database_url=url,
        group=city,
        internal_private_pem=INTERNAL[0],
        internal_public_pem=INTERNAL[1],
        rule_private_pem=RULE[0],
        clock=clock,
        settle_every_s=3600,
        watch=WatchSettings(every_s=3600, tick_s=3600),
    )
    return create_overlay_app(replace(options, **more))


@pytest.fixture
async def api(url: str, city: FakeCity, clock: ManualClock) -> AsyncIterator[Api]:
    app = overlay_app(url, city, clock, paperwork=PaperworkOptions(carry_every_s=3600))
    async with app.router.lifespan_context(app):
        yield Api(app)
