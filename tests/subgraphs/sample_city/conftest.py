"""One small city for all tests of this folder; none of them writes into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from subgraphs.sample_city.generate import generate_city

SEED = 2022


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "city"
    generate_city(out, "small", SEED, lambda line: None)
    return out
