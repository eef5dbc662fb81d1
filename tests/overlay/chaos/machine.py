"""The state machine that hypothesis walks, and plain walks: both step through `World.step`.

A step is one number, from which all its choices follow: who wins a race may differ from run to run, and what is
possible next with it, but not how a walk is drawn. A failing walk is shown as the few steps that it needs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, ClassVar

import structlog
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from overlay.orders.model import Flow
from tests.overlay.chaos.acting import Chooser
from tests.overlay.chaos.stores import NewStore
from tests.overlay.chaos.world import FOCUSES, Parts, World

__all__ = ["explore", "walk"]

STEP = st.integers(0, 2**32 - 1)


class Chaos(RuleBasedStateMachine):
    new_store: ClassVar[NewStore]
    totals: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(type(self).new_store())
        self.is_sound = False

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.is_sound = False
        self.runner.run(work)
        self.is_sound = True

    @initialize(focus=st.integers(0, len(FOCUSES) - 1))
    def begin(self, focus: int) -> None:
        self.world.flows = FOCUSES[focus]
        self.run(self.world.open())

    @rule(number=STEP)
    def step(self, number: int) -> None:
        self.run(self.world.step(Chooser(number)))
        note(self.world.last)

    def teardown(self) -> None:
        try:
            if self.is_sound:
                self.run(self.world.come_to_rest())
        finally:
            self.runner.run(self.world.close())
            self.runner.close()
            self.totals.update(self.world.counts)


def explore(new_store: NewStore, walks: int, steps: int, seed_: int | None = None) -> Counter[str]:
    """Let hypothesis walk. Raises what a check raises, with the fewest steps that lead to it; else sums what was done.

    Without a seed the walks are the same ones each time."""
    totals: Counter[str] = Counter()
    machine = type("Chaos", (Chaos,), {"new_store": staticmethod(new_store), "totals": totals})
    chosen = settings(
        max_examples=walks,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=seed_ is None,
        suppress_health_check=list(HealthCheck),
    )
    with quiet():
        run_state_machine_as_test(machine if seed_ is None else seed(seed_)(machine), settings=chosen)
    return totals


async def walk(
    url: str, seed_: int, steps: int, parts: Parts | None = None, flows: frozenset[Flow] | None = None
) -> Counter[str]:
    """One walk that hypothesis does not choose, to its rest."""
    numbers = Random(seed_)
    world = World(url, parts or Parts(), flows or numbers.choice(FOCUSES))
    await world.open()
    try:
        for _ in range(steps):
            await world.step(Chooser(numbers.getrandbits(32)))
        await world.come_to_rest()
    finally:
        await world.close()
    return world.counts


@contextmanager
def quiet() -> Iterator[None]:
    """The overlay logs every answer that is lost: here they are lost on purpose."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
