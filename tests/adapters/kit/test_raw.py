"""Rows as they stand beside their mapping: the first few, never a secret one."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kit.raw import first_rows
from adapters.mapping import load_mapping
from subgraphs.sample_city.truth import read_truth


@pytest.mark.parametrize("region", ["330102", "330108", "330109", "330110", "330111", "330112", "330105"])
async def test_all_open_rows_and_no_other_are_shown(city: Path, region: str) -> None:
    rows = await first_rows(load_mapping(city / "mappings" / f"{region}.toml"), 10_000)
    truth = list(read_truth(city, region))
    listed = {row.native for row in truth if row.outcome == "listed"}
    shown = [row.row["native"] for row in rows if row.is_listed and row.row]
    # What only all rows together show (a key that is there twice) is not judged here.
    assert listed <= set(shown)
    assert len(rows) == sum(row.outcome in ("listed", "quarantined") for row in truth)


async def test_reading_stops_at_the_limit(city: Path) -> None:
    rows = await first_rows(load_mapping(city / "mappings" / "330102.toml"), 3)
    assert len(rows) == 3
    assert all(row.row is not None and row.raw["zcbh"] == row.row["native"] for row in rows)
