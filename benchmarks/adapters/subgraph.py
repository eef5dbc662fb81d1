"""The district subgraph's whole answer, from the bytes of a request to the bytes of its answer, called as an ASGI app.

Fifty assets with twelve fields, idle ones by key; who asks is anonymous, so the viewer's rights are part of the filter.
Beside each page the bare driver runs the statement that the page took, and one written by hand, and builds plain dicts;
the answer is compared with the faster of the two.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from adapters.mapping.model import Mapping
from adapters.model import Position
from adapters.sql import SqlStore
from benchmarks.adapters.pages import (
    GOAL_CASES,
    PAGE_SIZE,
    PAGES,
    WARM_UP,
    driver_of,
    recording,
    timed,
    written_by_hand,
)
from contract.ids import format_id
from subgraphs.district.app import DistrictOptions, create_district_app
from subgraphs.district.custody.book import CustodyBook
from subgraphs.kit.app import SubgraphOptions

__all__ = ["Answered", "answers"]

_FIELDS = (
    "id name code class { code name } specification brand quantity originalValue netValue acquiredOn condition status"
)
_QUERY = """query Page($after: String) {
  assets(filter: { status: { eq: IDLE } }, first: %d, after: $after) { %s pageInfo { hasNextPage endCursor } }
}"""
NODES = _QUERY % (PAGE_SIZE, f"nodes {{ {_FIELDS} }}")
EDGES = _QUERY % (PAGE_SIZE, f"edges {{ cursor node {{ {_FIELDS} }} }}")
"""As the gateway asks its members."""
_SHAREABLE = " AND shareable AND (shareable_until IS NULL OR shareable_until > CURRENT_DATE)"

_FIRST_LOOK_S = 300.0
"""How long the first answer may take: it waits for a look at all rows."""


@dataclass(frozen=True)
class Answered:
    """Medians in milliseconds."""

    answer_ms: float
    again_ms: float
    driver_ms: float
    by_hand_ms: float

    @property
    def ratio(self) -> float:
        return self.answer_ms / min(self.driver_ms, self.by_hand_ms)


async def answers(mapping: Mapping, query: str) -> Answered:
    with tempfile.TemporaryDirectory() as name:
        store = SqlStore(mapping)
        await store.open()
        book = CustodyBook(f"sqlite:///{Path(name) / 'custody.sqlite'}", mapping.region)
        await book.open()
        try:
            options = DistrictOptions(serving=SubgraphOptions(deadline_s_max=_FIRST_LOOK_S))
            return await _walk(store, create_district_app(store, book, options), query)
        finally:
            await book.close()
            await store.close()


async def _walk(store: SqlStore, app: Any, query: str) -> Answered:
    sent = recording(store)
    driver = await driver_of(store)
    times: list[list[float]] = [[], [], [], []]
    place: Position | None = None
    after: str | None = None
    try:
        for _ in range(PAGES + WARM_UP):
            post = partial(_post, app, orjson.dumps({"query": query, "variables": {"after": after}}))
            answer, took_ms = await timed(post)
            times[0].append(took_ms)
            statement = sent[-1]
            times[1].append((await timed(post))[1])
            by_hand = written_by_hand(store.mapping, GOAL_CASES[0], place, _SHAREABLE)
            for one in (statement, by_hand):
                await driver.rows(one)
            times[2].append((await timed(partial(driver.rows, statement)))[1])
            rows, took_ms = await timed(partial(driver.rows, by_hand))
            times[3].append(took_ms)
            page = orjson.loads(answer)["data"]["assets"]
            nodes = page.get("nodes") or [edge["node"] for edge in page["edges"]]
            assert [node["id"] for node in nodes] == [_id(store, row["asset_id"]) for row in rows[:PAGE_SIZE]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
            place = Position((), (rows[PAGE_SIZE - 1]["asset_id"],), False)
    finally:
        await driver.close()
    return Answered(*(statistics.median(of[WARM_UP:]) for of in times))


def _id(store: SqlStore, key: str) -> str:
    return format_id("asset", store.region, key)


async def _post(app: Any, body: bytes) -> bytes:
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    headers = [(b"content-type", b"application/json"), (b"accept", b"application/graphql-response+json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return b"".join(parts)
