"""Whatever people do in whatever order, and wherever the overlay dies: every check holds, on both stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.overlay.chaos.machine import explore
from tests.overlay.chaos.stores import postgres_stores, sqlite_stores

WALKS = {"sqlite": 12, "postgresql": 4}
"""A walk on PostgreSQL takes some five times as long; `make chaos` goes on for as long as one likes."""
STEPS = 40


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_every_check_holds(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if store == "sqlite":
        new_store = sqlite_stores(tmp_path)
    else:
        new_store = postgres_stores(request.getfixturevalue("postgres_database"))
    done = explore(new_store, WALKS[store], STEPS)
    assert min(done[name] for name in ("accepted", "refused", "crashes", "faults", "repeats")) > 0, done
