"""`make chaos-selftest`: each planted fault must be found, and the sound system must pass."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random

from benchmarks.figures import figure
from tests.overlay.chaos.machine import quiet, walk
from tests.overlay.chaos.plants import PLANTS, Plant, planted
from tests.overlay.chaos.stores import NewStore, sqlite_stores

__all__ = ["find", "selftest"]

WALKS, STEPS = 60, 60
"""At most, for one fault: most are found in the first few."""
SOUND_WALKS = 5


def selftest(seed: int) -> bool:
    """Prints what was found of what was planted; gives whether all was."""
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        new_store = sqlite_stores(Path(folder))
        fault = find(Plant("none", flows=None), new_store, seed, SOUND_WALKS)
        print(f"sound: {fault or 'nothing found'}", flush=True)
        found = 0
        for plant in PLANTS:
            words = find(plant, new_store, seed, WALKS)
            found += words is not None
            print(f"{'MISSED' if words is None else 'found '} {plant.name}: {words}", flush=True)
    figure("chaos_found_without_fault", int(fault is not None), "faults", "=", 0)
    figure("chaos_planted_found", found, "faults", "=", len(PLANTS))
    return fault is None and found == len(PLANTS)


def find(plant: Plant, new_store: NewStore, seed: int, walks: int) -> str | None:
    """Walk until something is wrong: its first words. None when nothing is."""
    seeds = Random(seed)
    with planted(plant) as parts, quiet():
        for _ in range(walks):
            try:
                asyncio.run(walk(new_store(), seeds.getrandbits(32), STEPS, parts, plant.flows))
            except Exception as error:  # what a fault does to the system is any exception
                return f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
    return None
