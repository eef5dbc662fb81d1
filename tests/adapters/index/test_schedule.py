"""The source is looked at when the mapping says so, and at no other time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from adapters.guest import STORE_CLOSED, Gate
from adapters.index import IndexedStore
from adapters.mapping.toml import MappingError
from adapters.model import StoreUnavailable
from adapters.status import HealthState
from tests.adapters.support import ALL, HandSource, mapping_of

ROWS = 20


async def test_outside_the_hours_the_last_index_answers(tmp_path: Path) -> None:
    mapping = mapping_of(
        tmp_path, store={"mode": "indexed"}, index={"refresh": "30d"}, guest={"hours": ["22:00-06:00"]}
    )
    moment = datetime(2026, 1, 1, 23, 0)
    gate = Gate(mapping.store.guest, now=lambda: moment)
    source = HandSource(ROWS)
    store = IndexedStore(mapping, source, tmp_path / "cache", gate=gate)
    await store.open()
    try:
        await store.refresh()
        source.token = "2"
        moment = datetime(2026, 1, 2, 12, 0)
        await store.refresh()
        assert {row["name"] for row in (await store.page(ALL)).rows} == {"办公桌 1"}
        assert ((await store.health()).state, source.loads) == (HealthState.OK, 1)
        moment = datetime(2026, 1, 2, 22, 0)
        await store.refresh()
        assert {row["name"] for row in (await store.page(ALL)).rows} == {"办公桌 2"}
    finally:
        await store.close()


async def test_without_an_index_nothing_is_read_outside_the_hours(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, store={"mode": "indexed"}, guest={"hours": ["22:00-06:00"]})
    source = HandSource(ROWS)
    gate = Gate(mapping.store.guest, now=lambda: datetime(2026, 1, 1, 12, 0))
    with pytest.raises(StoreUnavailable) as refused:
        await IndexedStore(mapping, source, tmp_path / "cache", gate=gate).open()
    assert (refused.value.code, source.loads) == (STORE_CLOSED, 0)


async def test_health_tells_what_the_index_holds(tmp_path: Path) -> None:
    store = IndexedStore(mapping_of(tmp_path, store={"mode": "indexed"}), HandSource(ROWS), tmp_path / "cache")
    await store.open()
    try:
        health = await store.health()
        assert health.rows == ROWS
        assert health.build_s is not None
        assert health.build_s > 0
        assert health.last_good_load is not None
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("refresh", "message"),
    [
        ("15", "index.refresh: '15' is no span of time up to 30d → such as 30s, 15m, 6h, 1d"),
        ("31d", "index.refresh: '31d' is no span of time up to 30d → such as 30s, 15m, 6h, 1d"),
    ],
)
def test_spans_of_time(tmp_path: Path, refresh: str, message: str) -> None:
    with pytest.raises(MappingError) as refused:
        mapping_of(tmp_path, store={"mode": "indexed"}, index={"refresh": refresh})
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("feed", "more", "message"),
    [
        ({"by": "updated_at"}, {}, "feed.by: no one column is mapped to updatedAt → map fields.updatedAt"),
        (
            {"by": "version", "overlap": "5m"},
            {"fields": {"version": "bb"}},
            'feed.overlap: it is for by = "updated_at" → remove it',
        ),
        (
            {"by": "version"},
            {"fields": {"version": "bb"}, "source": {"joins": [{"table": "t", "on": {"id": "t_id"}}]}},
            'feed.by: a change of a joined row does not show in the asset\'s own → write by = "digest"',
        ),
    ],
)
def test_feeds_that_could_miss_a_change(
    tmp_path: Path, feed: dict[str, str], more: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(MappingError) as refused:
        mapping_of(tmp_path, store={"mode": "indexed"}, feed=feed, **more)
    assert str(refused.value) == message
