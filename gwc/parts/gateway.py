"""The gateway: any supergraph by HTTP, with a group endpoint for each partitioned graph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from contract.identity import ACCESS, TokenIssuer, TokenVerifier
from gateway.execution.clients import HttpClient, HttpPool, SubgraphClient
from gateway.execution.members import Member, Members, MemberSettings, MembersInvalid, load_members
from gateway.language.errors import SupergraphInvalid
from gateway.pipeline.answer import PipelineOptions
from gateway.server.app import GatewayOptions, create_gateway_app
from gateway.server.direct import DirectStarlette
from gateway.supergraph.group import group_supergraph
from gateway.supergraph.model import Supergraph
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key, public_key
from gwc.parts.common import internal_verifier
from gwc.schemas import load_supergraph_file
from gwc.serve import listen, serve
from gwc.settings import Settings

__all__ = ["gateway_options", "group_options", "serve_gateway"]

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
    groups = _groups(loaded, members, pool)
    clients: dict[str, SubgraphClient | Members] = {
        name: groups[name] if name in groups else HttpClient(graph.url, pool, share=share)
        for name, graph in loaded.graphs.items()
    }
    try:
        gateway = create_gateway_app(loaded, clients, gateway_options(settings, share=share))
    except SupergraphInvalid as invalid:
        raise CommandError(f"{supergraph}: {invalid}") from None
    mounts: list[BaseRoute] = []
    direct = dict(gateway.direct)
    parts = [gateway]
    for name, group in groups.items():
        part = create_gateway_app(group_supergraph(loaded, name), {name: group}, group_options(settings))
        parts.append(part)
        path = f"/groups/{loaded.graphs[name].name}"
        mounts.append(Mount(path, part))
        direct |= {f"{path}{inside}": endpoint for inside, endpoint in part.direct.items()}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(pool.close)
            for part in parts:
                await running.enter_async_context(part.router.lifespan_context(part))
            yield

    say(f"supergraph {supergraph}: {', '.join(graph.name for graph in loaded.graphs.values())}")
    app = DirectStarlette(direct=direct, routes=[*mounts, Mount("/", gateway)], lifespan=lifespan)
    serve(app, listener, "/graphql", say)


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
        try:
            found[graph] = Members(_member(one, pool) for one in known[name])
        except MembersInvalid as error:
            raise CommandError(f"{members}: {error}.") from None
    return found


def _member(one: MemberSettings, pool: HttpPool) -> Member:
    clients = (HttpClient(url, pool) for url in one.urls)
    return Member(one.region, one.name, *clients, name_en=one.name_en, aliases=one.aliases, required=one.required)


def gateway_options(settings: Settings, *, share: bool = False) -> GatewayOptions:
    """Of the public gateway: clients' access tokens in, internal tokens out. `share`: equal queries in flight run once."""
    return GatewayOptions(
        verifier=TokenVerifier(public_key(settings.keys, "access"), ACCESS),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        explain=settings.explain,
        pipeline=PipelineOptions(share=share),
    )


def group_options(settings: Settings) -> GatewayOptions:
    """Of a group endpoint: internal tokens in and out; nothing for browsers."""
    return GatewayOptions(
        inside=internal_verifier(settings),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        graphiql=False,
        metrics=False,
    )
