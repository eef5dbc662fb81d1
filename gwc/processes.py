"""The parts of a city as processes of their own: `gwc gateway`, `gwc district`, `gwc overlay`, `gwc telemetry`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from gateway.execution.clients import HttpClient, HttpPool, SubgraphClient
from gateway.execution.members import Member, Members, MembersInvalid, load_members
from gateway.server.app import create_gateway_app
from gateway.supergraph.group import group_supergraph
from gateway.supergraph.model import Supergraph
from gwc.errors import CommandError
from gwc.keys import ensure_keys
from gwc.schemas import load_supergraph_file
from gwc.serve import listen, serve
from gwc.settings import Settings

__all__ = ["serve_district", "serve_gateway", "serve_overlay", "serve_telemetry"]

Say = Callable[[str], None]
WAREHOUSES_RETRY_S = 2.0
WAREHOUSES_TIMEOUT_S = 10.0

_log = structlog.get_logger(__name__)


def serve_gateway(settings: Settings, supergraph: Path, members: Path | None, host: str, port: int, say: Say) -> None:
    """Any supergraph by HTTP to its routing URLs; its partitioned groups by the members file."""
    from gwc.parts import gateway_options, group_options

    listener = listen(host, port)
    ensure_keys(settings.keys)
    loaded = load_supergraph_file(supergraph)
    pool = HttpPool()
    groups = _groups(loaded, members, pool)
    clients: dict[str, SubgraphClient | Members] = {
        name: groups[name] if name in groups else HttpClient(graph.url, pool) for name, graph in loaded.graphs.items()
    }
    gateway = create_gateway_app(loaded, clients, gateway_options(settings))
    mounts: list[BaseRoute] = []
    parts = [gateway]
    for name, group in groups.items():
        part = create_gateway_app(group_supergraph(loaded, name), {name: group}, group_options(settings))
        parts.append(part)
        mounts.append(Mount(f"/groups/{loaded.graphs[name].name}", part))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(pool.close)
            for part in parts:
                await running.enter_async_context(part.router.lifespan_context(part))
            yield

    say(f"supergraph {supergraph}: {', '.join(graph.name for graph in loaded.graphs.values())}")
    serve(Starlette(routes=[*mounts, Mount("/", gateway)], lifespan=lifespan), listener, "/graphql", say)


def _groups(supergraph: Supergraph, members: Path | None, pool: HttpPool) -> dict[str, Members]:
    """Graph → its members. Raises `CommandError` when a group's members are not known."""
    if not supergraph.partitions:
        return {}
    names = ", ".join(supergraph.graphs[graph].name for graph in supergraph.partitions)
    if members is None:
        raise CommandError(
            f"The supergraph has partitioned groups ({names}).", "Name their members with --members FILE."
        )
    try:
        known = load_members(members)
    except OSError as error:
        raise CommandError(f"{members} cannot be read: {error.strerror}.") from None
    except MembersInvalid as error:
        raise CommandError(str(error)) from None
    found: dict[str, Members] = {}
    for graph in supergraph.partitions:
        name = supergraph.graphs[graph].name
        if name not in known:
            raise CommandError(f"{members} has no members for the group {name}.", f"Add [[groups.{name}.members]].")
        found[graph] = Members(
            Member(
                one.region,
                one.name,
                HttpClient(one.urls[0], pool),
                name_en=one.name_en,
                aliases=one.aliases,
                required=one.required,
            )
            for one in known[name]
        )
    return found


def serve_district(settings: Settings, mapping: Path, store_url: str | None, host: str, port: int, say: Say) -> None:
    """One district's subgraph. The store is opened when the server starts; a store that is away is said and awaited."""
    from adapters.mapping import MappingError
    from adapters.model import StoreError
    from gwc.parts import district_app, read_store

    listener = listen(host, port)
    ensure_keys(settings.keys)
    store = read_store(mapping, store_url, settings.state / "index")
    book, district = district_app(settings, store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        settings.state.mkdir(parents=True, exist_ok=True)
        try:
            await store.open()
        except (MappingError, StoreError) as error:
            raise CommandError(f"The store of {store.region} cannot be opened: {error}") from None
        try:
            await book.open()
            async with district.router.lifespan_context(district):
                yield
        finally:
            await book.close()
            await store.close()

    say(f"district {store.region}, mapping {mapping}")
    serve(Starlette(routes=[Mount("/", district)], lifespan=lifespan), listener, "/graphql", say)


def serve_overlay(settings: Settings, host: str, port: int, say: Say) -> None:
    from gwc.parts import overlay_options
    from overlay.app import create_overlay_app

    listener = listen(host, port)
    ensure_keys(settings.keys)
    settings.state.mkdir(parents=True, exist_ok=True)
    say(f"overlay, districts at {settings.group_url}")
    try:
        app = create_overlay_app(overlay_options(settings, settings.group_url))
    except ValueError as error:
        raise CommandError(f"The overlay cannot be made: {error}.", "See GWC_OVERLAY_URL and GWC_GROUP_URL.") from None
    serve(app, listener, "/graphql", say)


def serve_telemetry(
    settings: Settings, gateway_url: str, ingest: bool, simulate: bool, host: str, port: int, say: Say
) -> None:
    """Readings from the broker. Which sensors there are is asked of the districts, until somebody answers.

    Without `ingest` it serves what another process takes; both share the store and the bus.
    """
    from gwc.parts import internal_verifier, telemetry_store_url
    from subgraphs.telemetry.app import TelemetryOptions, create_telemetry_app
    from subgraphs.telemetry.model import WarehouseRef
    from subgraphs.telemetry.registry import profile_for, sensors_for
    from subgraphs.telemetry.simulator import run_simulator

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
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

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
