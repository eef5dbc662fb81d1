from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from overlay.ledger.service import LedgerOptions
from tests.overlay.city import City, ManualClock
from tests.overlay.conftest import Api, overlay_app
from tests.overlay.ledger.books import KEYS, Books


@pytest.fixture
async def books(url: str, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Books]:
    opened = Books(url, clock, tmp_path / "anchors")
    await opened.database.open()
    yield opened
    await opened.database.close()


@pytest.fixture
async def api(url: str, city: City, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Api]:
    app = overlay_app(url, city, clock, ledger=LedgerOptions(private_pem=KEYS[0], anchors=tmp_path / "anchors"))
    async with app.router.lifespan_context(app):
        yield Api(app)
