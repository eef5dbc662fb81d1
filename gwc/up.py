"""`gwc up`: from an empty folder to a serving city, one line for each step."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from adapters.model import Store
from contract.regions import REGIONS
from gwc.embedded import EmbeddedCity, region_name, sensors_of
from gwc.errors import CommandError
from gwc.keys import ensure_keys
from gwc.parts.district import open_district_store, read_store
from gwc.sample import ensure_city
from gwc.sample_api import sample_api
from gwc.serve import listen, new_loop, run_server
from gwc.settings import Settings
from subgraphs.telemetry.broker import start_embedded_broker

__all__ = ["serve_city"]

Say = Callable[[str], None]
SERVED_REGION = "330110"
"""Whose store is an interface, which somebody must serve."""

CURL = """  curl -s {url} -H 'content-type: application/json' -d '{{"query":"{{ assets(first: 3, orderBy: [{{field: NET_VALUE, direction: DESC}}]) {{ totalCount nodes {{ name netValue region {{ name }} }} }} }}"}}'"""


def serve_city(
    settings: Settings, host: str, port: int, size: str, seed: int, external: list[str], simulate: bool, say: Say
) -> None:
    """Serve until Ctrl-C. Raises `CommandError` before anything is written when the port is taken."""
    elsewhere = _external(external)
    listener = listen(host, port)
    try:
        say(f"[1/4] sample city ({size}, seed {seed})")
        ensure_city(settings.city, size, seed, say)
        say(f"[2/4] keys and state in {settings.data_dir}")
        ensure_keys(settings.keys)
        _ensure_state(settings.state)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(settings, listener, elsewhere, simulate, say))
    finally:
        listener.close()


async def _serve(
    settings: Settings, listener: socket.socket, external: dict[str, str], simulate: bool, say: Say
) -> None:
    async with AsyncExitStack() as running:
        if SERVED_REGION not in external:
            await running.enter_async_context(sample_api(settings.city))
        stores = await _open_stores(settings, external, say)
        for store in stores.values():
            running.push_async_callback(store.close)
        broker = await start_embedded_broker()
        city = EmbeddedCity(settings, stores, external, broker, await sensors_of(stores), simulate)
        await run_server(city.app, listener, lambda: _announce(listener, broker.url, say))
        say("stopped")


async def _open_stores(settings: Settings, external: dict[str, str], say: Say) -> dict[str, Store]:
    stores: dict[str, Store] = {}
    embedded = [region for region in REGIONS if region not in external]
    say(f"[3/4] {len(embedded)} legacy stores" + (f", {len(external)} elsewhere" if external else ""))
    for region in embedded:
        store = read_store(settings.city / "mappings" / f"{region}.toml", None, settings.state / "index")
        await open_district_store(store)
        stores[region] = store
        say(f"      {region_name(region)}: {await store.count(None):,} assets")
    return stores


def _announce(listener: socket.socket, broker_url: str, say: Say) -> None:
    host, port = listener.getsockname()[:2]
    base = f"http://{host}:{port}"
    say(f"[4/4] ready: {base}/graphql")
    say(f"      GraphiQL in a browser at the same address; health: {base}/health; metrics: {base}/metrics")
    say(f"      one district alone: {base}/districts/330106/graphql; sensors: {broker_url}")
    say("Try (Ctrl-C stops the city):")
    say(CURL.format(url=f"{base}/graphql"))


def _external(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        region, _, url = one.partition("=")
        if region not in REGIONS or not url.startswith(("http://", "https://")):
            raise CommandError(
                f"--external {one} is not of the form REGION=URL.", "Such as 330106=http://127.0.0.1:8201/graphql", 2
            )
        found[region] = url
    return found


def _ensure_state(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder} cannot be made: {error.strerror}.", "Choose another --data-dir.") from None
