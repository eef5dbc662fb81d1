"""A virtual warehouse's page of 50 in a window, beside the same page of plain assets.

29,000 assets in fourteen stores and 20,000 live holds, all in one process (`gwc up --size city`), asked over HTTP on
one kept connection, in turn. The plain page has the warehouse's rule as its filter, and the same order and fields.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from benchmarks.figures import figure
from benchmarks.overlay.client import Client
from contract.ids import parse_id
from contract.regions import REGIONS
from subgraphs.district.custody import tables
from tests.system.processes import GWC, GwcProcess

__all__ = ["main"]

HOLDS = 20_000
SEED = 20_221_101
WINDOW_DAYS = 7
AHEAD_DAYS = 180
"""Holds begin on any day from now on within this."""
HOLD_DAYS_MAX = 60
PAGE_SIZE = 50
WARM_UP = 10
ROUNDS = int(os.environ.get("ROUNDS", "60"))
START_S = 300
PATIENT = {"GWC_DEADLINE_MS": "60000", "GWC_MEMBER_TIMEOUT_MS": "60000"}
"""A store's first answer takes its time on a busy machine; none is to be missing from what is compared."""
WAREHOUSE = "vw:lendable-equipment"
RULE = '{status: {in: [IDLE, IN_STORE]}, class: {under: ["A02"]}, shareable: true}'
ORDER = "orderBy: [{field: NET_VALUE, direction: DESC}]"
FIELDS = "nodes { id name code status quantity originalValue netValue acquiredOn condition class { code } }"
PAGE = f"{{ {FIELDS} pageInfo {{ hasNextPage endCursor }} }}"
IDS = "query ($after: String) { assets(first: 500, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"


def plain_page() -> str:
    return f"{{ assets(first: {PAGE_SIZE}, {ORDER}, filter: {RULE}) {PAGE} }}"


def view_page(window: tuple[date, date] | None) -> str:
    within = "" if window is None else f', window: {{from: "{window[0]}", to: "{window[1]}"}}'
    return f'{{ virtualWarehouse(id: "{WAREHOUSE}"{within}) {{ assets(first: {PAGE_SIZE}, {ORDER}) {PAGE} }} }}'


@contextmanager
def city(data_dir: Path) -> Iterator[str]:
    arguments = ("up", "--port", "0", "--size", "city", "--no-simulate", "--data-dir", str(data_dir))
    process = GwcProcess(*arguments, environment={**os.environ, **PATIENT})
    try:
        yield process.wait_for(r"ready.*(http://127\.0\.0\.1:\d+/graphql)", START_S).group(1)
    finally:
        process.stop()


def access_token(data_dir: Path) -> str:
    command = [str(GWC), "token", "--data-dir", str(data_dir), "--person", "bench", "--role", "AUDITOR"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def all_ids(client: Client) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = client.data(IDS, {"after": after})["assets"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def place_holds(data_dir: Path, ids: list[str], today: date) -> None:
    """Into the books themselves: the commands' own speed is another figure."""
    choose = random.Random(SEED)
    by_region: dict[str, list[dict[str, Any]]] = {region: [] for region in REGIONS}
    for number, asset in enumerate(choose.sample(ids, HOLDS)):
        id_ = parse_id(asset)
        first = today + timedelta(days=choose.randrange(AHEAD_DAYS))
        by_region[id_.region].append(hold(number, id_.region, id_.native, first, choose.randint(1, HOLD_DAYS_MAX)))
    for region, rows in by_region.items():
        if rows:
            engine = sa.create_engine(f"sqlite:///{data_dir}/state/custody-{region}.sqlite")
            with engine.begin() as connection:
                connection.execute(sa.insert(tables.holds), rows)
            engine.dispose()


def hold(number: int, region: str, native: str, first: date, days: int) -> dict[str, Any]:
    last = (first + timedelta(days=days)).isoformat()
    return {
        "region": region,
        "id": f"bench-{number}",
        "asset": native,
        "order_id": f"order:bench-{number}",
        "from_day": first.isoformat(),
        "to_day": last,
        "until_day": last,
        "quantity": "1",
        **dict.fromkeys(("dispatched", "received", "returned"), "0"),
        "state": "ACTIVE",
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "placed_at": "2022-11-01T00:00:00.000000Z",
    }


def measured(client: Client, pages: dict[str, str]) -> dict[str, list[float]]:
    """Milliseconds of each page, all asked once in each round."""
    bodies = {name: orjson.dumps({"query": text}) for name, text in pages.items()}
    times: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(WARM_UP + ROUNDS):
        for name, body in bodies.items():
            started = time.perf_counter()
            answer = client.post(body)
            if turn >= WARM_UP:
                times[name].append((time.perf_counter() - started) * 1000)
            elif turn == WARM_UP - 1:  # by then every store has answered once
                assert b'"errors"' not in answer, answer[:500]
                assert answer.count(b'"acquiredOn"') == PAGE_SIZE
    return times


def main() -> None:
    today = datetime.now(UTC).date()
    window = (today + timedelta(days=30), today + timedelta(days=30 + WINDOW_DAYS))
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "var"
        with city(data_dir) as url:
            ids = all_ids(Client(url, access_token(data_dir)))
        place_holds(data_dir, ids, today)
        with city(data_dir) as url:
            client = Client(url, access_token(data_dir))
            pages = {"plain": plain_page(), "view": view_page(None), "view in a window": view_page(window)}
            times = measured(client, pages)
    for name, values in times.items():
        values.sort()
        median, p95 = statistics.median(values), values[int(len(values) * 0.95)]
        print(f"{name}: p50 {median:.1f} ms, p95 {p95:.1f} ms, quickest {values[0]:.1f} ms")
    ratio = statistics.median(times["view in a window"]) / statistics.median(times["plain"])
    print(f"{len(ids):,} assets, {HOLDS:,} live holds")
    figure("view_page50_vs_plain", ratio, "times", "<=", 1.5)
