"""The telemetry subgraph as an ASGI app: store, bus and ingest live as long as the app does (its lifespan).

    async with await start_embedded_broker() as broker:
        app = create_telemetry_app(TelemetryOptions(sensors=sensors_for(warehouses), mqtt_url=broker.url))

`app.state.telemetry` is the running `Telemetry`; sensors may be added to its registry while serving. An app without
an MQTT URL takes no readings and serves what others take: give both the same store and the same bus.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from contract.identity import TokenVerifier
from subgraphs.kit.app import create_subgraph_app
from subgraphs.kit.bus import BusError, open_bus
from subgraphs.kit.caller import Caller
from subgraphs.kit.errors import CodedError
from subgraphs.kit.served import ServedSchema
from subgraphs.telemetry.ingest import Ingest
from subgraphs.telemetry.model import Clock, SensorSpec, utc_now
from subgraphs.telemetry.profiles import ClimateProfile, load_profiles
from subgraphs.telemetry.registry import SensorRegistry
from subgraphs.telemetry.schema import ENTITIES, make_schema
from subgraphs.telemetry.service import Request, Telemetry
from subgraphs.telemetry.store import Retention, TelemetryStore

__all__ = ["TelemetryOptions", "create_telemetry_app", "served_schema"]


@dataclass(frozen=True, slots=True)
class TelemetryOptions:
    sensors: Sequence[SensorSpec] = ()
    mqtt_url: str | None = None
    """`mqtt://host:port`; None: this app only serves."""
    store_url: str | None = None
    """`sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`; None: a file of its own that goes at the end."""
    bus_url: str | None = None
    """`redis://…` when several processes serve; None: this process alone."""
    bus_prefix: str = "gwc"
    ingest_regions: Collection[str] | None = None
    """Take only these regions' readings; None: all."""
    verifier: TokenVerifier | None = None
    profiles: Mapping[str, ClimateProfile] | None = None
    """None: the standard ones."""
    retention: Retention = field(default_factory=Retention)
    clock: Clock = utc_now


@cache
def served_schema() -> ServedSchema:
    """One for the process, however many apps."""
    return ServedSchema(make_schema(), files("schema").joinpath("telemetry.graphql").read_text("utf-8"), ENTITIES)


def create_telemetry_app(options: TelemetryOptions) -> Starlette:
    registry = SensorRegistry(options.sensors, load_profiles() if options.profiles is None else options.profiles)
    store = TelemetryStore(options.store_url, options.retention)
    bus = open_bus(options.bus_url, options.bus_prefix)
    ingest = None
    if options.mqtt_url is not None:
        ingest = Ingest(options.mqtt_url, registry, store, bus, clock=options.clock, regions=options.ingest_regions)
    telemetry = Telemetry(registry, store, bus, ingest, options.clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as running:
            running.push_async_callback(store.close)
            await store.open()
            await running.enter_async_context(bus)
            if ingest is not None:
                running.push_async_callback(ingest.stop)
                await ingest.start()
            yield

    async def health() -> Mapping[str, Any]:
        return {"sensors": len(registry), **_ingest_health(ingest)}

    def make_context(caller: Caller) -> Request:
        return Request(telemetry, caller)

    app = create_subgraph_app(
        served_schema(),
        verifier=options.verifier,
        context_factory=make_context,
        classify=_classify,
        health=health,
        lifespan=lifespan,
    )
    app.state.telemetry = telemetry
    return app


def _ingest_health(ingest: Ingest | None) -> dict[str, Any]:
    if ingest is None:
        return {"mqtt": "none"}
    state = "connected" if ingest.connected.is_set() else "disconnected"
    return {"mqtt": state, "ingest": ingest.stats.as_dict()}


def _classify(error: BaseException) -> CodedError | None:
    if isinstance(error, BusError):
        return CodedError(f"{error}; read the present state, then subscribe again", code=error.code)
    if isinstance(error, SQLAlchemyError):
        return CodedError("telemetry's store does not answer; try again later", code="STORE_UNAVAILABLE")
    return None
