"""`make soak`: a gateway under random faults, for as long as is asked: `python -m tests.horizontal.soak`.

    --seconds N   ends after so long (1800)
    --cases N     or after so many requests (100,000)

The gateway serves HTTP on a real socket; so do six depots, each behind a fault proxy, except one that is never broken.
Clients ask at random, wait for the answer or leave before it. Every answer is compared with the one store. In the end,
when the faults are over and everybody has gone, nothing may be left: no task, no socket, no taken place in a limiter,
no memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp
import orjson
import psutil
import uvicorn

from benchmarks.figures import figure, machine
from contract.identity import DEADLINE_HEADER
from gateway.execution.clients import SubgraphClient
from gateway.execution.members import Members
from gateway.execution.resilience.breaker import OPEN_MAX_S
from gateway.server.app import GatewayOptions, create_gateway_app
from tests.horizontal.contract import planner, supergraph
from tests.horizontal.proxy import (
    Fault,
    cut,
    delay,
    drip,
    garbage,
    half_status_line,
    hang,
    length_too_great,
    length_too_small,
    refuse,
    reset,
    says,
)
from tests.horizontal.questions import Told, question
from tests.horizontal.rows import random_rows
from tests.horizontal.served import HOST
from tests.horizontal.sockets import Sockets, on_sockets
from tests.horizontal.store import Store
from tests.horizontal.stub import Room, Stub

__all__ = ["Soaked", "soak"]

DEPOTS = ("0", "9", "A", "a", "m", "z")
STEADY = "m"
"""Never broken, so only a machine that is too busy for the deadline makes it missing."""
ROWS_EACH = 25
ROOMS: tuple[Room, ...] = ((("0", "A", "m"), None), (DEPOTS, "FINE"), (("z",), None))
CLIENTS = 24
DEADLINE_S = 2.0
LATENESS = 4.0
"""Of the deadline, what a busy machine may add to it."""
IMPATIENT = 0.03
"""Share of requests whose client leaves before the answer."""
CALM = 0.75
"""Share of the weather's turns that end a fault."""
GUST_S = 0.05
"""A depot's state changes about so often."""
SETTLED = 0.2
"""Share of the run after which memory no longer grows by what is kept on purpose (plans, documents, pools)."""
RSS_GROWTH_MB_MAX = 20
SETTLING_S = 0.05
RECOVERY_S = OPEN_MAX_S + DEADLINE_S
"""No depot that is well stays unasked for longer."""
PROGRESS_S = 10.0
TOLD_MAX = 10
TOLD_BYTES_MAX = 4000

FAULTS: tuple[Fault, ...] = (
    delay(0.05),
    delay(DEADLINE_S * 2),
    hang,
    refuse,
    reset,
    cut,
    garbage,
    half_status_line,
    length_too_small,
    length_too_great,
    drip(0.001),
    says(500, b"oops"),
    says(429, b"{}", "retry-after: 1"),
    says(200, b"[]"),
)


@dataclass
class Soaked:
    """What a soak has found."""

    requests: int = 0
    left: int = 0
    """Requests whose client did not wait."""
    partial: int = 0
    """Answers that lacked a depot."""
    late: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    rss_growth_mb: float = 0.0
    tasks_left: int = 0
    sockets_left: int = 0
    places_taken: int = 0

    def is_clean(self) -> bool:
        return not (self.wrong or self.late or self.tasks_left or self.sockets_left or self.places_taken)


async def soak(cases: int, seconds: float, seed: int, say: bool = False) -> Soaked:
    found = Soaked()
    random = Random(seed)
    rows = random_rows(random, DEPOTS, ROWS_EACH)
    tasks_before, sockets_before = asyncio.all_tasks(), _open_sockets()
    async with on_sockets(DEPOTS, rows, ROOMS) as sockets, _gateway(sockets) as url:
        storm = _Storm(url, sockets, Store(rows), random, found, cases, time.monotonic() + seconds)
        await storm.run(say)
        found.places_taken = sum(one.limiter.busy for one in sockets.city.members.now.all)
    await _settle(lambda: not asyncio.all_tasks() - tasks_before and _open_sockets() <= sockets_before)
    found.tasks_left = len(asyncio.all_tasks() - tasks_before)
    found.sockets_left = max(0, _open_sockets() - sockets_before)
    return found


@asynccontextmanager
async def _gateway(sockets: Sockets) -> AsyncIterator[str]:
    clients: dict[str, SubgraphClient | Members] = {"DEPOTS": sockets.city.members, "ROOMS": Stub(sockets.city.rooms)}
    app = create_gateway_app(supergraph(), clients, GatewayOptions(graphiql=False, metrics=False), planner())
    listener = socket.create_server((HOST, 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="websockets-sansio"))
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}/graphql"
    finally:
        server.should_exit = True
        await running


@dataclass
class _Storm:
    url: str
    sockets: Sockets
    store: Store
    random: Random
    found: Soaked
    cases: int
    until: float

    @property
    def is_over(self) -> bool:
        return self.found.requests >= self.cases or time.monotonic() >= self.until

    async def run(self, say: bool) -> None:
        started = time.monotonic()
        async with aiohttp.ClientSession(headers={DEADLINE_HEADER: str(int(DEADLINE_S * 1000))}) as session:
            beside = [asyncio.create_task(self._weather()), asyncio.create_task(self._watch(say))]
            await asyncio.gather(*(self._client(session) for _ in range(CLIENTS)))
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            for proxy in self.sockets.proxies.values():
                await proxy.inflict(None)
            await self._all_is_well(session)
        self.found.seconds = time.monotonic() - started

    async def _weather(self) -> None:
        broken = [proxy for code, proxy in self.sockets.proxies.items() if code != STEADY]
        while True:
            proxy = self.random.choice(broken)
            await proxy.inflict(None if self.random.random() < CALM else self.random.choice(FAULTS))
            await asyncio.sleep(self.random.uniform(0, GUST_S / len(broken) * 2))

    async def _watch(self, say: bool) -> None:
        """Memory since it has settled; and progress."""
        started, settled_mb, told = time.monotonic(), 0.0, 0
        while True:
            await asyncio.sleep(PROGRESS_S if say else PROGRESS_S / 100)
            now = _rss_mb()
            elapsed = time.monotonic() - started
            done = max(self.found.requests / self.cases, elapsed / (elapsed + max(0.0, self.until - time.monotonic())))
            if not settled_mb and done >= SETTLED:
                settled_mb = now
            self.found.rss_growth_mb = now - settled_mb if settled_mb else 0.0
            if say:
                for wrong in self.found.wrong[told:TOLD_MAX]:
                    print(f"\nwrong: {wrong}\n")
                told = len(self.found.wrong)
                print(
                    f"{elapsed:6.0f} s  {self.found.requests} requests, {self.found.partial} partial,"
                    f" {self.found.left} left by their client, {len(self.found.wrong)} wrong, {self.found.late} late,"
                    f" {now:.0f} MB, {len(asyncio.all_tasks())} tasks, {_open_sockets()} sockets",
                    flush=True,
                )

    async def _client(self, session: aiohttp.ClientSession) -> None:
        while not self.is_over:
            self.found.requests += 1
            if self.random.random() < IMPATIENT:
                await self._leave(session)
            else:
                await self._ask(session)

    async def _leave(self, session: aiohttp.ClientSession) -> None:
        query, variables, _ = question(self.random, self.store, DEPOTS, ROOMS)
        try:
            async with asyncio.timeout(self.random.uniform(0, 0.02)):
                await self._post(session, query, variables)
        except TimeoutError:
            self.found.left += 1

    async def _ask(self, session: aiohttp.ClientSession) -> Told:
        query, variables, check = question(self.random, self.store, DEPOTS, ROOMS)
        started = time.monotonic()
        answer = await self._post(session, query, variables)
        self.found.late += time.monotonic() - started > DEADLINE_S * (1 + LATENESS)
        told = Told.of(answer)
        self.found.partial += bool(told.missing)
        self.found.lost.update(told.missing)
        try:
            check(told)
        except AssertionError as error:
            self.found.wrong.append(f"{error}\n{variables}\n{answer.get('errors')}\n{query}"[:TOLD_BYTES_MAX])
        return told

    async def _all_is_well(self, session: aiohttp.ClientSession) -> None:
        """After the storm, when breakers have found out that it is over, every question has its whole answer."""
        calm, whole = time.monotonic() + RECOVERY_S, 0
        while whole < CLIENTS * 2:
            told = await self._ask(session)
            whole = 0 if told.missing else whole + 1
            if told.missing and time.monotonic() > calm:
                self.found.wrong.append(f"after the storm {sorted(told.missing)} are still missing")
                return
            if told.missing:
                await asyncio.sleep(SETTLING_S)

    async def _post(
        self, session: aiohttp.ClientSession, query: str, variables: dict[str, object]
    ) -> dict[str, object]:
        async with session.post(self.url, json={"query": query, "variables": variables}) as response:
            answer: dict[str, object] = orjson.loads(await response.read())
            return answer


# What is left


async def _settle(is_settled: Callable[[], bool]) -> None:
    """Wait until it is, no longer than anything may last: what was closed ends in later turns of the loop."""
    for _ in range(int(DEADLINE_S * (1 + LATENESS) / SETTLING_S)):
        if is_settled():
            return
        await asyncio.sleep(SETTLING_S)


def _open_sockets() -> int:
    gc.collect()
    return len(psutil.Process().net_connections(kind="all"))


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.horizontal.soak")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(machine())
    found = asyncio.run(soak(given.cases, given.seconds, given.seed, say=True))
    print(
        f"\n{found.requests} requests in {found.seconds:.0f} s; {found.partial} partial answers;"
        f" {found.left} clients left; missing by depot: {dict(sorted(found.lost.items()))}"
    )
    figure("soak_requests", found.requests, "requests", ">=", 1)
    figure("soak_wrong_answers", len(found.wrong), "answers", "=", 0)
    figure("soak_late_answers", found.late, "answers", "=", 0)
    figure("soak_steady_missing", found.lost[STEADY], "answers", "=", 0)
    figure("soak_tasks_left", found.tasks_left, "tasks", "=", 0)
    figure("soak_sockets_left", found.sockets_left, "sockets", "=", 0)
    figure("soak_places_taken", found.places_taken, "places", "=", 0)
    figure("soak_rss_growth_mb", found.rss_growth_mb, "MB", "<=", RSS_GROWTH_MB_MAX)
    return 0 if found.is_clean() and found.rss_growth_mb <= RSS_GROWTH_MB_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
