"""The whole city in one process: fourteen members, overlay, telemetry, broker and gateway, wired in memory.

Every part is the same ASGI application that runs as a process of its own elsewhere; only the way between them
differs: an in-process client instead of a socket. Members that are named as external are reached by HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from adapters.model import Store
from contract.ids import format_id
from contract.regions import REGIONS
from gateway.execution.asgi import AsgiClient
from gateway.execution.clients import HttpClient, HttpPool, SubgraphClient
from gateway.execution.members import Member, Members, MemberSettings, parse_members
from gateway.server.app import create_gateway_app
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from gwc.group import InProcessGroup
from gwc.membership import Membership
from gwc.parts.common import internal_verifier
from gwc.parts.district import district_app
from gwc.parts.gateway import gateway_options
from gwc.parts.group import group_app, group_path
from gwc.parts.members import membership_options
from gwc.parts.overlay import overlay_options
from gwc.parts.stale import stale_store
from gwc.parts.telemetry import telemetry_store_url
from gwc.settings import Settings
from overlay.app import create_overlay_app
from subgraphs.kit.tasks import end_tasks
from subgraphs.telemetry.app import TelemetryOptions, create_telemetry_app
from subgraphs.telemetry.broker import EmbeddedBroker
from subgraphs.telemetry.model import SensorSpec, WarehouseRef
from subgraphs.telemetry.registry import profile_for, sensors_for
from subgraphs.telemetry.simulator import run_simulator

__all__ = ["GROUP_PATH", "EmbeddedCity"]

GROUP_PATH = group_path("districts")
GRAPH = "DISTRICTS"
SIMULATED_PAST = timedelta(hours=2)


class EmbeddedCity:
    """One process that is a city. `app` serves it; its lifespan opens and closes every part."""

    def __init__(
        self,
        settings: Settings,
        stores: Mapping[str, Store],
        external: Mapping[str, str],
        broker: EmbeddedBroker,
        sensors: Sequence[SensorSpec],
        simulate: bool,
    ) -> None:
        """`stores`: region → its opened store; `external`: region → URL of a member that runs elsewhere."""
        self._broker, self._sensors, self._simulate = broker, sensors, simulate
        self._mqtt_url = settings.mqtt_url or broker.url
        self._pool = HttpPool()
        schemas = files("schema")
        supergraph = load_supergraph(schemas.joinpath("supergraph.graphql").read_text("utf-8"))
        contract = schemas.joinpath("district.graphql").read_text("utf-8")
        parts = {region: district_app(settings, store) for region, store in stores.items()}
        self._books = [book for book, _ in parts.values()]
        self._districts = {region: app for region, (_, app) in parts.items()}
        self._membership = self._open_membership(settings, supergraph, external)
        members = self._membership.groups[GRAPH]

        self._group = group_app(settings, supergraph, GRAPH, members, contract)
        self._overlay = create_overlay_app(overlay_options(settings, InProcessGroup(AsgiClient(self._group))))
        self._telemetry = create_telemetry_app(
            TelemetryOptions(
                sensors=sensors,
                mqtt_url=self._mqtt_url,
                store_url=telemetry_store_url(settings),
                bus_url=settings.redis_url,
                verifier=internal_verifier(settings),
            )
        )
        clients: dict[str, SubgraphClient | Members] = {
            GRAPH: members,
            "OVERLAY": AsgiClient(self._overlay),
            "TELEMETRY": AsgiClient(self._telemetry),
        }
        self._stale = stale_store(settings)
        self._gateway = create_gateway_app(supergraph, clients, gateway_options(settings, stale=self._stale))
        self.app = Starlette(routes=self._routes(), lifespan=self._lifespan)

    def _open_membership(self, settings: Settings, supergraph: Supergraph, external: Mapping[str, str]) -> Membership:
        """The published members, those of this process called directly. Their schemas are checked; the file stands."""
        roster = parse_members(files("schema").joinpath("members.toml").read_text("utf-8"))

        def make(one: MemberSettings) -> Member:
            return Member(
                one.region,
                one.name,
                HttpClient(external[one.region], self._pool)
                if one.region in external
                else AsgiClient(self._districts[one.region]),
                name_en=one.name_en,
                aliases=one.aliases,
                required=one.required,
                timeout_ms=one.timeout_ms,
            )

        return Membership(supergraph, roster, make, options=membership_options(settings))

    def _routes(self) -> list[BaseRoute]:
        async def to_graphiql(_: Request) -> Response:
            return RedirectResponse("/graphql")

        districts = [Mount(f"/districts/{region}", app) for region, app in self._districts.items()]
        subgraphs = [Mount("/subgraphs/overlay", self._overlay), Mount("/subgraphs/telemetry", self._telemetry)]
        group = Mount(GROUP_PATH, self._group)
        files = Route("/files/{path:path}", self._overlay)
        return [Route("/", to_graphiql), *districts, *subgraphs, group, files, Mount("/", self._gateway)]

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(self._pool.close)
            running.push_async_callback(self._broker.stop)
            if self._stale is not None:
                running.push_async_callback(self._stale.close)
            for book in self._books:
                await book.open()
                running.push_async_callback(book.close)
            for part in (*self._districts.values(), self._group, self._overlay, self._telemetry, self._gateway):
                await running.enter_async_context(part.router.lifespan_context(part))
            await running.enter_async_context(self._membership.running())
            if self._simulate:
                await running.enter_async_context(self._simulator())
            yield

    @asynccontextmanager
    async def _simulator(self) -> AsyncIterator[None]:
        task = asyncio.create_task(
            run_simulator(self._mqtt_url, self._sensors, backfill=SIMULATED_PAST), name="simulator"
        )
        try:
            yield
        finally:
            await end_tasks(task)


async def sensors_of(stores: Mapping[str, Store]) -> list[SensorSpec]:
    """A thermometer and a hygrometer for every physical warehouse the stores know."""
    found = [
        WarehouseRef(
            format_id("warehouse", region, warehouse["native"]), warehouse["name"], profile_for(warehouse["name"])
        )
        for region, store in stores.items()
        for warehouse in await store.warehouses()
        if warehouse["kind"] == "PHYSICAL"
    ]
    return sensors_for(found)


def region_name(region: str) -> str:
    zh, en = REGIONS[region]
    return f"{region} {zh} {en}"
