"""`make fuzz CASES=10000` and `make fuzz-selftest`: see `differential` and `faults`.

python -m tests.fuzz [--cases N] [--seed S]     compares, on all cores; prints cases by feature
python -m tests.fuzz --selftest                 plants known faults; each must be found
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from benchmarks.figures import figure, machine
from tests.fuzz.faults import FAULTS, Bench
from tests.fuzz.runs import OPERATIONS, Tally, run_seeds

CASES = 10_000
CHUNK = 25
"""Schemas that one process takes at a time."""
SELFTEST_SCHEMAS = 1_000


def fuzz(cases: int, seed: int) -> int:
    """Goes on until so many cases have really been compared."""
    tally = Tally()
    started = time.monotonic()
    seeds = count(seed, CHUNK)
    with ProcessPoolExecutor() as pool:
        while tally.cases < cases and not tally.failures:
            wanted = -(-(cases - tally.cases) // (CHUNK * OPERATIONS))
            chunks = [range(first, first + CHUNK) for first, _ in zip(seeds, range(wanted), strict=False)]
            for each in pool.map(run_seeds, chunks):
                tally.add(each)
    print(f"{'feature':<32} cases")
    for feature, seen in sorted(tally.features.items()):
        print(f"{feature:<32} {seen:>5}")
    for failure in tally.failures:
        print(f"\n{failure}")
    splits = tally.schemas + tally.refused
    print(
        f"{tally.cases} cases on {tally.schemas} schemas compared; {tally.refused} of {splits} splits refused by"
        f" composition; {len(tally.failures)} failures; {time.monotonic() - started:.0f} s"
    )
    figure("fuzz_cases_compared", tally.cases, "cases", ">=", cases)
    return 1 if tally.failures else 0


def selftest() -> int:
    bench = Bench(SELFTEST_SCHEMAS)
    missed = 0
    print(f"{'fault':<44} {'cases needed':>12}  found")
    for fault in FAULTS:
        needed = bench.cases_until_found(fault)
        missed += needed is None
        print(f"{fault.name:<44} {needed or bench.cases:>12}  {'no' if needed is None else 'yes'}", flush=True)
    figure("fuzz_faults_missed", missed, "faults", "=", 0)
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--selftest", action="store_true")
    given = parser.parse_args()
    print(machine())
    return selftest() if given.selftest else fuzz(given.cases, given.seed)


if __name__ == "__main__":
    sys.exit(main())
