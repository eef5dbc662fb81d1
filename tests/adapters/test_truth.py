"""All fourteen stores answer the truth: row by row, field by field, issue by issue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters import open_store
from adapters.mapping import load_mapping
from adapters.model import PageRequest
from contract.regions import REGIONS
from subgraphs.sample_city.truth import read_truth

MAPPINGS = Path(__file__).parents[2] / "subgraphs" / "sample_city" / "mappings"


def test_there_is_one_mapping_a_region() -> None:
    assert sorted(path.stem for path in MAPPINGS.glob("*.toml")) == list(REGIONS)


@pytest.mark.parametrize("region", REGIONS)
async def test_the_store_equals_the_truth(city: Path, tmp_path: Path, region: str) -> None:
    store = open_store(load_mapping(city / "mappings" / f"{region}.toml"), cache_dir=tmp_path)
    await store.open()
    try:
        truth = list(read_truth(city, region))
        listed = {row.native: row for row in truth if row.outcome == "listed"}
        page = await store.page(PageRequest(None, (), 10_000))
        found = {row["native"]: row for row in page.rows}
        assert list(found) == sorted(found, key=_native_order(region))
        assert set(found) == set(listed)
        for native, wanted in listed.items():
            row = found[native]
            assert wanted.row is not None
            assert {name: row[name] for name in wanted.row} == dict(wanted.row), native
            assert [(issue["code"], issue["field"]) for issue in row["issues"]] == list(wanted.issues), native
        await _check_quarantine(store, truth)
        for kind in ("units", "warehouses"):
            wanted_list = json.loads((city / "truth" / f"{region}.{kind}.json").read_text())
            assert {row["native"]: row for row in await getattr(store, kind)()} == {
                row["native"]: row for row in wanted_list
            }
        await _check_secrecy(store, truth, listed)
        some = list(listed)[:7]
        by_key = await store.rows([*some, "no such key"])
        assert sorted(by_key) == sorted(some)
        for native, row in by_key.items():
            assert {**row, "observedAt": None} == {**found[native], "observedAt": None}
    finally:
        await store.close()


def _native_order(region: str):  # type: ignore[no-untyped-def]
    if region in ("330106", "330109", "330110"):
        return int
    if region == "330122":
        return lambda native: tuple(native.split("/"))
    return lambda native: native


async def _check_quarantine(store, truth) -> None:  # type: ignore[no-untyped-def]
    wanted = sorted(sorted(row.issues, key=str) for row in truth if row.outcome == "quarantined")
    rows = await store.quarantine(1000, None)
    found = sorted(
        sorted(((issue["code"], issue["field"]) for issue in row.issues if issue["blocking"]), key=str) for row in rows
    )
    assert found == wanted
    walked, after = [], None
    while part := await store.quarantine(2, after):
        walked += part
        after = part[-1].native
    assert [row.raw for row in walked] == [row.raw for row in rows]
    report = await store.quality()
    assert (report.listed, report.quarantined) == (sum(row.outcome == "listed" for row in truth), len(wanted))
    assert report.rows == report.listed + report.quarantined


async def _check_secrecy(store, truth, listed) -> None:  # type: ignore[no-untyped-def]
    """A secret row's key answers as an unknown one, unless an open row has it too."""
    secret = [row for row in truth if row.outcome in ("secret", "ignored")]
    keys = [row.native for row in secret if row.native and row.native not in listed]
    assert await store.rows(keys) == {}
    shown = str([dict(row.raw) for row in await store.quarantine(1000, None)])
    for row in secret:
        if row.outcome == "secret" and row.native and row.native not in listed and len(row.native) > 4:
            assert row.native not in shown
