"""The gateway: any supergraph by HTTP, with a group endpoint for each partitioned graph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from contract.identity import ACCESS, TokenIssuer, TokenVerifier
from gateway.execution.clients import HttpClient, HttpPool, SubgraphClient
from gateway.execution.members import Members
from gateway.execution.stale import StaleStore
from gateway.language.errors import SupergraphInvalid
from gateway.pipeline.answer import PipelineOptions
from gateway.server.app import GatewayOptions, create_gateway_app
from gateway.server.direct import DirectStarlette
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.parts.common import execution_limits
from gwc.parts.files import files_proxy
from gwc.parts.group import contract_of, group_app, group_path
from gwc.parts.members import open_membership
from gwc.parts.stale import stale_store
from gwc.schemas import load_supergraph_file
from gwc.serve import listen, serve
from gwc.settings import Settings

__all__ = ["gateway_options", "serve_gateway"]

Say = Callable[[str], None]


def serve_gateway(
    settings: Settings,
    supergraph: Path,
    members: Path | None,
    host: str,
    port: int,
    say: Say,
    *,
    share: bool = False,
) -> None:
    """Any supergraph by HTTP to its routing URLs; its partitioned groups by the members file."""
    listener = listen(host, port)
    ensure_keys(settings.keys)
    loaded = load_supergraph_file(supergraph)
    pool = HttpPool()
    membership = open_membership(settings, loaded, members, pool, say)
    groups = membership.groups
    stale = stale_store(settings)
    clients: dict[str, SubgraphClient | Members] = {
        name: groups[name] if name in groups else HttpClient(graph.url, pool, share=share)
        for name, graph in loaded.graphs.items()
    }
    try:
        gateway = create_gateway_app(loaded, clients, gateway_options(settings, share=share, stale=stale))
    except SupergraphInvalid as invalid:
        raise CommandError(f"{supergraph}: {invalid}") from None
    files = files_proxy(settings, {graph.name: graph.url for graph in loaded.graphs.values()})
    mounts: list[BaseRoute] = []
    direct = dict(gateway.direct)
    parts = [gateway]
    for name, group in groups.items():
        part = group_app(settings, loaded, name, group, contract_of(members, loaded.graphs[name].name))
        parts.append(part)
        path = group_path(loaded.graphs[name].name)
        mounts.append(Mount(path, part))
        direct |= {f"{path}{inside}": endpoint for inside, endpoint in part.direct.items()}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(pool.close)
            if files is not None:
                running.push_async_callback(files.close)
            if stale is not None:
                running.push_async_callback(stale.close)
            for part in parts:
                await running.enter_async_context(part.router.lifespan_context(part))
            await running.enter_async_context(membership.running())
            yield

    say(f"supergraph {supergraph}: {', '.join(graph.name for graph in loaded.graphs.values())}")
    if files is not None:
        mounts.append(files.route)
    app = DirectStarlette(direct=direct, routes=[*mounts, Mount("/", gateway)], lifespan=lifespan)
    serve(app, listener, "/graphql", say)


def gateway_options(settings: Settings, *, share: bool = False, stale: StaleStore | None = None) -> GatewayOptions:
    """Of the public gateway: clients' access tokens in, internal tokens out. `share`: equal queries in flight run once."""
    return GatewayOptions(
        verifier=TokenVerifier(public_key(settings.keys, "access"), ACCESS),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        explain=settings.explain,
        pipeline=PipelineOptions(share=share, execution=execution_limits(settings), stale=stale),
    )
