from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from overlay.app import OverlayOptions, create_overlay_app
from overlay.ledger.service import LedgerOptions
from tests.overlay.city import INTERNAL, RULE, City, ManualClock
from tests.overlay.conftest import Api
from tests.overlay.ledger.books import KEYS, Books


@pytest.fixture
async def books(url: str, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Books]:
    opened = Books(url, clock, tmp_path / "anchors")
    await opened.database.open()
    yield opened
    await opened.database.close()


@pytest.fixture
async def api(url: str, city: City, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Api]:
    options = OverlayOptions(
        database_url=url,
        group=city,
        internal_private_pem=INTERNAL[0],
        internal_public_pem=INTERNAL[1],
        rule_private_pem=RULE[0],
        ledger=LedgerOptions(private_pem=KEYS[0], anchors=tmp_path / "anchors"),
        clock=clock,
        settle_every_s=3600,
    )
    app = create_overlay_app(options)
    async with app.router.lifespan_context(app):
        yield Api(app)
