"""`make fuzz CASES=10000` and `make fuzz-selftest`: see `differential` and `faults`.

python -m tests.fuzz [--cases N] [--seed S]     compares, on all cores; prints cases by feature
python -m tests.fuzz --selftest                 plants known faults; each must be found
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

from benchmarks.figures import figure, machine
from tests.fuzz.differential import Difference, Refused, run_case
from tests.fuzz.faults import FAULTS, cases_until_found
from tests.fuzz.reduce import as_golden, reduced
from tests.fuzz.schemas import FEATURES

CASES = 10_000
CHUNK = 50
SELFTEST_CASES_MAX = 300


def run_chunk(first: int, count: int) -> tuple[Counter[str], Counter[str], str | None]:
    """Counts, cases by feature, and the first failure as a golden plan."""
    counts: Counter[str] = Counter()
    features: Counter[str] = Counter()
    for seed in range(first, first + count):
        try:
            compared = run_case(Random(seed))
        except Refused:
            counts["refused"] += 1
        except Difference as difference:
            return counts, features, f"seed {seed}\n\n{as_golden(reduced(difference))}"
        else:
            counts["cases"] += 1
            counts["operations"] += compared.operations
            features.update(compared.features)
    return counts, features, None


def fuzz(cases: int, seed: int) -> int:
    """Goes on until `cases` splits have really been compared."""
    counts: Counter[str] = Counter()
    features: Counter[str] = Counter()
    started = time.monotonic()
    with ProcessPoolExecutor() as pool:
        while counts["cases"] < cases:
            wanted = range(0, cases - counts["cases"], CHUNK)
            firsts = [seed + place for place in wanted]
            seed += len(firsts) * CHUNK
            for told, seen, failure in pool.map(run_chunk, firsts, [CHUNK] * len(firsts)):
                counts += told
                features += seen
                if failure is not None:
                    print(failure)
                    pool.shutdown(cancel_futures=True)
                    return 1
    for feature in FEATURES:
        print(f"{features[feature]:7} {feature}")
    print(
        f"{counts['cases']} schemas, {counts['operations']} operations compared; {counts['refused']} splits refused by"
        f" composition; {time.monotonic() - started:.0f} s"
    )
    figure("fuzz_cases_compared", counts["cases"], "cases", ">=", cases)
    return 0


def selftest() -> int:
    missed = 0
    for fault in FAULTS:
        needed = cases_until_found(fault, SELFTEST_CASES_MAX)
        missed += needed is None
        print(f"{fault.name:40} {'NOT FOUND' if needed is None else f'found after {needed} cases'}", flush=True)
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
