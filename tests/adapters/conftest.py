"""A generated small city, once a session: real stores, real mappings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from subgraphs.sample_city.generate import generate_city
from tests.paged_api import VARIABLES, running_paged_api


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """What mappings of the city ask of it: a mapping may be read where its store is not."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(VARIABLES, ("http://127.0.0.1:1", "none"), strict=True):
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("adapters") / "city"
    generate_city(out, "small", 2022, lambda line: None)
    with running_paged_api(out):
        yield out
