"""Surveys for tests: of a store, with time enough."""

from __future__ import annotations

from adapters.kit.inspect import inspect_store
from adapters.kit.survey import Budget, StoreUrl, Survey, read_url


async def survey(url: str) -> Survey:
    return await inspect_store(read_url(url), plenty())


async def survey_of(url: StoreUrl) -> Survey:
    return await inspect_store(url, plenty())


def plenty() -> Budget:
    """A budget whose clock stands still."""
    return Budget(60, lambda: 0.0)
