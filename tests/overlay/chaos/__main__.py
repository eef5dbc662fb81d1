"""`make chaos` and `make chaos-selftest`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.figures import figure, machine
from tests.overlay.chaos.processes import run_round
from tests.overlay.chaos.selftest import selftest
from tests.overlay.chaos.stores import NewStore, postgres_stores, sqlite_stores
from tests.services import ServerUnavailable, postgres_execute, running_postgres

ROUND_S = 30.0


def chaos(seconds: float, rounds: int, seed: int, stores: list[str]) -> bool:
    """Rounds, by turns on the stores, until the time or their number is spent; gives whether nothing was found."""
    print(f"{machine()}\nseed {seed}", flush=True)
    totals: Counter[str] = Counter()
    until, seeds, wrong = time.monotonic() + seconds, Random(seed), 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = [_stores(name, folder, stack) for name in stores]
        for number in range(rounds):
            left = until - time.monotonic()
            if left <= 0:
                break
            of_round = seed if number == 0 else seeds.getrandbits(31)
            try:
                done = asyncio.run(
                    run_round(folder / f"round-{number}", made[number % len(made)](), of_round, min(ROUND_S, left))
                )
            except Exception as error:
                wrong += 1
                print(f"seed {of_round}: {error}\n" + "\n".join(error.__notes__), flush=True)
                continue
            totals += done
            totals["rounds"] += 1
            print(f"round {number} {stores[number % len(made)]} seed {of_round}: {dict(done)}", flush=True)
    _figures(totals, wrong)
    return wrong == 0


def _stores(name: str, folder: Path, stack: contextlib.ExitStack) -> NewStore:
    if name == "sqlite":
        return sqlite_stores(folder)
    server = stack.enter_context(running_postgres())
    asyncio.run(postgres_execute(server.url, "CREATE DATABASE chaos"))
    stack.callback(lambda: asyncio.run(postgres_execute(server.url, "DROP DATABASE chaos WITH (FORCE)")))
    return postgres_stores(server.with_database("chaos"))


def _figures(totals: Counter[str], wrong: int) -> None:
    figure("chaos_orders", totals["orders"], "orders", ">=", 1)
    figure("chaos_kills", totals["kills"], "kills", ">=", 1)
    figure("chaos_faults", totals["faults"], "faults", ">=", 1)
    figure("chaos_checks", totals["checks"] + totals["compared"] + totals["repeats"], "checks", ">=", 1)
    figure("chaos_commands", totals["accepted"] + totals["refused"], "commands", ">=", 1)
    figure("chaos_violations", wrong, "rounds", "=", 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.overlay.chaos")
    parser.add_argument("--selftest", action="store_true")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--cases", type=int, default=1_000_000, help="rounds at most")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--store", action="append", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    seed = Random().getrandbits(31) if given.seed is None else given.seed
    if given.selftest:
        return 0 if selftest(seed) else 1
    try:
        return 0 if chaos(given.seconds, given.cases, seed, given.store or ["sqlite", "postgresql"]) else 1
    except ServerUnavailable as error:
        print(f"{error}\nOr without it: STORE=sqlite", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
