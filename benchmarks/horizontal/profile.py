"""Where the gateway's time goes, for pages of 50 over 14 members by HTTP: `python -m benchmarks.horizontal.profile`.

The pipeline runs in this process, without its own HTTP server, under cProfile; the members are those of `members`.
cProfile makes small functions look dearer than they are, so the first line says what a page costs without it.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.gateway.run import GATEWAY_CORE
from benchmarks.horizontal.run import FIRST_PORT, MEMBERS, running_members, supergraph_sdl
from benchmarks.horizontal.stock import PAGE, PAGE_SIZE, region
from gateway.execution.clients import HttpClient, HttpPool
from gateway.execution.members import Member, Members
from gateway.pipeline.answer import Caller, GraphQLRequest, Pipeline
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph

PAGES, WARM_UP = 200, 30
LINES = 45


async def measure() -> cProfile.Profile:
    supergraph, pool = load_supergraph(supergraph_sdl()), HttpPool()
    members = Members(
        Member(
            region(place), f"member {place}", HttpClient(f"http://127.0.0.1:{FIRST_PORT + place}/uniform/graphql", pool)
        )
        for place in range(MEMBERS)
    )
    pipeline = Pipeline(supergraph, {"STOCK": members}, Planner(supergraph))
    asked = GraphQLRequest(PAGE, None, {"first": PAGE_SIZE, "after": None})

    async def pages(count: int) -> None:
        for _ in range(count):
            assert (await pipeline.answer(asked, Caller())).written

    await pages(WARM_UP)
    started, cpu = time.perf_counter(), time.process_time()
    await pages(PAGES)
    wall_ms, cpu_ms = (time.perf_counter() - started) * 1000 / PAGES, (time.process_time() - cpu) * 1000 / PAGES
    print(f"a page: {wall_ms:.1f} ms, of which the processor works {cpu_ms:.1f} ms")
    profile = cProfile.Profile()
    profile.enable()
    await pages(PAGES)
    profile.disable()
    await pool.close()
    return profile


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_members(Path(folder)):
        os.sched_setaffinity(0, {GATEWAY_CORE})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            stats = pstats.Stats(runner.run(measure()))
    stats.sort_stats("tottime").print_stats(LINES)


if __name__ == "__main__":
    main()
