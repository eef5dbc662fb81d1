"""A few hundred cases of what `make fuzz` does by the thousand, and a look at whether it would find anything."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.execution import executor
from tests.fuzz.differential import Difference, Refused, World, run_case
from tests.fuzz.faults import FAULTS, Fault, cases_until_found, everywhere, instead, swapped
from tests.fuzz.reduce import as_golden, reduced
from tests.fuzz.schemas import FEATURES, random_split


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_the_gateway_answers_as_one_schema_would(seed: int) -> None:
    try:
        run_case(Random(seed))
    except Refused:
        return
    except Difference as difference:
        pytest.fail(as_golden(reduced(difference)))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_known_fault_is_found(fault: Fault) -> None:
    assert cases_until_found(fault, 100, seed=50) is not None


def test_a_plan_rebuilt_as_it_is_answers_alike() -> None:
    """The planting itself breaks nothing."""
    assert cases_until_found(Fault("none", everywhere(lambda one: one)), 20) is None


def test_most_splits_compose_and_all_features_come() -> None:
    seen: set[str] = set()
    codes: list[str] = []
    for seed in range(150):
        split = random_split(Random(seed))
        seen |= split.features
        try:
            World(split)
        except Refused as refusal:
            codes.append(str(refusal).partition(":")[0])
    assert len(codes) < 0.2 * 150
    assert set(codes) == {"SATISFIABILITY_ERROR"}
    assert seen == set(FEATURES)


def test_a_failure_is_made_small_and_is_a_golden_plan() -> None:
    with instead(executor, "merge_entities", swapped):
        for seed in range(50):
            try:
                run_case(Random(seed))
            except Refused:
                continue
            except Difference as difference:
                found = difference
                break
        small = reduced(found, tries_max=120)
    assert len(small.operation) < len(found.operation)
    assert sum(map(len, small.split.subgraphs.values())) < sum(map(len, found.split.subgraphs.values()))
    text = as_golden(small)
    assert text.startswith("# Found by fuzzing")
    assert "```plan\nQueryPlan {" in text
