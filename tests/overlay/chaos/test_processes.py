"""A short round over real processes that are killed, on each store."""

from __future__ import annotations

from pathlib import Path

from tests.overlay.chaos.processes import run_round

SEED, SECONDS = 7, 12.0


async def test_killed_processes_lose_and_double_nothing(url: str, tmp_path: Path) -> None:
    done = await run_round(tmp_path / "overlay", url, SEED, SECONDS)
    assert done["kills"] > 0 and done["accepted"] > 0 and done["checks"] > 0, done
