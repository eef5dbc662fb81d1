"""A few hundred cases of what `make fuzz` does by the thousand, and a look at whether it would find anything."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.execution import executor
from tests.fuzz.differential import Broken, Refused, compare
from tests.fuzz.faults import FAULTS, Bench, Fault, everywhere, instead, swapped
from tests.fuzz.reduce import failure_of, reduce_sample
from tests.fuzz.runs import explained, made, run_seeds
from tests.fuzz.written import generate

SCHEMAS = 80
FEATURE_SCHEMAS = 200


# No shrinking by hypothesis: `explained` makes a failure small with the schema's meaning in mind.
@settings(
    max_examples=SCHEMAS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
@given(st.randoms(use_true_random=False))
def test_the_gateway_answers_as_one_schema_would(random: Random) -> None:
    try:
        found = made(random)
    except Refused:
        return
    with asyncio.Runner() as run:
        for operation in found.operations:
            try:
                compare(found.case, operation, run)
            except Broken as broken:
                pytest.fail(explained(found.sample(operation), broken, run))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(500, seed=10_000)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_known_fault_is_found(fault: Fault, bench: Bench) -> None:
    assert bench.cases_until_found(fault) is not None


def test_planting_itself_breaks_nothing() -> None:
    assert Bench(15, seed=20_000).cases_until_found(Fault("none", everywhere(lambda one: one))) is None


def test_most_splits_compose_and_every_feature_is_at_work() -> None:
    tally = run_seeds(range(30_000, 30_000 + FEATURE_SCHEMAS))
    assert not tally.failures, tally.failures[0]
    assert tally.refused < 0.2 * FEATURE_SCHEMAS
    assert set(tally.features) == FEATURES


FEATURES = {
    "batched entity fetch",
    "composite key",
    "conditions",
    "entity fetch",
    "errors and null propagation",
    "interface",
    "interface object",
    "missing entity",
    "mutation",
    "named fragments",
    "nested key",
    "override",
    "override with label",
    "provides",
    "requires",
    "requires nested",
    "several graphs",
    "shared field",
    "shared root field",
    "simple key",
    "type conditions",
    "union",
    "variables",
}


def test_a_failure_is_made_small_and_is_a_golden_plan() -> None:
    with instead(executor, "merge_entities", swapped), asyncio.Runner() as run:
        for seed in range(50):
            try:
                found = made(Random(seed))
            except Refused:
                continue
            for operation in found.operations:
                try:
                    compare(found.case, operation, run)
                except Broken as broken:
                    small = reduce_sample(found.sample(operation), lambda one: failure_of(one, run))
                    assert sum(map(len, small.subgraphs.values())) < sum(map(len, found.generated.subgraphs.values()))
                    assert len(small.operation.text) <= len(operation.text)
                    text = explained(found.sample(operation), broken, run)
                    assert text.startswith("# Found by fuzzing")
                    assert "```plan\nQueryPlan {" in text
                    return
    raise AssertionError("the fault was not found")


def test_a_seed_gives_the_same_schema_again() -> None:
    assert generate(Random(7)) == generate(Random(7))
