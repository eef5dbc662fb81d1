"""The overlay as an ASGI app: its store, its services, and the clockwork that settles what was left open.

While the app runs, two things happen beside requests: commands whose outcome was unknown are taken up again, and
orders whose holds lapsed are ended. Both also happen at start-up, so a process that was killed loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import strawberry
import structlog
from sqlalchemy import func, select
from starlette.applications import Starlette

from contract.identity import TokenIssuer, TokenVerifier
from contract.rules import RuleSigner
from overlay.api.context import Context, Services
from overlay.api.mutations import Mutation
from overlay.api.queries import ENTITIES, Query
from overlay.api.types import Asset, CirculationOrder, Unit, VirtualWarehouse, VirtualWarehouseView, Warehouse
from overlay.api.warehouses import Subscription
from overlay.approvals.delegations import Delegations
from overlay.approvals.warnings import warn_of_lapsing
from overlay.bodies.service import Bodies
from overlay.clock import Clock, utc_now
from overlay.group.custody import Custody
from overlay.group.endpoint import GroupEndpoint, HttpGroupEndpoint
from overlay.group.views import ViewReader
from overlay.ledger.service import Ledger, LedgerOptions
from overlay.orders.model import RUNNING
from overlay.orders.policy import load_policy
from overlay.orders.service import Circulation
from overlay.paperwork import Paperwork, PaperworkOptions
from overlay.store import tables
from overlay.store.database import Database
from overlay.warehouses.commands import WarehouseCommands
from overlay.warehouses.service import Warehouses
from overlay.warehouses.watching import Watching, WatchSettings
from subgraphs.kit.app import create_subgraph_app
from subgraphs.kit.caller import Caller
from subgraphs.kit.scalars import SCALARS
from subgraphs.kit.served import ServedSchema, strawberry_config
from subgraphs.kit.tasks import end_tasks

__all__ = ["OverlayOptions", "create_overlay_app", "overlay_schema"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayOptions:
    database_url: str
    """`sqlite:///path/to/overlay.sqlite` or `postgresql://…`."""
    group: GroupEndpoint | str
    """The districts' group endpoint, or the URL of one."""
    internal_private_pem: str
    """Signs the service identity that goes to the districts."""
    internal_public_pem: str
    """Verifies the identity that the gateway hands on."""
    rule_private_pem: str
    """Signs the rules of virtual warehouses."""
    policy: Path | None = None
    """The policy table's file; None: the one that comes with the program."""
    ledger: LedgerOptions | None = None
    """How the ledger is anchored each day; None: not by this process."""
    clock: Clock = utc_now
    settle_every_s: float = 5.0
    """How often open commands and lapsed holds are looked at."""
    call_timeout_s: float = 8.0
    """How long one call to an owner may take before its outcome counts as unknown."""
    watch: WatchSettings = field(default_factory=WatchSettings)
    """How often standing queries are evaluated."""
    paperwork: PaperworkOptions = field(default_factory=PaperworkOptions)


def create_overlay_app(options: OverlayOptions) -> Starlette:
    """The overlay's ASGI app: `/graphql`, `/files` and `/health`. Its store is opened, and open commands are resumed, at start-up."""
    database = Database(options.database_url)
    endpoint = HttpGroupEndpoint(options.group) if isinstance(options.group, str) else options.group
    issuer = TokenIssuer(options.internal_private_pem)
    custody = Custody(endpoint, issuer, options.call_timeout_s)
    policy = load_policy(options.policy)
    circulation = Circulation(database, custody, policy, options.clock)
    warehouses = Warehouses(database, RuleSigner(options.rule_private_pem), options.clock)
    ledger = Ledger(database, custody, options.clock, options.ledger)
    reader = ViewReader(endpoint, issuer, options.call_timeout_s)
    watching = Watching(database, warehouses, reader, options.clock, options.watch)
    keys = (options.internal_private_pem, options.internal_public_pem)
    paperwork = Paperwork(options.paperwork, database, policy, keys, options.clock)
    bodies = Bodies(database, circulation, options.clock)
    services = Services(
        database=database,
        circulation=circulation,
        warehouses=warehouses,
        warehouse_commands=WarehouseCommands(database, options.clock),
        watching=watching,
        custody=custody,
        ledger=ledger,
        paperwork=paperwork,
        policy=policy,
        delegations=Delegations(database, options.clock),
        bodies=bodies,
        clock=options.clock,
    )

    def make_context(caller: Caller) -> Context:
        return Context(services, caller)

    async def health() -> Mapping[str, Any]:
        async with database.read() as connection:
            query = select(func.count()).select_from(tables.commands).where(tables.commands.c.state == RUNNING)
            return {"openCommands": (await connection.execute(query)).scalar_one()}

    async def settle() -> None:
        await circulation.resume()
        await circulation.tend()
        await bodies.tend()
        await warn_of_lapsing(database, options.clock())
        await ledger.tick()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await database.open()
        await warehouses.plant_seeds()
        await circulation.start()
        settling = asyncio.create_task(
            _again(settle, options.settle_every_s, "settling_failed"), name="overlay settling"
        )
        watched = asyncio.create_task(
            _again(watching.run, options.watch.tick_s, "watching_failed"), name="overlay watching"
        )
        try:
            async with paperwork.running():
                yield
        finally:
            await end_tasks(settling, watched)
            await ledger.stop()
            await circulation.stop()
            if isinstance(endpoint, HttpGroupEndpoint) and isinstance(options.group, str):
                await endpoint.close()
            await database.close()

    return create_subgraph_app(
        overlay_schema(),
        verifier=TokenVerifier(options.internal_public_pem),
        context_factory=make_context,
        health=health,
        lifespan=lifespan,
        routes=paperwork.routes(),
    )


@cache
def overlay_schema() -> ServedSchema:
    """The published contract, served. One for the process, however many apps."""
    config = strawberry_config()
    config.scalar_map = {**config.scalar_map, **SCALARS}
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Asset, Unit, Warehouse, VirtualWarehouse, VirtualWarehouseView, CirculationOrder],
        config=config,
    )
    sdl = resources.files("schema").joinpath("overlay.graphql").read_text(encoding="utf-8")
    return ServedSchema(schema, sdl, ENTITIES)


async def _again(work: Callable[[], Awaitable[object]], every_s: float, failure: str) -> None:
    """For ever: a fault of one round is logged, and the next one tries again."""
    while True:
        try:
            await work()
        except Exception:
            _log.exception(failure)
        await asyncio.sleep(every_s)
