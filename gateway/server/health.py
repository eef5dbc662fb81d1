"""`/health`: whether this gateway serves, which supergraph, and how its members were last seen.

The gateway is healthy when it can answer, even where members cannot: `status` is then `degraded`, still with 200, so
that a load balancer does not take a gateway away because a district is down. A member whose schema does not fit the
contract, and a members file that could not be used, are told here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.execution.executor import Clients
from gateway.execution.members import Member, Members
from gateway.supergraph.member_contract import MemberContract
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
        down = any(not _serves(member) for group in groups.values() for member in group)
        problems = [
            f"{self._name(graph)}: {client.problem}"
            for graph, client in self.clients.items()
            if isinstance(client, Members) and client.problem is not None
        ]
        return {
            "status": "degraded" if down or problems else "ok",
            "supergraph": self.supergraph.version,
            "subgraphs": [graph.name for graph in self.supergraph.graphs.values()],
            "groups": groups,
            "problems": problems,
        }

    def _name(self, graph: str) -> str:
        known = self.supergraph.graphs.get(graph)
        return known.name if known is not None else graph


def _serves(member: dict[str, Any]) -> bool:
    contract = member["contract"]
    return member["status"] in ("OK", "UNKNOWN") and (contract is None or not contract["errors"])


def _contract(contract: MemberContract | None) -> dict[str, Any] | None:
    """None: its schema has not been seen yet."""
    if contract is None:
        return None
    return {
        "version": contract.version,
        "lacks": sorted(contract.lacks),
        "errors": [str(one) for one in contract.errors],
    }


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
        "contract": _contract(member.contract),
    }
