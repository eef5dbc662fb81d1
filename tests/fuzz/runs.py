"""Many cases, one after the other: what `make fuzz`, its self-test and the tests have in common."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.differential import Broken, Operation, Refused, Sample, as_markdown, compare, make_case, operations_of
from tests.fuzz.reduce import failure_of, reduce_sample
from tests.fuzz.written import Generated, generate
from tests.gateway.planning.support.cases import Case

__all__ = ["OPERATIONS", "Made", "Tally", "explained", "made", "run_seeds"]

OPERATIONS = 5
"""Operations on one schema; each is a case."""
FAILURES_MAX = 3


@dataclass(frozen=True)
class Made:
    """A schema that composes, and operations on it."""

    generated: Generated
    case: Case
    operations: list[Operation]

    def sample(self, operation: Operation) -> Sample:
        return Sample(self.generated.subgraphs, self.generated.labels, self.generated.data, operation)


def made(random: Random) -> Made:
    """Raises `Refused` or `Broken`."""
    generated = generate(random)
    case = make_case(generated)
    return Made(generated, case, operations_of(case, random, OPERATIONS))


@dataclass
class Tally:
    schemas: int = 0
    refused: int = 0
    cases: int = 0
    features: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.schemas += other.schemas
        self.refused += other.refused
        self.cases += other.cases
        self.features += other.features
        self.failures += other.failures


def run_seeds(seeds: range) -> Tally:
    tally = Tally()
    with asyncio.Runner() as run:
        for seed in seeds:
            if len(tally.failures) >= FAILURES_MAX:
                break
            for failure in _run_seed(seed, tally, run):
                tally.failures.append(f"seed {seed}\n{failure}")
    return tally


def _run_seed(seed: int, tally: Tally, run: asyncio.Runner) -> Iterator[str]:
    try:
        found = made(Random(seed))
    except Refused:
        tally.refused += 1
        return
    except Broken as broken:
        yield str(broken)
        return
    tally.schemas += 1
    for operation in found.operations:
        try:
            compared = compare(found.case, operation, run)
        except Broken as broken:
            yield explained(found.sample(operation), broken, run)
        else:
            tally.cases += 1
            tally.features.update(compared.features)


def explained(
    sample: Sample, broken: Broken, run: asyncio.Runner, prepare: Callable[[Case], None] = lambda case: None
) -> str:
    """A failure as a minimal golden plan, and what is wrong with it. `prepare`: a fault that is planted."""
    small = reduce_sample(sample, lambda one: failure_of(one, run, prepare))
    text = as_markdown(small, "Found by fuzzing", "Say here why this plan looks as it does.")
    return f"{text}\n{failure_of(small, run, prepare) or broken}\n"
