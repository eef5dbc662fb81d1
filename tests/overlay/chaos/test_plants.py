"""Who checks is checked: a planted fault is found, a sound system is not accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.overlay.chaos.plants import PLANTS, Plant
from tests.overlay.chaos.selftest import find
from tests.overlay.chaos.stores import sqlite_stores

SEED, WALKS = 0, 30
QUICK = {
    "a send before the write",
    "a lost idempotency key",
    "an unpaired ledger entry",
    "approval steps left out",
    "a refusal that changes something",
    "a successor card beside the old one",
    "a part granted to who wants all",
}
"""Found in the first walks. All of them take minutes: `make chaos-selftest`."""


@pytest.mark.parametrize("plant", [one for one in PLANTS if one.name in QUICK], ids=lambda plant: plant.name)
def test_a_planted_fault_is_found(plant: Plant, tmp_path: Path) -> None:
    assert find(plant, sqlite_stores(tmp_path), SEED, WALKS) is not None


def test_a_plant_is_taken_out_again(tmp_path: Path) -> None:
    new_store = sqlite_stores(tmp_path)
    for plant in PLANTS:
        if plant.handlers:
            find(plant, new_store, SEED, 0)
    assert find(Plant("none", flows=None), new_store, SEED, 1) is None
