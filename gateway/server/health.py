"""`/health`: whether this gateway serves, which supergraph, and how its members were last seen.

The gateway is healthy when it can answer, even where members cannot: `status` is then `degraded`, still with 200, so
that a load balancer does not take a gateway away because a district is down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.execution.executor import Clients
from gateway.execution.members import Member, Members
from gateway.supergraph.model import Supergraph

__all__ = ["Health"]


@dataclass(frozen=True, slots=True)
class Health:
    supergraph: Supergraph
    clients: Clients

    async def endpoint(self, request: Request) -> Response:
        return Response(orjson.dumps(self.state()), media_type="application/json")

    def state(self) -> dict[str, Any]:
        groups = {
            self._name(graph): [_member(member) for member in client.now.all]
            for graph, client in self.clients.items()
            if isinstance(client, Members)
        }
        down = any(member["status"] not in ("OK", "UNKNOWN") for group in groups.values() for member in group)
        return {
            "status": "degraded" if down else "ok",
            "supergraph": self.supergraph.version,
            "subgraphs": [graph.name for graph in self.supergraph.graphs.values()],
            "groups": groups,
        }

    def _name(self, graph: str) -> str:
        known = self.supergraph.graphs.get(graph)
        return known.name if known is not None else graph


def _member(member: Member) -> dict[str, Any]:
    return {
        "region": member.region,
        "name": member.name.name,
        "nameEn": member.name.name_en,
        "required": member.required,
        "status": member.state.status,
        "failuresInARow": member.state.failures_in_a_row,
        "breaker": member.resilience.breaker_state,
        "latencyMs": None if member.state.latency_ms is None else round(member.state.latency_ms, 1),
    }
