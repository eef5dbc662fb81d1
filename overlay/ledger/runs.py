"""Reconciliation runs as they are shown: the latest or a named one, for the regions that somebody may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, select

from overlay.store.database import Database
from overlay.store.tables import ledger_differences, ledger_runs

__all__ = ["find_run", "read_differences"]

_SUMMED = ("assets", "compared", "matched", "underWay")


async def find_run(database: Database, run_id: str | None, regions: Collection[str] | None) -> dict[str, Any] | None:
    """`regions`: None shows all. Without an id: the last one that has ended, else the one that is running."""
    table = ledger_runs
    query = select(table).order_by((table.c.state == "DONE").desc(), table.c.seq.desc()).limit(1)
    if run_id is not None:
        query = query.where(table.c.id == run_id)
    async with database.read() as connection:
        row = (await connection.execute(query)).mappings().first()
    return None if row is None else _shown(row, regions)


async def read_differences(
    database: Database,
    run_id: str,
    regions: Collection[str] | None,
    codes: Collection[str] | None,
    after: int,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    table = ledger_differences
    query = select(table).where(table.c.run_id == run_id, table.c.seq > after)
    if regions is not None:
        query = query.where(table.c.region.in_(regions))
    if codes is not None:
        query = query.where(table.c.code.in_(codes))
    async with database.read() as connection:
        rows = (await connection.execute(query.order_by(table.c.seq).limit(limit))).mappings().all()
    return [_difference(row) for row in rows]


def _shown(row: RowMapping, regions: Collection[str] | None) -> dict[str, Any]:
    figures = {region: one for region, one in row["figures"].items() if regions is None or region in regions}
    counts: Counter[str] = Counter()
    for one in figures.values():
        counts.update(one["codes"])
    ended = row["state"] == "DONE"
    assets, compared, matched, under_way = (
        sum(one[name] for one in figures.values()) if ended else None for name in _SUMMED
    )
    return {
        **{name: row[name] for name in ("id", "state", "started_at", "finished_at")},
        "assets": assets,
        "compared": compared,
        "matched": matched,
        "under_way": under_way,
        "regions_missing": sorted(region for region, one in figures.items() if one["missing"]),
        "counts": [{"code": code, "count": count} for code, count in sorted(counts.items())],
        "regions": regions,
    }


def _difference(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("seq", "code", "asset_id", "in_ledger", "in_store")},
        "region_code": row["region"],
        "asset": None if row["asset_id"] is None else {"id": row["asset_id"]},
    }
