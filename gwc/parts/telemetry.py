"""Telemetry: readings and alarms from the MQTT broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import structlog
from starlette.applications import Starlette
from starlette.routing import Mount

from gwc.errors import CommandError
from gwc.keys import ensure_keys
from gwc.parts.common import internal_verifier, state_url
from gwc.serve import listen, serve
from gwc.settings import Settings
from subgraphs.kit.tasks import end_tasks
from subgraphs.telemetry.app import TelemetryOptions, create_telemetry_app
from subgraphs.telemetry.model import WarehouseRef
from subgraphs.telemetry.registry import profile_for, sensors_for
from subgraphs.telemetry.simulator import run_simulator

__all__ = ["serve_telemetry", "telemetry_store_url"]

Say = Callable[[str], None]
WAREHOUSES_RETRY_S = 2.0
WAREHOUSES_TIMEOUT_S = 10.0

_log = structlog.get_logger(__name__)


def serve_telemetry(
    settings: Settings, gateway_url: str, ingest: bool, simulate: bool, host: str, port: int, say: Say
) -> None:
    """Readings from the broker. Which sensors there are is asked of the districts, until somebody answers.

    Without `ingest` it serves what another process takes; both share the store and the bus.
    """
    mqtt_url = settings.mqtt_url if ingest or simulate else None
    if mqtt_url is None and (ingest or simulate):
        raise CommandError("No MQTT broker is named.", "Set GWC_MQTT_URL=mqtt://host:port.")
    if not ingest and (settings.redis_url is None or settings.telemetry_url is None):
        raise CommandError(
            "A telemetry that only serves shares a bus and a store with the one that takes readings.",
            "Set GWC_REDIS_URL and GWC_TELEMETRY_URL.",
        )
    listener = listen(host, port)
    ensure_keys(settings.keys)
    settings.state.mkdir(parents=True, exist_ok=True)
    app = create_telemetry_app(
        TelemetryOptions(
            mqtt_url=mqtt_url if ingest else None,
            store_url=telemetry_store_url(settings),
            bus_url=settings.redis_url,
            verifier=internal_verifier(settings),
        )
    )

    async def find_sensors() -> None:
        warehouses = await _warehouses(gateway_url)
        sensors = sensors_for([WarehouseRef(w["id"], w["name"], profile_for(w["name"])) for w in warehouses])
        app.state.telemetry.registry.add(sensors)
        say(f"telemetry: {len(sensors)} sensors in {len(warehouses)} warehouses")
        if simulate and mqtt_url is not None:
            await run_simulator(mqtt_url, sensors)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with app.router.lifespan_context(app):
            task = asyncio.create_task(find_sensors(), name="find sensors")
            try:
                yield
            finally:
                await end_tasks(task)

    say(f"telemetry, {f'broker {mqtt_url}' if ingest else 'serving only'}, warehouses from {gateway_url}")
    serve(Starlette(routes=[Mount("/", app)], lifespan=lifespan), listener, "/graphql", say)


async def _warehouses(url: str) -> list[dict[str, Any]]:
    """The physical warehouses of all regions, asked for until every region answers."""
    query = {"query": "{ warehouses { id name kind } }"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAREHOUSES_TIMEOUT_S)) as session:
        while True:
            try:
                async with session.post(url, json=query) as response:
                    answer = await response.json()
                if not answer.get("errors"):
                    return [one for one in answer["data"]["warehouses"] if one["kind"] == "PHYSICAL"]
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
                _log.info("the gateway does not answer yet", url=url, reason=str(error))
            await asyncio.sleep(WAREHOUSES_RETRY_S)


def telemetry_store_url(settings: Settings) -> str:
    return settings.telemetry_url or state_url(settings, "telemetry.sqlite")
