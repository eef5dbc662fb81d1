"""`make bench-horizontal`: what scattering and gathering costs, beside the slowest member.

Core 0 belongs to the gateway, a real `gwc gateway` process; core 1 to the members, which answer from memory after
20 ms, and to the one client, which asks on one kept connection. All figures of one run are of the same minutes, and
ratios where they can be. `ROUNDS` is how often each thing is measured (100).
"""

from __future__ import annotations

import asyncio
import http.client
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks.city import PAGES, first_answer, pages, query
from benchmarks.figures import figure, machine
from benchmarks.gateway.run import GATEWAY_CORE, OTHER_CORE, process, wait_for
from benchmarks.horizontal.stock import FEW_EACH, PAGE, PAGE_SIZE, SDL, SETS, region, shelves
from gateway.composition import SubgraphSource, compose
from tests.system.processes import GwcProcess

__all__ = ["FIRST_PORT", "members_toml", "running_members", "supergraph_sdl"]

ROUNDS = int(os.environ.get("ROUNDS", "100"))
WARM_UP = 20
FIRST_PORT, GATEWAY_PORT = 4300, 4200
MEMBERS = 14
GROWTH = (1, 4, 14, 56)
DEEP_PAGE = 1_000
WALK_PAGES = 20
DEADLINE_MS = 500
HOST = "127.0.0.1"


def supergraph_sdl() -> str:
    sdl = compose([SubgraphSource("stock", f"http://{HOST}/graphql", SDL)]).supergraph_sdl
    assert sdl is not None
    return sdl


def members_toml(names: Sequence[str]) -> str:
    """Member `n` with the set of that name."""
    return "\n".join(
        f'[[groups.stock.members]]\nregion = "{region(place)}"\nname = "member {place}"\n'
        f'urls = ["http://{HOST}:{FIRST_PORT + place}/{name}/graphql"]'
        for place, name in enumerate(names)
    )


@dataclass(frozen=True)
class Times:
    """Of one thing, in milliseconds."""

    each: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.each)

    def percentile(self, share: float) -> float:
        return sorted(self.each)[min(len(self.each) - 1, int(len(self.each) * share))]


class Client:
    """One kept connection, and nothing but what is needed: its own time counts in all that is measured."""

    def __init__(self, port: int, path: str = "/graphql") -> None:
        self._connection = http.client.HTTPConnection(HOST, port)
        self._path = path

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> bytes:
        sent = {"content-type": "application/json", "accept": "application/json", **(headers or {})}
        self._connection.request("POST", self._path, body, sent)
        return self._connection.getresponse().read()

    def data(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        answer = orjson.loads(self.post(body, headers))
        return answer["data"]["items"]


Ask = Callable[[], object]


def in_turn(*asks: Ask, warm_up: int = WARM_UP) -> list[Times]:
    """Each asked once in each round, so that a busy minute of the machine hits all that is compared."""
    each: list[list[float]] = [[] for _ in asks]
    for turn in range(warm_up + ROUNDS):
        for ask, times in zip(asks, each, strict=True):
            started = time.perf_counter()
            ask()
            if turn >= warm_up:
                times.append((time.perf_counter() - started) * 1000)
    return [Times(times) for times in each]


def page(first: int = PAGE_SIZE, after: str | None = None) -> bytes:
    return orjson.dumps({"query": PAGE, "variables": {"first": first, "after": after}})


@contextmanager
def running_members(folder: Path) -> Iterator[None]:
    command = (sys.executable, "-m", "benchmarks.horizontal.members", str(FIRST_PORT))
    with process(command, OTHER_CORE, {}, folder / "members.log"):
        wait_for(f"http://{HOST}:{FIRST_PORT}/uniform/graphql")
        yield


@contextmanager
def gateway(folder: Path, names: Sequence[str]) -> Iterator[Client]:
    """A gateway over as many members as there are names of sets."""
    supergraph, members = folder / "supergraph.graphql", folder / "members.toml"
    supergraph.write_text(supergraph_sdl())
    members.write_text(members_toml(names))
    gwc = (str(Path(sys.executable).parent / "gwc"), "gateway", "--supergraph", str(supergraph))
    more = ("--members", str(members), "--data-dir", str(folder / "data"), "--port", str(GATEWAY_PORT))
    with process((*gwc, *more), GATEWAY_CORE, {}, folder / "gateway.log"):
        wait_for(f"http://{HOST}:{GATEWAY_PORT}/graphql")
        yield Client(GATEWAY_PORT)


# What is measured


def beside_its_members(folder: Path) -> tuple[float, float]:
    """Median of page 1, and the slowest member's own, asked for the same page."""
    members = [Client(FIRST_PORT + place, "/uniform/graphql") for place in range(MEMBERS)]
    with gateway(folder, ["uniform"] * MEMBERS) as client:
        whole, *each = in_turn(*(partial(one.post, page()) for one in (client, *members)))
    return whole.p50, max(one.p50 for one in each)


def growth(folder: Path) -> dict[int, float]:
    """Median of page 1 over so many members."""
    print("\n| members | p50 ms | p95 ms |\n|---|---|---|")
    found: dict[int, float] = {}
    for count in GROWTH:
        with gateway(folder, ["uniform"] * count) as client:
            assert len(client.data(page())["nodes"]) == PAGE_SIZE
            [times] = in_turn(partial(client.post, page()))
        found[count] = times.p50
        print(f"| {count} | {times.p50:.1f} | {times.percentile(0.95):.1f} |", flush=True)
    print()
    return found


def deep_page(folder: Path) -> tuple[float, float]:
    """Medians of page 1 and page 1,000, measured in turn."""
    rows = sorted(
        (key, cursor)
        for place in range(MEMBERS)
        for shelf in (shelves(place)["uniform"],)
        for key, cursor in zip(shelf.keys, shelf.cursors, strict=True)
    )
    after = rows[(DEEP_PAGE - 1) * PAGE_SIZE - 1][1]
    with gateway(folder, ["uniform"] * MEMBERS) as client:
        assert len(client.data(page(after=after))["nodes"]) == PAGE_SIZE
        first, deep = in_turn(partial(client.post, page()), partial(client.post, page(after=after)))
    return first.p50, deep.p50


def carried_per_row(folder: Path, name: str) -> float:
    """Rows that members sent ÷ rows that the client got, over the first pages of a walk."""
    with gateway(folder, [name] * MEMBERS) as client:
        before, returned, after = _carried(), 0, None
        for _ in range(WALK_PAGES):
            found = client.data(page(after=after))
            returned += len(found["nodes"])
            after = found["pageInfo"]["endCursor"]
        return (_carried() - before) / returned


def _carried() -> int:
    connection = http.client.HTTPConnection(HOST, FIRST_PORT)
    connection.request("GET", "/carried")
    return int(connection.getresponse().read())


def hung_member(folder: Path) -> tuple[float, float]:
    """With the last member hung: p99 of a page, and the share of the others' rows that comes."""
    headers = {"gwc-deadline-ms": str(DEADLINE_MS)}
    others = MEMBERS - 1
    with gateway(folder, ["few"] * others + ["hung"]) as client:
        whole = client.data(page(first=FEW_EACH * MEMBERS), headers)
        regions = {node["id"].split(":")[1] for node in whole["nodes"]}
        assert len(regions) == others
        [times] = in_turn(partial(client.post, page(), headers), warm_up=1)
    return times.percentile(0.99), len(whole["nodes"]) / (FEW_EACH * others)


def city() -> float:
    """The embedded city's first page; beside it, what its slowest district took."""
    with tempfile.TemporaryDirectory() as name:
        running = GwcProcess("up", "--port", "0", "--data-dir", str(Path(name) / "var"))
        try:
            url = running.wait_for(r"ready.*(http://127\.0\.0\.1:\d+/graphql)").group(1)
            asyncio.run(first_answer(url))
            times = asyncio.run(pages(url))["by value"]
            slowest = asyncio.run(_slowest_district(url))
        finally:
            running.stop()
    print(f"city: page of 50, p50 {statistics.median(times):.1f} ms; its slowest district {slowest:.1f} ms")
    return float(statistics.median(times))


async def _slowest_district(url: str) -> float:
    slowest = []
    async with aiohttp.ClientSession() as session:
        for _ in range(WARM_UP):
            async with session.post(url, json={"query": query(PAGES["by value"])}) as response:
                answer = await response.json()
            slowest.append(max(one["latencyMs"] for one in answer["extensions"]["partitions"]))
    return float(statistics.median(slowest))


def main() -> None:
    print(machine())
    os.sched_setaffinity(0, {OTHER_CORE})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_members(folder):
            by_members = growth(folder)
            whole, slowest = beside_its_members(folder)
            first, deep = deep_page(folder)
            carried = {one: carried_per_row(folder, one) for one in SETS[:2]}
            p99, share = hung_member(folder)
    os.sched_setaffinity(0, {GATEWAY_CORE, OTHER_CORE})
    print(f"page 1: p50 {whole:.1f} ms; the slowest of its {MEMBERS} members, asked directly: {slowest:.1f} ms")
    print(f"page {DEEP_PAGE}: p50 {deep:.1f} ms, beside page 1: {first:.1f} ms")
    city_ms = city()
    figure("scatter_p50_vs_slowest_member", whole / slowest, "x", "<=", 1.25)
    figure("page1000_vs_page1", deep / first, "x", "<=", 1.2)
    figure("p50_56_members_vs_14", by_members[56] / by_members[MEMBERS], "x", "<=", 3)
    figure("hung_member_p99_ms", p99, "ms", "<=", 525)
    figure("hung_member_rows_share", share, "x", "=", 1)
    for one, ratio in carried.items():
        figure(f"rows_carried_vs_returned_{one}", ratio, "x", "<=", MEMBERS)
    figure("city_page50_p50_ms", city_ms, "ms", "<=", 40)


if __name__ == "__main__":
    main()
