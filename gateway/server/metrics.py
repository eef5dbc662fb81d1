"""A few figures for Prometheus, in a registry of the application's own, so that several gateways share a process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from gateway.execution.executor import Clients
from gateway.execution.members import Members

__all__ = ["Metrics", "Seen"]

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class Seen:
    outcome: str = "fault"


class Metrics:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gwc_gateway_requests_total", "HTTP requests by outcome.", ("outcome",), registry=self._registry
        )
        self._by_outcome: dict[str, Counter] = {}
        self._seconds = Histogram(
            "gwc_gateway_request_seconds", "Time to answer.", buckets=_BUCKETS, registry=self._registry
        )
        self.sockets = Gauge("gwc_gateway_websockets", "Open websockets.", registry=self._registry)
        self.subscriptions = Gauge("gwc_gateway_subscriptions", "Subscriptions served.", registry=self._registry)
        self._members = Gauge(
            "gwc_gateway_member_up",
            "1 when the member answered last time it was asked.",
            ("graph", "region"),
            registry=self._registry,
        )

    @contextmanager
    def request(self) -> Iterator[Seen]:
        seen = Seen()
        started = time.perf_counter()
        try:
            yield seen
        finally:
            self._count(seen.outcome)
            self._seconds.observe(time.perf_counter() - started)

    def _count(self, outcome: str) -> None:
        counter = self._by_outcome.get(outcome)
        if counter is None:
            counter = self._by_outcome[outcome] = self._requests.labels(outcome)
        counter.inc()

    async def endpoint(self, request: Request) -> Response:
        for graph, client in self._clients.items():
            if isinstance(client, Members):
                for member in client.now.all:
                    if member.state.status != "UNKNOWN":
                        self._members.labels(graph, member.region).set(member.state.status == "OK")
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
