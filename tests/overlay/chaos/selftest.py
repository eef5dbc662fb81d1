"""`make chaos-selftest`: each planted fault must be found, and the sound system must pass.

Each fault has a process of its own, as many at a time as there are cores: a fault in the table of handlers is seen by
its whole process.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from random import Random

from benchmarks.figures import figure
from tests.overlay.chaos.machine import quiet, walk
from tests.overlay.chaos.plants import PLANTS, Plant, planted
from tests.overlay.chaos.stores import NewStore, sqlite_stores

__all__ = ["find", "selftest"]

WALKS, STEPS = 150, 60
"""At most, for one fault: most are found in the first few, one that shows only after several commands in turn later."""
SOUND_WALKS = 5
SOUND = Plant("none", flows=None)


def selftest(seed: int) -> bool:
    """Prints what was found of what was planted; gives whether all was."""
    print(f"seed {seed}", flush=True)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        looked = {pool.submit(_look, number, seed): number for number in (None, *range(len(PLANTS)))}
        fault, found = None, 0
        for one in as_completed(looked):
            number, words = looked[one], one.result()
            if number is None:
                fault = words
                print(f"sound: {words or 'nothing found'}", flush=True)
                continue
            found += words is not None
            print(f"{'MISSED' if words is None else 'found '} {PLANTS[number].name}: {words}", flush=True)
    figure("chaos_found_without_fault", int(fault is not None), "faults", "=", 0)
    figure("chaos_planted_found", found, "faults", "=", len(PLANTS))
    return fault is None and found == len(PLANTS)


def _look(number: int | None, seed: int) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        if number is None:
            return find(SOUND, sqlite_stores(Path(folder)), seed, SOUND_WALKS)
        return find(PLANTS[number], sqlite_stores(Path(folder)), seed, WALKS)


def find(plant: Plant, new_store: NewStore, seed: int, walks: int) -> str | None:
    """Walk until something is wrong: its first words. None when nothing is."""
    seeds = Random(seed)
    with planted(plant) as parts, quiet():
        for number in range(1, walks + 1):
            try:
                asyncio.run(walk(new_store(), seeds.getrandbits(32), STEPS, parts, plant.flows))
            except Exception as error:  # what a fault does to the system is any exception
                return f"walk {number}, {type(error).__name__}: {str(error).splitlines()[0][:120]}"
    return None
