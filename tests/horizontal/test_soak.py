"""The soak of `make soak`, short: the same storm, two hundred requests."""

from __future__ import annotations

from tests.horizontal.soak import soak

REQUESTS, SECONDS = 200, 60


async def test_a_short_soak_leaves_nothing_and_tells_no_lie() -> None:
    found = await soak(REQUESTS, SECONDS, seed=1)
    assert found.wrong == []
    assert found.is_clean()
    assert found.requests >= REQUESTS
    assert found.partial and found.left, "no fault was met, so nothing was tried"
