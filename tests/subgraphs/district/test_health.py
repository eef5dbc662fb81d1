"""What a district says of its store at `/health`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from subgraphs.district.app import DistrictOptions, create_district_app
from subgraphs.district.custody.book import CustodyBook
from tests.subgraphs.district.parts import REGION, MemoryStore, row
from tests.subgraphs.kit.library import serving


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore([row("one")])


async def asked(store: MemoryStore, folder: Path) -> tuple[int, dict[str, Any]]:
    app = create_district_app(store, CustodyBook(f"sqlite:///{folder}/book.sqlite", REGION), DistrictOptions())
    async with (
        serving(app) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/health") as answer,
    ):
        return answer.status, await answer.json()


async def test_a_store_that_is_well(store: MemoryStore, tmp_path: Path) -> None:
    assert await asked(store, tmp_path) == (
        200,
        {
            "status": "ok",
            "region": REGION,
            "asOf": "2026-11-24T04:00:00Z",
            "lastGoodLoad": None,
            "buildSeconds": None,
            "rows": None,
            "unreadable": None,
            "fault": None,
            "capabilities": {"read": True, "hold": True, "write": True, "change_feed": False, "mode": "live"},
        },
    )


async def test_a_store_that_is_away(store: MemoryStore, tmp_path: Path) -> None:
    store.is_down = True
    status, answer = await asked(store, tmp_path)
    assert (status, answer["status"], answer["asOf"]) == (503, "unavailable", None)
    assert answer["fault"] == {"code": "STORE_UNAVAILABLE", "message": "the store was refused"}
