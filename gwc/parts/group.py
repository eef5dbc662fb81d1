"""The group endpoint of a partitioned graph: all its members as one standard subgraph.

What composition and routing need of a group stands in the members file: who its members are, and which contract they
share (`contract`, a path beside that file). The overlay and other routers ask the group here; it is no place for
browsers, and nothing is hidden in it that services may see.
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from contract.identity import TokenIssuer
from gateway.execution.clients import HttpPool
from gateway.execution.members import Members
from gateway.execution.stale import StaleStore
from gateway.pipeline.answer import PipelineOptions
from gateway.server.app import GatewayOptions, create_gateway_app
from gateway.server.direct import DirectStarlette
from gateway.supergraph.group import group_supergraph
from gateway.supergraph.model import Supergraph
from gateway.supergraph.served import as_subgraph
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key
from gwc.parts.common import execution_limits, internal_verifier
from gwc.parts.members import open_membership
from gwc.parts.stale import stale_store
from gwc.schemas import load_supergraph_file
from gwc.serve import listen, serve
from gwc.settings import Settings

__all__ = ["contract_of", "group_app", "group_path", "serve_group"]

Say = Callable[[str], None]


def serve_group(
    settings: Settings, supergraph: Path, members: Path | None, group: str, host: str, port: int, say: Say
) -> None:
    """One group alone, at /graphql and at the path that the supergraph's URL has in a whole gateway."""
    listener = listen(host, port)
    ensure_keys(settings.keys)
    loaded = load_supergraph_file(supergraph)
    graph = next((one for one in loaded.partitions if loaded.graphs[one].name == group), None)
    if graph is None:
        names = ", ".join(loaded.graphs[one].name for one in loaded.partitions) or "none"
        raise CommandError(f"{supergraph} has no partitioned group {group}.", f"It has: {names}.", 2)
    pool = HttpPool()
    membership = open_membership(settings, loaded, members, pool, say)
    contract = contract_of(members, group)
    if contract is None:
        raise CommandError(
            f"{members} does not say which contract the members of {group} share.",
            f'Write contract = "FILE" below [groups.{group}].',
        )
    stale = stale_store(settings)
    part = group_app(settings, loaded, graph, membership.groups[graph], contract, stale)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(pool.close)
            if stale is not None:
                running.push_async_callback(stale.close)
            await running.enter_async_context(part.router.lifespan_context(part))
            await running.enter_async_context(membership.running())
            yield

    path = group_path(group)
    direct = {f"{mount}{inside}": endpoint for mount in ("", path) for inside, endpoint in part.direct.items()}
    say(f"supergraph {supergraph}: the group {group}, as a subgraph")
    app = DirectStarlette(direct=direct, routes=[Mount(path, part), Mount("/", part)], lifespan=lifespan)
    serve(app, listener, "/graphql", say)


def group_path(name: str) -> str:
    return f"/groups/{name}"


def group_app(
    settings: Settings,
    supergraph: Supergraph,
    graph: str,
    members: Members,
    contract: str | None,
    stale: StaleStore | None = None,
) -> DirectStarlette:
    """`stale`: for other routers' clients; the overlay asks for what is so now.

    Without a contract there is nothing to tell other routers, so the endpoint serves only the graph's own fields.
    """
    alone = group_supergraph(supergraph, graph)
    served = alone if contract is None else as_subgraph(alone, contract)
    return create_gateway_app(served, {graph: members}, group_options(settings, stale))


def group_options(settings: Settings, stale: StaleStore | None = None) -> GatewayOptions:
    """Internal tokens in and out; nothing for browsers."""
    return GatewayOptions(
        inside=internal_verifier(settings),
        issuer=TokenIssuer(private_key(settings.keys, "internal")),
        deadline_s=settings.deadline_ms / 1000,
        graphiql=False,
        metrics=False,
        pipeline=PipelineOptions(execution=execution_limits(settings), stale=stale),
    )


def contract_of(members: Path | None, group: str) -> str | None:
    """The text of the contract that the members file names for a group; None: it names none.

    Read apart from the members: these may change while the gateway serves, the contract may not.
    """
    if members is None:
        return None
    try:
        groups = tomllib.loads(members.read_text(encoding="utf-8")).get("groups", {})
        named = groups.get(group, {}).get("contract")
        return None if named is None else (members.parent / named).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
        raise CommandError(f"{members}: groups.{group}.contract cannot be read: {error}.") from None
