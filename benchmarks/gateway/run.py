"""`make bench-gateway`: gateways side by side, in one run, over the same four subgraphs.

Core 0 belongs to the gateway that is measured, core 1 to the subgraphs and to the load (wrk). Everybody has all its
contenders measured in turn, and over again in each round, so that a busy minute of the machine hits all; figures are
ratios of the rounds' medians. Each contender must first give the very data that the others give.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from graphql import parse

from benchmarks.figures import figure, machine
from benchmarks.gateway.market import LINK, NESTED, PORTS, SDL, SINGLE, many_fields
from gateway.composition import SubgraphSource, compose
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph

HERE = Path(__file__).parent
QUERIES = {"single": SINGLE, "nested": NESTED}
CONNECTIONS = tuple(int(one) for one in os.environ.get("CONNECTIONS", "1 10 50").split())
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS", "4"))
WARM_UP_S = 3
GATEWAY_CORE, OTHER_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    port: int
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    path: str = "/graphql"
    shares: bool = False
    """Whether identical requests in flight are sent once."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Load:
    requests_s: float
    p50_ms: float
    p99_ms: float


def contenders(supergraph: Path, data_dir: Path, peers: Path | None) -> list[Contender]:
    gwc = (str(Path(sys.executable).parent / "gwc"), "gateway", "--supergraph", str(supergraph))
    ours = (*gwc, "--data-dir", str(data_dir), "--port")
    found = [
        Contender("limit", 4101, (sys.executable, "-m", "benchmarks.gateway.limit", "4101")),
        Contender("gongwucang", 4102, (*ours, "4102")),
        Contender("gongwucang, sharing", 4103, (*ours, "4103", "--share"), shares=True),
    ]
    if peers is None:
        return found
    hive = (str(peers / "node_modules/.bin/hive-gateway"), "supergraph", "-c", str(peers / "hive.config.mjs"))
    off = {"SUPERGRAPH": str(supergraph), "SHARING": "off"}
    on = off | {"SHARING": "on"}
    rust = "--hive-router-runtime"
    at = ("-h", "127.0.0.1", "-p")
    return [
        *found,
        Contender("hive", 4104, (*hive, *at, "4104"), off),
        Contender("hive, sharing", 4105, (*hive, *at, "4105"), on, shares=True),
        Contender("hive, rust planner", 4106, (*hive, rust, *at, "4106"), off),
        Contender("hive, rust planner, sharing", 4107, (*hive, rust, *at, "4107"), on, shares=True),
        Contender("apollo", 4108, ("node", str(peers / "apollo.mjs"), str(supergraph), "4108"), path="/"),
    ]


# Processes


@contextmanager
def process(command: tuple[str, ...], core: int, environment: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    with log.open("wb") as out:
        started = subprocess.Popen(
            ("taskset", "-c", str(core), *command), stdout=out, stderr=out, env=os.environ | environment
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        for one in psutil.Process(started.pid).children(recursive=True):
            one.kill()
        started.kill()
        started.wait()


def ask(url: str, query: str, timeout_s: float = 10) -> object:
    body = json.dumps({"query": query}).encode()
    headers = {"content-type": "application/json", "accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=timeout_s) as answer:
        return json.load(answer)["data"]


def wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            ask(url, "{ __typename }", 2)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


# Load


def script(folder: Path, name: str, query: str) -> Path:
    body = json.dumps({"query": query})
    path = folder / f"{name}.lua"
    path.write_text(
        'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
        f'wrk.headers["accept"] = "application/json"\nwrk.body = [==[{body}]==]\n'
    )
    return path


def load(url: str, lua: Path, connections: int, seconds: int) -> Load:
    command = ["taskset", "-c", str(OTHER_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["--timeout", "30s"]
    said = subprocess.run([*command, "-s", str(lua), url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{url} failed under load:\n{said}")
    return Load(
        float(_found(r"Requests/sec:\s+([\d.]+)", said)), _milliseconds("50%", said), _milliseconds("99%", said)
    )


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said)
    if match is None:
        raise SystemExit(f"wrk said something else than expected:\n{said}")
    return match.group(1)


def _milliseconds(share: str, said: str) -> float:
    value = _found(rf"{share}\s+([\d.]+[a-z]+)", said)
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", value).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


Measured = dict[tuple[str, str, int], list[Load]]


def measure(all_of_them: list[Contender], folder: Path) -> tuple[Measured, dict[str, float]]:
    """By (contender, query, connections), and resident memory in MB after all of its loads (well over 10,000 requests)."""
    loads: Measured = defaultdict(list)
    memory: dict[str, float] = {}
    scripts = {name: script(folder, name, query) for name, query in QUERIES.items()}
    expected: dict[str, object] = {}
    for turn in range(ROUNDS):
        for one in all_of_them:
            with process(one.command, GATEWAY_CORE, one.environment, folder / f"{one.port}.log") as running:
                wait_for(one.url)
                for name, query in QUERIES.items():
                    data = ask(one.url, query)
                    if expected.setdefault(name, data) != data:
                        raise SystemExit(f"{one.name} gives other data for the {name} query")
                    load(one.url, scripts[name], 10, WARM_UP_S)
                for name in QUERIES:
                    for connections in CONNECTIONS:
                        loads[one.name, name, connections].append(load(one.url, scripts[name], connections, SECONDS))
                        told = loads[one.name, name, connections][-1]
                        print(
                            f"round {turn + 1} {one.name}: {name} at {connections}: {told.requests_s:.0f}/s,"
                            f" p50 {told.p50_ms:.1f} ms, p99 {told.p99_ms:.1f} ms",
                            flush=True,
                        )
                memory[one.name] = _memory_mb(running)
    return loads, memory


def _memory_mb(running: psutil.Process) -> float:
    family = [running, *running.children(recursive=True)]
    return sum(one.memory_info().rss for one in family) / 1e6


# Planning


def planning_ms(supergraph_sdl: str, query: str) -> float:
    """Cold: a planner that has planned nothing; median of seven."""
    supergraph = load_supergraph(supergraph_sdl)
    document = parse(query)
    times = []
    for _ in range(7):
        planner = Planner(supergraph)
        started = time.perf_counter()
        planner.plan(document)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


# The run


def install_peers() -> Path | None:
    """The peers from npm, beside their package.json; None where there is no Node."""
    if shutil.which("npm") is None:
        print("no npm: our gateway and the limit only")
        return None
    peers = HERE / "peers"
    if not (peers / "node_modules").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=peers, check=True)
    return peers


def main() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    print(machine())
    sources = [SubgraphSource(name, f"http://127.0.0.1:{PORTS[name]}/graphql", LINK + sdl) for name, sdl in SDL.items()]
    sdl = compose(sources).supergraph_sdl
    assert sdl is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        supergraph = folder / "supergraph.graphql"
        supergraph.write_text(sdl)
        subgraphs = (sys.executable, "-m", "benchmarks.gateway.subgraphs")
        with process(subgraphs, OTHER_CORE, {}, folder / "subgraphs.log"):
            for port in PORTS.values():
                wait_for(f"http://127.0.0.1:{port}/graphql")
            loads, memory = measure(contenders(supergraph, folder / "data", install_peers()), folder)
    report(loads, memory)
    figure("plan_nested_ms", planning_ms(sdl, NESTED), "ms", "<=", 10)
    figure("plan_300_fields_ms", planning_ms(sdl, many_fields()), "ms", "<=", 50)


def report(loads: Measured, memory: dict[str, float]) -> None:
    print("\n| contender | query | connections | requests/s | p50 ms | p99 ms |\n|---|---|---|---|---|---|")
    for (name, query, connections), told in loads.items():
        rate, p50, p99 = _medians(told)
        print(f"| {name} | {query} | {connections} | {rate:.0f} | {p50:.1f} | {p99:.1f} |")
    print("\n| contender | resident MB |\n|---|---|")
    for name, megabytes in memory.items():
        print(f"| {name} | {megabytes:.0f} |")
    print()

    def ratio(query: str, peer: str, place: int) -> float:
        return _medians(loads["gongwucang", query, 10])[place] / _medians(loads[peer, query, 10])[place]

    rust = "hive, rust planner"
    if (rust, "single", 10) in loads:
        figure("single_rps_vs_hive_rust", ratio("single", rust, 0), "x", ">=", 2.7)
    figure("single_rps_vs_limit", ratio("single", "limit", 0), "x", ">=", 0.7)
    if (rust, "nested", 10) in loads:
        figure("nested_rps_vs_hive_rust", ratio("nested", rust, 0), "x", ">=", 1.7)
    figure("nested_rps_vs_limit", ratio("nested", "limit", 0), "x", ">=", 0.7)
    if (rust, "nested", 10) in loads:
        figure("nested_p99_vs_hive_rust", ratio("nested", rust, 2), "x", "<=", 0.8)
    figure("rss_mb", memory["gongwucang"], "MB", "<=", 120)


def _medians(told: list[Load]) -> tuple[float, float, float]:
    return (
        statistics.median(one.requests_s for one in told),
        statistics.median(one.p50_ms for one in told),
        statistics.median(one.p99_ms for one in told),
    )


if __name__ == "__main__":
    main()
