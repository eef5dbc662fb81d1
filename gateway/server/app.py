"""The gateway as an ASGI application: routes, and what stands behind each.

/graphql   POST and GET: GraphQL over HTTP; GET by a browser: GraphiQL; websocket: graphql-transport-ws
/health    this gateway and its members, as JSON
/metrics   for Prometheus
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from contract.identity import TokenIssuer, TokenVerifier
from gateway.execution.executor import Clients
from gateway.execution.members import Members
from gateway.pipeline.answer import Pipeline, PipelineOptions
from gateway.pipeline.prepare import MakesPlans
from gateway.planning.planner import Planner
from gateway.server.callers import Callers
from gateway.server.direct import DirectStarlette
from gateway.server.health import Health
from gateway.server.http import GraphQLOverHttp
from gateway.server.metrics import Metrics
from gateway.server.pages import graphiql_page, static_files
from gateway.server.websocket import GraphQLOverWebSocket, SocketLimits
from gateway.supergraph.model import Supergraph

__all__ = ["GatewayOptions", "create_gateway_app"]


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    verifier: TokenVerifier | None = None
    """Verifies access tokens (issuer `gwc-access`). None: every token is refused, anonymous requests are served."""
    issuer: TokenIssuer | None = None
    """Issues the internal tokens that subgraphs trust."""
    inside: TokenVerifier | None = None
    """For a group endpoint, which only parts of the system reach: verifies internal tokens in place of access tokens."""
    deadline_s: float = 10.0
    """Of one request; a client may shorten it by the header `gwc-deadline-ms`."""
    body_bytes_max: int = 1 << 20
    explain: bool = False
    """Whether `gwc-explain: 1` or `?explain=1` is answered with plan and timings; if not, the wish is passed over."""
    graphiql: bool = True
    metrics: bool = True
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    sockets: SocketLimits = field(default_factory=SocketLimits)


def create_gateway_app(
    supergraph: Supergraph,
    clients: Clients,
    options: GatewayOptions | None = None,
    planner: MakesPlans | None = None,
) -> DirectStarlette:
    """`clients`: each graph of the supergraph (by enum value) → its client, or the `Members` of a partitioned one.

    The application closes the clients when it shuts down. Its `state.pipeline` answers requests without HTTP.
    """
    chosen = options or GatewayOptions()
    pipeline = Pipeline(supergraph, clients, planner or Planner(supergraph), chosen.pipeline)
    callers = Callers(chosen.verifier, chosen.issuer, chosen.deadline_s, chosen.explain, chosen.inside)
    metrics = Metrics(clients)
    page = graphiql_page(supergraph.api_schema) if chosen.graphiql else None
    http = GraphQLOverHttp(pipeline, callers, metrics, page, chosen.body_bytes_max)
    sockets = GraphQLOverWebSocket(pipeline, callers, metrics, chosen.sockets)
    routes = [
        Route("/graphql", http, methods=None),
        WebSocketRoute("/graphql", sockets.endpoint),
        Route("/health", Health(supergraph, clients).endpoint),
    ]
    if chosen.metrics:
        routes.append(Route("/metrics", metrics.endpoint))
    mounts = [Mount("/graphiql", static_files())] if chosen.graphiql else []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await pipeline.hub.close()
            await pipeline.drain()
            await _close(clients)

    app = DirectStarlette(direct={"/graphql": http}, routes=[*routes, *mounts], lifespan=lifespan)
    app.state.pipeline = pipeline
    return app


async def _close(clients: Clients) -> None:
    for client in clients.values():
        if isinstance(client, Members):
            for member in client.now.all:
                await member.close()
        else:
            await client.close()
