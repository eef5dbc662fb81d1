"""`make bench-city`: the whole small city in one process, as `make up` serves it.

- `first_answer_s`: from starting `gwc up` in an empty folder (so with generating the city) to the first full page.
- `page50_p50_ms`: the first 50 assets with 10 fields over all 14 embedded stores, over HTTP on a kept connection.
- `city_rss_mb`: resident memory of the process after that.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from benchmarks.figures import figure, machine
from tests.system.processes import GwcProcess

FIELDS = """
  id name code status quantity originalValue netValue acquiredOn condition class { code }
"""
PAGES = {
    "by value": "assets(first: 50, orderBy: [{field: ORIGINAL_VALUE, direction: DESC}])",
    "by name": "assets(first: 50, orderBy: [{field: NAME}])",
    "as it comes": "assets(first: 50)",
}
WARM_UP = 10
ROUNDS = 60


def query(page: str) -> str:
    return f"{{ {page} {{ nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}"


async def first_answer(url: str) -> None:
    """Ask until all members answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"query": query(PAGES["by value"])}) as answer,
    ):
        body = await answer.json()
    assert "errors" not in body, body["errors"][:1]
    assert len(body["data"]["assets"]["nodes"]) == 50


async def pages(url: str) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    async with aiohttp.ClientSession() as session:
        for name, page in PAGES.items():
            times[name] = []
            for index in range(WARM_UP + ROUNDS):
                started = time.perf_counter()
                async with session.post(url, json={"query": query(page)}) as answer:
                    body = await answer.read()
                if index >= WARM_UP:
                    times[name].append((time.perf_counter() - started) * 1000)
            assert b'"errors"' not in body
    return times


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        city = GwcProcess("up", "--port", "0", "--data-dir", str(Path(folder) / "var"))
        try:
            url = city.wait_for(r"ready.*(http://127\.0\.0\.1:\d+/graphql)").group(1)
            asyncio.run(first_answer(url))
            first_s = time.perf_counter() - started
            times = asyncio.run(pages(url))
            rss_mb = psutil.Process(city.process.pid).memory_info().rss / 1e6
        finally:
            city.stop()
    for name, values in times.items():
        values.sort()
        print(f"{name}: p50 {statistics.median(values):.1f} ms, p95 {values[int(len(values) * 0.95)]:.1f} ms")
    figure("first_answer_s", first_s, "s", "<=", 20)
    figure("city_rss_mb", rss_mb, "MB", "<=", 400)
    figure("page50_p50_ms", statistics.median(times["by value"]), "ms", "<=", 60)


if __name__ == "__main__":
    main()
