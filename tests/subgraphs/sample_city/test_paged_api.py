"""余杭's interface answers as its vendor's manual says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from subgraphs.sample_city.paged_api import REGION, TOKEN_HEADER, PagedApi, serving

TOKEN = "t"
REQUESTS_A_WINDOW = 4


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def vendor(small_city: Path) -> AsyncIterator[tuple[PagedApi, Clock, aiohttp.ClientSession]]:
    clock = Clock()
    api = PagedApi(small_city / "stores" / REGION, TOKEN, requests_a_window=REQUESTS_A_WINDOW, window_s=10, clock=clock)
    async with (
        serving(api.app) as url,
        aiohttp.ClientSession(url, headers={TOKEN_HEADER: TOKEN}) as session,
    ):
        yield api, clock, session


async def rows(session: aiohttp.ClientSession, **query: Any) -> list[dict[str, Any]]:
    async with session.get("/api/v2/assets", params=query) as answer:
        assert answer.status == 200
        content = await answer.json()
    assert set(content["data"]) == {"list", "page"}, "no total"
    return list(content["data"]["list"])


async def test_pages_follow_each_other_and_end_in_an_empty_one(vendor: Any) -> None:
    api, _, session = vendor
    all_rows = api.records["assets"]
    first, second, beyond = [await rows(session, page=page, pageSize=500) for page in (1, 2, 99)]
    assert first == all_rows[:100], "fewer than were asked for"
    assert second == all_rows[100:200]
    assert beyond == []


async def test_beyond_so_many_requests_it_asks_to_be_left_alone(vendor: Any) -> None:
    _, clock, session = vendor
    for _ in range(REQUESTS_A_WINDOW):
        await rows(session)
    clock.now += 2.5
    async with session.get("/api/v2/assets") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "8")
    clock.now += 8
    assert await rows(session)


async def test_without_the_token_nothing_is_told(vendor: Any) -> None:
    _, _, session = vendor
    async with session.get("/api/v2/assets", headers={TOKEN_HEADER: "another"}) as answer:
        assert answer.status == 401
        assert "list" not in await answer.text()


async def test_rows_changed_since(vendor: Any) -> None:
    api, _, session = vendor
    api.records["assets"][3]["updatedAt" if "updatedAt" in api.records["assets"][3] else "updated_at"] = (
        "2030-01-01T08:00:00+08:00"
    )
    changed = await rows(session, updatedSince="2030-01-01T00:00:00Z")
    assert changed == [api.records["assets"][3]]
    assert await rows(session, updatedSince="2030-01-01T00:00:01Z") == []


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"pageSize": "-1"}, {"updatedSince": "gestern"}])
async def test_what_cannot_be_read_is_refused(vendor: Any, query: dict[str, str]) -> None:
    _, _, session = vendor
    async with session.get("/api/v2/assets", params=query) as answer:
        assert answer.status == 400
