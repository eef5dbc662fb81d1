"""A custody book's store: every test that uses one runs on both engines."""

from __future__ import annotations

import pytest

from subgraphs.district.custody.database import Database
from tests.stores import ENGINES, NewStore


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, new_store: NewStore) -> str:
    return new_store(request.param, Database)
