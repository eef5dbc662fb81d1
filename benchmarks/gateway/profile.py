"""What a request costs the gateway's processor without the wire: `python -m benchmarks.gateway.profile [nested|single]`.

The whole application answers ASGI requests in this process; subgraphs answer from memory at once. Beside it stands the
same of the limit (`limit.py`), so that the ratio can be seen on a busy machine: processor time is counted, and the best
round stands. With the name of a query, its functions follow, as cProfile sees them; it makes small ones look dearer.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import pstats
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import orjson
import uvloop

from benchmarks.figures import machine
from benchmarks.gateway.limit import Program
from benchmarks.gateway.market import LINK, NESTED, PORTS, SDL, SINGLE, answer
from gateway.composition import SubgraphSource, compose
from gateway.execution.answers import Outcome, read_answer
from gateway.execution.clients import request_body
from gateway.execution.limits import Deadline
from gateway.server.app import create_gateway_app
from gateway.supergraph.load import load_supergraph
from gwc.serve import GC_ALLOCATIONS

QUERIES = {"nested": (NESTED, 50), "single": (SINGLE, 1_000)}
"""With the number of requests of a round."""
ROUNDS, WARM_UP = 12, 30
LINES = 40

App = Callable[[Any, Any, Any], Awaitable[None]]


class FromMemory:
    """A subgraph of the market; what it answered once it has by heart."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[bytes, bytes] = {}

    def answer(self, body: bytes) -> bytes:
        known = self._known.get(body)
        if known is None:
            asked = orjson.loads(body)
            said = answer(self._name, asked["query"], asked.get("variables"))
            known = self._known[body] = orjson.dumps(said)
        return known

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        return read_answer(200, self.answer(request_body(operation, variables)))

    def subscribe(self, *_: Any) -> AsyncGenerator[Outcome, None]:
        raise NotImplementedError

    async def close(self) -> None: ...


class LimitFromMemory(Program):
    def __init__(self) -> None:
        super().__init__()
        self._subgraphs = {name: FromMemory(name) for name in SDL}

    async def ask(self, name: str, query: str, representations: list[dict[str, Any]] | None = None) -> Any:
        request: dict[str, Any] = {"query": query}
        if representations is not None:
            request["variables"] = {"r": representations}
        said = orjson.loads(self._subgraphs[name].answer(orjson.dumps(request)))["data"]
        return said if representations is None else said["_entities"]


def gateway() -> App:
    sources = [SubgraphSource(name, f"http://127.0.0.1:{PORTS[name]}/graphql", LINK + sdl) for name, sdl in SDL.items()]
    sdl = compose(sources).supergraph_sdl
    assert sdl is not None
    supergraph = load_supergraph(sdl)
    return create_gateway_app(supergraph, {key: FromMemory(one.name) for key, one in supergraph.graphs.items()})


async def ask(app: App, body: bytes) -> Any:
    """One POST, as a server hands it on; what comes back."""
    sent: list[Any] = []
    names = (("host", "localhost:4000"), ("content-type", "application/json"), ("accept", "application/json"))
    headers = [(name.encode(), value.encode()) for name, value in (*names, ("content-length", str(len(body))))]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[-1]["body"]


async def cost_ms(app: App, query: str, requests: int) -> float:
    body = orjson.dumps({"query": query})
    for _ in range(WARM_UP):
        await ask(app, body)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, *gc.get_threshold()[1:])
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(requests):
            await ask(app, body)
        best = min(best, (time.process_time() - started) / requests * 1000)
    return best


async def profile(app: App, query: str, requests: int) -> pstats.Stats:
    body = orjson.dumps({"query": query})
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(requests):
        await ask(app, body)
    profiler.disable()
    return pstats.Stats(profiler)


async def measure(looked_at: str | None) -> None:
    ours, limit = gateway(), LimitFromMemory()
    for name, (query, requests) in QUERIES.items():
        if looked_at not in (None, name):
            continue
        body = orjson.dumps({"query": query})
        if orjson.loads(await ask(ours, body)) != orjson.loads(await ask(limit, body)):
            raise SystemExit(f"the gateway and the limit give other data for the {name} query")
        cost, least = await cost_ms(ours, query, requests), await cost_ms(limit, query, requests)
        print(f"{name}: {cost:.3f} ms of the processor a request, the limit {least:.3f} ms")
        if looked_at is not None:
            (await profile(ours, query, requests)).sort_stats("tottime").print_stats(LINES)


def main() -> None:
    print(machine())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(sys.argv[1] if len(sys.argv) > 1 else None))


if __name__ == "__main__":
    main()
