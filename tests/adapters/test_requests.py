"""Any filter, order and page on any kind of store equals the same on canonical rows in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import open_store
from adapters.mapping import load_mapping
from adapters.model import OrderTerm, PageRequest, Position, Store
from adapters.sql import SqlStore
from contract.order import Direction
from tests.adapters.oracle import Keyed, check_counts, check_request, filters, requests

REGIONS = ("330100", "330106", "330109", "330111", "330112", "330114", "330122")
"""Typed columns, joined, 万元 with bad values, workbook, CSV, amounts kept as text, composite key."""


class Opened:
    """A store with its rows, on a loop of its own, for hypothesis to ask many times."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.store: Store = open_store(load_mapping(path), cache_dir=cache)
        self.run(self.store.open())
        page = self.run(self.store.page(PageRequest(None, (), 10_000)))
        self.rows: list[Keyed] = list(zip(page.rows, page.native_values, strict=True))

    def run(self, work):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(work)


@pytest.fixture(scope="module", params=REGIONS)
def opened(request: pytest.FixtureRequest, city: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    found = Opened(city / "mappings" / f"{request.param}.toml", tmp_path_factory.mktemp("index"))
    yield found
    found.run(found.store.close())
    found.loop.run_until_complete(found.loop.shutdown_default_executor())
    found.loop.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_pages_equal_the_oracle(opened: Opened, data: st.DataObject) -> None:
    opened.run(check_request(opened.store, opened.rows, data.draw(requests(opened.rows))))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_counts_and_groups_equal_the_oracle(opened: Opened, data: st.DataObject) -> None:
    opened.run(check_counts(opened.store, opened.rows, data.draw(st.one_of(st.none(), filters(opened.rows)))))


@pytest.mark.parametrize("direction", list(Direction))
def test_a_walk_gives_every_row_once(opened: Opened, direction: Direction) -> None:
    order = (OrderTerm("status", direction), OrderTerm("originalValue"))
    seen: list[str] = []
    after: Position | None = None
    more = True
    while more:
        page = opened.run(opened.store.page(PageRequest(None, order, 7, after=after)))
        seen += [row["native"] for row in page.rows]
        after = Position(page.sort_values[-1], page.native_values[-1], False)
        more = page.has_more
    assert len(seen) == len(set(seen)) == len(opened.rows)


def test_a_live_store_is_asked_in_sql(opened: Opened) -> None:
    """Bad rows, keys that are double and a composite key do not keep a store from ordering its rows itself."""
    if not isinstance(opened.store, SqlStore):
        return
    request = PageRequest(None, (OrderTerm("originalValue", Direction.DESC),), 50)
    explained = opened.run(opened.store.explain(request))
    kept_as_text = opened.store.region == "330114"
    assert explained.order == ("adapter" if kept_as_text else "store"), explained.reasons
