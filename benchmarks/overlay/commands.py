"""What commands on orders cost, in an overlay that has 29,000 assets to lend and 20,000 live holds.

The overlay runs as a process of its own with a SQLite store, every write durable before it is answered; the owners'
books answer from memory here, over HTTP, so that what is measured is the overlay.

- `commands_per_s`: applications, of 64 clients who never wait.
- `command_p99_64_vs_1_clients`: the 99th percentile of their time beside that of one client alone.
- `orders_timeline_p50_ms`: one order with its timeline, by its id.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.figures import figure, machine
from contract.identity import IDENTITY_HEADER, TokenIssuer
from overlay.clock import shanghai_today, text_of
from overlay.orders.model import Command
from overlay.store import tables
from overlay.store.database import Database
from subgraphs.district.custody.claims import Claim, claim_of
from subgraphs.district.custody.decisions import Entry
from tests.overlay.chaos.acts import Call
from tests.overlay.chaos.processes import RealClock, Round
from tests.overlay.city import BORROWER, CLERK, HEAD, INTERNAL, OWNER, City, days

__all__ = ["main"]

ASSETS, HOLDS = 29_000, 20_000
CLIENTS = 64
ROUNDS, ALONE, TOGETHER = 5, 100, 832
"""Commands measured of one client, and of all, in each round: the machine is not equally quick all the time, so that one
after the other would compare its moods."""
TIMELINES, WARM_UP = 200, 20
COMMANDS_PER_S_MIN, P99_RATIO_MAX, TIMELINE_P50_MS_MAX = 50, 20, 20
ORDERS_AT_ONCE = 2_000
TIMELINE = (
    "query($id: ID!) { node(id: $id) { ... on CirculationOrder { number state timeline { at command toState } } } }"
)


class IndexedCity(City):
    """Finds an asset's holds without going through all."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.of_asset: defaultdict[str, dict[str, Entry]] = defaultdict(dict)

    def _kept(self, hold: Entry) -> dict[str, Any]:
        self.of_asset[hold.asset][hold.id] = hold
        return super()._kept(hold)

    def _claims(self, asset_id: str, without: str | None = None) -> list[Claim]:
        return [
            claim_of(one.from_day, one.to_day, one.claimed, one.state == "DISPATCHED", self._today())
            for one in self.of_asset[asset_id].values()
            if one.id != without and self.in_force(one)
        ]


async def measure(folder: Path) -> None:
    bench = Round(folder / "overlay", f"sqlite:///{folder}/overlay.sqlite", 0)
    bench.city = IndexedCity(RealClock())
    free = await _stocked(bench)
    gc.collect()
    gc.freeze()  # or the owners would pause now and then, to look through all that they have
    async with bench.opened():
        await _commands(bench, free)
        await _timelines(bench)


async def _commands(bench: Round, free: Sequence[str]) -> None:
    numbers = itertools.count()
    window = days(2, 5, shanghai_today(bench.city.clock.now))

    async def apply() -> None:
        n = next(numbers)
        lines = [{"assetId": free[n], "quantity": "1"}]
        body = {"range": window, "purpose": "bench", "lines": lines}
        answer = await bench.ask(Call(CLERK, Command.APPLY, None, body, f"bench-{n}"))
        assert answer is not None, "no answer"
        assert not answer.problems, answer

    alone, together = list[float](), list[float]()
    took_s = spent_s = 0.0
    for _ in range(ROUNDS):
        await _timed(apply, 1, WARM_UP)
        alone += await _timed(apply, 1, ALONE)
        started, used_s = time.perf_counter(), _processor_s(bench)
        together += await _timed(apply, CLIENTS, TOGETHER)
        took_s += time.perf_counter() - started
        spent_s += _processor_s(bench) - used_s
    figure("commands_per_s", len(together) / took_s, "commands/s", ">=", COMMANDS_PER_S_MIN)
    print(f"processor time of the overlay: {spent_s / len(together) * 1000:.1f} ms a command")
    print(f"p99: {_p99(alone):.1f} ms alone, {_p99(together):.1f} ms of {CLIENTS}", flush=True)
    figure("command_p99_64_vs_1_clients", _p99(together) / _p99(alone), "x", "<=", P99_RATIO_MAX)


async def _timelines(bench: Round) -> None:
    numbers = itertools.count()
    headers = {IDENTITY_HEADER: TokenIssuer(INTERNAL[0]).issue(HEAD)}

    async def timeline() -> None:
        order_id = _order_id(next(numbers) * 97 % HOLDS)
        body = {"query": TIMELINE, "variables": {"id": order_id}}
        url = f"http://127.0.0.1:{bench.port}/graphql"
        async with bench.session.post(url, json=body, headers=headers) as response:
            answer = await response.json()
        assert len(answer["data"]["node"]["timeline"]) == 2, answer

    times = await _timed(timeline, 1, WARM_UP + TIMELINES)
    figure("orders_timeline_p50_ms", statistics.median(times[WARM_UP:]), "ms", "<=", TIMELINE_P50_MS_MAX)


async def _stocked(bench: Round) -> list[str]:
    """Fill city and store; gives the assets that nobody holds."""
    assets = [bench.city.add_asset(f"{n}") for n in range(ASSETS)]
    database = Database(bench.url)
    await database.open()
    for start in range(0, HOLDS, ORDERS_AT_ONCE):
        part = list(enumerate(assets[start : min(start + ORDERS_AT_ONCE, HOLDS)], start))
        rows = [_order(n, asset, bench.city) for n, asset in part]
        async with database.write() as connection:
            for name in rows[0]:
                table = tables.metadata.tables[name]
                await connection.execute(insert(table), [row for one in rows for row in one[name]])
    await database.close()
    return assets[HOLDS:]


def _order_id(n: int) -> str:
    return f"order:{n:032x}"


def _order(n: int, asset: str, city: City) -> dict[str, list[dict[str, Any]]]:
    """A loan in approval, with its hold in the owner's book, as rows by table."""
    now, id_ = city.clock.now, _order_id(n)
    first = shanghai_today(now) + timedelta(days=2)
    range_ = {"from_day": first.isoformat(), "to_day": (first + timedelta(days=7)).isoformat()}
    expires, at, zero = text_of(now + timedelta(days=7)), text_of(now), Decimal(0)
    numbers = {"dispatched": zero, "received": zero, "returned": zero}
    city._kept(
        Entry(
            id=f"hold-{n}",
            asset=asset,
            order_id=id_,
            quantity=Decimal(1),
            state="ACTIVE",
            expires_at=expires,
            status_before=None,
            **range_,
            **numbers,
        )
    )
    who = {"person": CLERK.person, "unit": BORROWER, "region": CLERK.region}
    order = {"id": id_, "flow": "LOAN", "state": "IN_APPROVAL", "listed": True, "purpose": "bench", **range_,
             "applicant_person": CLERK.person, "applicant_unit": BORROWER, "applicant_region": CLERK.region,
             "settlement": "SETTLED", "holds_expire_at": expires, "version": 1, "created_at": at, "updated_at": at}  # fmt: skip
    line = {"id": f"{n:032x}-1", "order_id": id_, "position": 0, "asset_id": asset, "asset_name": "投影仪",
            "lending_region": "330106", "owner_unit": OWNER, "unit_of_measure": "台", "card_quantity": "1",
            "card_value": "4999.00", "facts": "", "quantity": "1", "dispatched": "0", "received": "0", "returning": "0",
            "returned": "0", "hold_id": f"hold-{n}", "hold_state": "ACTIVE"}  # fmt: skip
    step = {"order_id": id_, "position": 1, "office": "UNIT_HEAD", "region": CLERK.region, "unit": BORROWER,
            "clause": "loan-unit-head", "state": "CURRENT"}  # fmt: skip
    entries = [
        {"order_id": id_, "at": at, "command": "APPLY", "from_state": before, "to_state": after, **who}
        for before, after in ((None, "DRAFT"), ("DRAFT", "IN_APPROVAL"))
    ]
    return {"orders": [order], "order_lines": [line], "approval_steps": [step], "timeline": entries}


async def _timed(work: Callable[[], Awaitable[None]], clients: int, times: int) -> list[float]:
    """Milliseconds of each."""
    found: list[float] = []

    async def client() -> None:
        for _ in range(times // clients):
            started = time.perf_counter()
            await work()
            found.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(client() for _ in range(clients)))
    return found


def _processor_s(bench: Round) -> float:
    """What the overlay's process has used until now, in itself and in the kernel (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{bench.process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    print(machine(), flush=True)
    main()
