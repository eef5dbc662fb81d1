"""What standing queries have found, in the store: watches, what each one knows, and the log of its matches.

A watch is one view seen with one sight, whoever and how many follow it. It knows the assets that matched when it was
last evaluated, region by region. What is found of a region that the watch has seen before is new, and goes into the
log; the first answer of a region is where its watching begins, and no news. A region that does not answer keeps what
is known of it: its silence is no disappearance, its return no news.

The log is what subscribers read, each from their own place in it, so a slow one costs nobody anything and holds
nothing in memory. It is cut to `LOG_MAX` entries a watch; whoever is behind the cut is told of a gap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.group.views import Seen
from overlay.store.tables import warehouse_matches, warehouse_watches, watched_assets
from overlay.warehouses.rules import Filter
from overlay.warehouses.sight import sight_from_json, sight_to_json
from overlay.warehouses.views import ViewId

__all__ = [
    "BATCH_MAX",
    "Match",
    "MatchBatch",
    "Watch",
    "cursor_of",
    "forget",
    "last_places",
    "learn",
    "next_batch",
    "place_in",
    "read_cursor",
    "rule_hash",
    "watch_id",
    "watch_of",
    "watch_values",
    "without_news",
    "write_under",
]

BATCH_MAX = 100
"""Matches in one event: the gateway joins their assets in one go."""
BACKLOG_MAX = 1_000
"""A subscriber further behind than this misses the oldest, and is told so."""
LOG_MAX = 10_000
_ROWS_AT_ONCE = 500
_BEFORE_ALL = -1


@dataclass(frozen=True, slots=True)
class Match:
    seq: int
    asset_id: str
    at: str


@dataclass(frozen=True, slots=True)
class MatchBatch:
    cursor: str
    place: int
    """What the cursor says, for whoever goes on at once."""
    gap: bool
    matches: tuple[Match, ...]
    silent: tuple[str, ...]
    """The regions that did not answer last time: what comes to match there is told when they do."""


@dataclass(frozen=True, slots=True)
class Watch:
    id: str
    view: ViewId
    sight: Identity
    rule_hash: str | None
    regions: frozenset[str]
    """Those that have answered once since the rule is what it is."""
    epoch: str
    """Another one when a watch was forgotten and made again: its log lacks what came in between."""
    floor_seq: int
    """The log is whole after this place."""
    silent: tuple[str, ...]
    """The regions that did not answer when it was last evaluated."""


def watch_of(row: Any) -> Watch:
    days = (date.fromisoformat(row.from_day), date.fromisoformat(row.to_day)) if row.from_day else None
    return Watch(
        id=row.id,
        view=ViewId(row.warehouse_id, days),
        sight=sight_from_json(row.sight),
        rule_hash=row.rule_hash,
        regions=frozenset(row.regions),
        epoch=row.epoch,
        floor_seq=row.floor_seq,
        silent=tuple(row.silent),
    )


def watch_values(view: ViewId, sight: Identity) -> dict[str, Any]:
    """The columns that say what is watched."""
    first, after = (None, None) if view.window is None else (day.isoformat() for day in view.window)
    return {
        "id": watch_id(view, sight),
        "warehouse_id": view.warehouse_id,
        "from_day": first,
        "to_day": after,
        "sight": sight_to_json(sight),
    }


def watch_id(view: ViewId, sight: Identity) -> str:
    material = [view.warehouse_id, view.window, sight_to_json(sight)]
    return hashlib.sha256(orjson.dumps(material, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def rule_hash(filter_: Filter) -> str:
    return hashlib.sha256(orjson.dumps(filter_, option=orjson.OPT_SORT_KEYS)).hexdigest()


# --- learning -----------------------------------------------------------------------------------------------------


async def learn(
    connection: AsyncConnection, watch: Watch, rule: str, seen: Seen, at: str
) -> tuple[list[str], dict[str, Any]]:
    """Bring what a watch knows to what was seen: (the assets that are news, the watch's new columns).

    A changed rule starts anew: what it finds at first is no news. The caller holds the watch's row.
    """
    anew = rule != watch.rule_hash
    if anew:
        await connection.execute(delete(watched_assets).where(watched_assets.c.watch_id == watch.id))
    query = select(watched_assets.c.asset_id).where(watched_assets.c.watch_id == watch.id)
    known = set((await connection.execute(query)).scalars())
    begun = frozenset() if anew else watch.regions
    found = {one for one in seen.assets if _region(one) in seen.regions}
    new = sorted(found - known)
    gone = sorted(one for one in known - found if _region(one) in seen.regions)
    news = [one for one in new if _region(one) in begun]
    for part in _parts(gone):
        mine = watched_assets.c.watch_id == watch.id
        await connection.execute(delete(watched_assets).where(mine, watched_assets.c.asset_id.in_(part)))
    for part in _parts(new):
        rows = [{"watch_id": watch.id, "asset_id": one} for one in part]
        await connection.execute(insert(watched_assets), rows)
    for part in _parts(news):
        entries = [{"watch_id": watch.id, "asset_id": one, "at": at} for one in part]
        await connection.execute(insert(warehouse_matches), entries)
    floor = await _cut(connection, watch) if news else watch.floor_seq
    regions = {"regions": sorted(begun | seen.regions), "silent": sorted(seen.silent)}
    return news, {"rule_hash": rule, "floor_seq": floor, **regions}


async def _cut(connection: AsyncConnection, watch: Watch) -> int:
    """Drop the log's oldest entries beyond `LOG_MAX`; the place after which it is whole."""
    log = warehouse_matches
    mine = log.c.watch_id == watch.id
    query = select(log.c.seq).where(mine).order_by(log.c.seq.desc()).limit(1).offset(LOG_MAX)
    last = (await connection.execute(query)).scalar()
    if last is None:
        return watch.floor_seq
    await connection.execute(delete(log).where(mine, log.c.seq <= last))
    return int(last)


async def forget(connection: AsyncConnection, unwanted_since: str) -> None:
    """Drop watches that nobody has wanted since then, with all they know."""
    idle = select(warehouse_watches.c.id).where(warehouse_watches.c.wanted_until < unwanted_since)
    ids = list((await connection.execute(idle)).scalars())
    for table, column in (
        (watched_assets, watched_assets.c.watch_id),
        (warehouse_matches, warehouse_matches.c.watch_id),
        (warehouse_watches, warehouse_watches.c.id),
    ):
        for part in _parts(ids):
            await connection.execute(delete(table).where(column.in_(part)))


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[at : at + _ROWS_AT_ONCE] for at in range(0, len(items), _ROWS_AT_ONCE))


def _region(asset_id: str) -> str:
    return asset_id.split(":", 2)[1]


# --- reading the log ----------------------------------------------------------------------------------------------


async def last_places(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """The place of each watch's last match; watches without any are absent."""
    log = warehouse_matches
    query = select(log.c.watch_id, func.max(log.c.seq)).where(log.c.watch_id.in_(ids)).group_by(log.c.watch_id)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def next_batch(connection: AsyncConnection, watch: Watch, place: int) -> MatchBatch | None:
    """What follows after a place; None where nothing does."""
    log = warehouse_matches
    mine = log.c.watch_id == watch.id
    gap = place < watch.floor_seq
    behind = select(log.c.seq).where(mine, log.c.seq > place).order_by(log.c.seq.desc()).limit(1).offset(BACKLOG_MAX)
    left_out = (await connection.execute(behind)).scalar()
    if left_out is not None:
        place, gap = left_out, True
    query = select(log).where(mine, log.c.seq > place).order_by(log.c.seq).limit(BATCH_MAX)
    found = tuple(Match(row.seq, row.asset_id, row.at) for row in await connection.execute(query))
    if not found and not gap:
        return None
    place = found[-1].seq if found else max(place, watch.floor_seq)
    return MatchBatch(cursor_of(watch, place), place, gap, found, watch.silent)


def without_news(watch: Watch, place: int) -> MatchBatch:
    """Where a subscriber stands, and who is silent."""
    return MatchBatch(cursor_of(watch, place), place, False, (), watch.silent)


def cursor_of(watch: Watch, place: int) -> str:
    return base64.urlsafe_b64encode(f"match:{watch.id}:{watch.epoch}:{place}".encode()).decode()


def read_cursor(watch: str, cursor: str) -> tuple[str, int] | None:
    """(epoch, place) of a cursor into this watch's log; None for a cursor that is none of it."""
    try:
        kind, of, epoch, place = base64.urlsafe_b64decode(cursor[:128]).decode().split(":")
        return (epoch, int(place)) if (kind, of) == ("match", watch) else None
    except (ValueError, binascii.Error):
        return None


def place_in(watch: Watch, epoch: str, place: int) -> int:
    """Where to go on: a place of another epoch lies before all that the log has."""
    return place if epoch == watch.epoch else _BEFORE_ALL


async def write_under(connection: AsyncConnection, watch: str, lease: str, values: dict[str, Any]) -> bool:
    """Write a watch's columns if this lease still stands; its row is then held to the transaction's end."""
    table = warehouse_watches
    mine = update(table).where(table.c.id == watch, table.c.lease == lease)
    return bool((await connection.execute(mine.values(**values))).rowcount)
