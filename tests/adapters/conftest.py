"""A generated small city, once a session: real stores, real mappings."""

from __future__ import annotations

from pathlib import Path

import pytest

from subgraphs.sample_city.generate import generate_city


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapters") / "city"
    generate_city(out, "small", 2022, lambda line: None)
    return out
