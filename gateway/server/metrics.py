"""A few figures for Prometheus, in a registry of the application's own, so that several gateways share a process."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from types import TracebackType

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from gateway.execution.executor import Clients
from gateway.execution.members import Member, Members
from gateway.execution.resilience.breaker import BreakerState

__all__ = ["Metrics", "Seen"]

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Seen:
    """One request on its way; counted when its block is left, under the outcome that it has then."""

    __slots__ = ("_requests", "_started", "outcome")

    def __init__(self, requests: _RequestCollector) -> None:
        self.outcome = "fault"
        self._requests = requests
        self._started = time.perf_counter()

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.count(self.outcome, time.perf_counter() - self._started)


class Metrics:
    def __init__(self, clients: Clients) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_MemberCollector(clients))
        self._requests = _RequestCollector()
        self._registry.register(self._requests)
        self.sockets = Gauge("gwc_gateway_websockets", "Open websockets.", registry=self._registry)
        self.subscriptions = Gauge("gwc_gateway_subscriptions", "Subscriptions served.", registry=self._registry)

    def request(self) -> Seen:
        return Seen(self._requests)

    async def endpoint(self, request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class _RequestCollector(Collector):
    """Counts by itself, on the one thread that answers: the library's counters take a lock each."""

    def __init__(self) -> None:
        self._by_outcome: Counter[str] = Counter()
        self._by_bucket = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0

    def count(self, outcome: str, seconds: float) -> None:
        self._by_outcome[outcome] += 1
        self._by_bucket[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("gwc_gateway_requests", "HTTP requests by outcome.", labels=("outcome",))
        for outcome, count in sorted(self._by_outcome.items()):
            requests.add_metric((outcome,), count)
        bounds = (*map(str, _BUCKETS), "+Inf")
        buckets = list(zip(bounds, accumulate(self._by_bucket), strict=True))
        yield requests
        yield HistogramMetricFamily("gwc_gateway_request_seconds", "Time to answer.", buckets, self._seconds)


_OPENNESS = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


class _MemberCollector(Collector):
    """Of the members as they are when somebody looks: who has left is not told of any more."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def collect(self) -> Iterator[Metric]:
        labels = ("graph", "region")
        up = GaugeMetricFamily(
            "gwc_gateway_member_up", "1 when the member answered last time it was asked.", labels=labels
        )
        breakers = GaugeMetricFamily(
            "gwc_gateway_member_breaker", "The breaker: 0 closed, 0.5 half open, 1 open.", labels=labels
        )
        attempts = CounterMetricFamily(
            "gwc_gateway_member_attempts",
            "Attempts beside the first ones, and those that the breaker rejected.",
            labels=(*labels, "reason"),
        )
        for graph, member in self._members():
            named = (graph, member.region)
            if member.state.status != "UNKNOWN":
                up.add_metric(named, member.state.status == "OK")
            breakers.add_metric(named, _OPENNESS[member.resilience.breaker_state])
            for reason, count in sorted(member.resilience.counted.items()):
                attempts.add_metric((*named, reason), count)
        yield from (up, breakers, attempts)

    def _members(self) -> Iterator[tuple[str, Member]]:
        for graph, client in self._clients.items():
            if isinstance(client, Members):
                for member in client.now.all:
                    yield graph, member
