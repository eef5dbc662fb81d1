"""A generated small city, once a session: real stores, real mappings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from subgraphs.sample_city.generate import generate_city
from tests.paged_api import running_paged_api


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("adapters") / "city"
    generate_city(out, "small", 2022, lambda line: None)
    with running_paged_api(out):
        yield out
