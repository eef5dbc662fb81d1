"""The same stores on real servers: PostgreSQL, MariaDB and MongoDB's protocol answer the truth as SQLite does."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import open_store
from adapters.mapping import load_mapping
from adapters.model import (
    And,
    Compare,
    In,
    Not,
    OrderTerm,
    PageRequest,
    Position,
    Store,
    StoreConflict,
    StoreUnavailable,
)
from contract.order import Direction
from subgraphs.sample_city.seeding import seed_mongo, seed_sql
from subgraphs.sample_city.truth import read_truth
from tests.adapters.oracle import check_counts, check_request


async def _check(store: Store, city: Path, region: str) -> None:
    await store.open()
    try:
        truth = list(read_truth(city, region))
        listed = {row.native: row for row in truth if row.outcome == "listed"}
        page = await store.page(PageRequest(None, (), 10_000))
        assert {row["native"] for row in page.rows} == set(listed)
        for row in page.rows:
            wanted = listed[row["native"]]
            assert wanted.row is not None
            assert {name: row[name] for name in wanted.row} == dict(wanted.row)
            assert [(issue["code"], issue["field"]) for issue in row["issues"]] == list(wanted.issues)
        rows = list(zip(page.rows, page.native_values, strict=True))
        idle = And((In("status", ("IDLE", "IN_STORE")), Not(Compare("originalValue", "lt", "500"))))
        order = (OrderTerm("name"), OrderTerm("originalValue", Direction.DESC))
        await check_request(store, rows, PageRequest(idle, order, 5))
        await check_request(store, rows, PageRequest(None, order, 5, backward=True))
        middle = await store.page(PageRequest(idle, order, 1))
        place = Position(middle.sort_values[0], middle.native_values[0], False)
        await check_request(store, rows, PageRequest(idle, order, 5, after=place))
        await check_counts(store, rows, idle)
        report = await store.quality()
        assert report.quarantined == sum(row.outcome == "quarantined" for row in truth)
    finally:
        await store.close()


@pytest.mark.parametrize("region", ["330100", "330113", "330105", "330114"])
async def test_postgresql(city: Path, postgres_database: str, region: str) -> None:
    await seed_sql(city, region, postgres_database)
    await _check(open_store(load_mapping(city / "mappings" / f"{region}.toml", postgres_database)), city, region)


@pytest.mark.parametrize("region", ["330102", "330182", "330106"])
async def test_mariadb(city: Path, mariadb_database: str, region: str) -> None:
    await seed_sql(city, region, mariadb_database)
    await _check(open_store(load_mapping(city / "mappings" / f"{region}.toml", mariadb_database)), city, region)


async def test_mongodb(city: Path, mongo_database: str, tmp_path: Path) -> None:
    await seed_mongo(city, "330108", mongo_database)
    store = open_store(load_mapping(city / "mappings" / "330108.toml", mongo_database), cache_dir=tmp_path)
    await _check(store, city, "330108")


async def test_a_custody_change_is_written_to_postgresql(city: Path, postgres_database: str) -> None:
    await seed_sql(city, "330100", postgres_database)
    store = open_store(load_mapping(city / "mappings" / "330100.toml", postgres_database))
    await store.open()
    try:
        row = (await store.page(PageRequest(None, (), 1))).rows[0]
        assert await store.write_status(row["native"], "LENT", row["version"]) is True
        changed = (await store.rows([row["native"]]))[row["native"]]
        assert (changed["status"], int(changed["version"])) == ("LENT", int(row["version"]) + 1)
        with pytest.raises(StoreConflict):
            await store.write_status(row["native"], "IDLE", row["version"])
    finally:
        await store.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://gwc:secret@127.0.0.1:1/x", "mysql://gwc:secret@127.0.0.1:1/x"],
)
async def test_a_refused_connection_shows_no_password(city: Path, url: str) -> None:
    store = open_store(load_mapping(city / "mappings" / "330100.toml", url))
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    assert "secret" not in str(caught.value)
    await store.close()
