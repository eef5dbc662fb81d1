"""One pass of a change feed: what has changed at the store, applied to the index in one transaction.

    updated_at   rows changed since just before the last pass; every `key_scan` all keys and times too
    version      all keys and versions
    digest       sums of row digests in 4,096 buckets of keys; keys and digests of the buckets that differ

A scan of keys and marks is compared with the index's own: what is new, what has another mark and what is gone is
changed, and is read again by its key. The passes are safe to repeat, and what a pass reports too often is only read again.

**No row is lost between two passes by `updated_at`.** The last pass began at `t`. A row that it did not see was committed
after `t` and bears a time of at least `t - overlap`, if clocks differ and commits lag by no more than that together. The
pass reads every row whose time is at least that of the newest row known that is not after `t - overlap`: all of those,
the rows of one and the same time among them. A time in the future moves nothing, for it is after `t - overlap`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from adapters.index.build import fed_state
from adapters.index.source import ChangeFeed, SourceStamp
from adapters.index.update import IndexUpdate
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import RowMapper
from adapters.mapping.model import FeedSettings, Mapping

__all__ = ["ChangePass"]

_BATCH = 50
"""Keys in one statement."""
_BUCKETS_MAX = 256
"""Where more of them differ, all keys and digests are read: a statement is to bear their names."""


class ChangePass:
    def __init__(self, mapping: Mapping, settings: FeedSettings, path: Path) -> None:
        self._mapping, self._settings, self._path = mapping, settings, path
        self._update: IndexUpdate | None = None
        self._unwanted = False

    def stop(self) -> None:
        self._unwanted = True
        if self._update is not None:
            self._update.stop()

    async def run(
        self, feed: ChangeFeed, side: SideTables, stamp: SourceStamp, fed_at: datetime, scanned_at: datetime
    ) -> None:
        """`fed_at`, `scanned_at`: when the last pass, and the last one that scanned the keys, began."""
        began = datetime.now(UTC)
        update = self._update = await asyncio.to_thread(IndexUpdate, self._path, RowMapper(self._mapping, side))
        try:
            if self._unwanted:
                update.stop()
            if self._settings.by == "updated_at":
                await self._recent(feed, update, fed_at)
            if self._is_scan_due(began, scanned_at):
                scanned_at = began
                await self._scan(feed, update)
            await asyncio.to_thread(update.begin)
            await self._apply(feed, update)
            await asyncio.to_thread(update.commit, stamp, fed_state(began, scanned_at, side))
        finally:
            await asyncio.to_thread(update.close)
            self._update = None

    def _is_scan_due(self, now: datetime, scanned_at: datetime) -> bool:
        return self._settings.by != "updated_at" or (now - scanned_at).total_seconds() >= self._settings.key_scan_s

    async def _recent(self, feed: ChangeFeed, update: IndexUpdate, fed_at: datetime) -> None:
        column = self._mapping.columns.index(self._mapping.fields["updatedAt"].columns[0])
        until = _instant(fed_at.timestamp() - self._settings.overlap_s - 1)  # canonical times are whole seconds
        since = await asyncio.to_thread(update.latest, until, column)
        async for idents in feed.recent(since):
            await asyncio.to_thread(update.changed, idents)

    async def _scan(self, feed: ChangeFeed, update: IndexUpdate) -> None:
        buckets: list[str] | None = None
        if self._settings.by == "digest":
            theirs, ours = await feed.buckets(), await asyncio.to_thread(update.bucket_sums)
            buckets = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
            if not buckets:
                return
            if len(buckets) > _BUCKETS_MAX:
                buckets = None
        async for rows in feed.scan(buckets):
            await asyncio.to_thread(update.scanned, rows)
        await asyncio.to_thread(update.compare_scan, buckets)

    async def _apply(self, feed: ChangeFeed, update: IndexUpdate) -> None:
        batches = update.batches(_BATCH)
        next_batch: Callable[[], list[str] | None] = lambda: next(batches, None)  # noqa: E731
        while idents := await asyncio.to_thread(next_batch):
            await asyncio.to_thread(update.replace, idents, await feed.fetch(idents))
        await asyncio.to_thread(update.replace_unkeyed)
        async for rows in feed.unkeyed():
            await asyncio.to_thread(update.add_unkeyed, rows)


def _instant(seconds: float) -> str:
    """As canonical times are written."""
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
