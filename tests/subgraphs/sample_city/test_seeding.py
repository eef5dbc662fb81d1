"""Stores copied into real servers hold what the truth says, in the types their vendors declared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from contract.decimals import format_money
from subgraphs.sample_city.generate import CityError, generate_city
from subgraphs.sample_city.seeding import MARK, seed_mongo, seed_sql
from subgraphs.sample_city.truth import read_summary, read_truth


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://").replace("mysql://", "mysql+asyncmy://")
    )
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def _one(url: str, statement: str) -> Any:
    async with _connected(url) as connection:
        return (await connection.execute(text(statement))).one()


async def test_the_reference_schema_in_postgresql(small_city: Path, postgres_database: str) -> None:
    assert await seed_sql(small_city, "330100", postgres_database) is True
    expected = read_summary(small_city)["regions"]["330100"]
    count, total = await _one(
        postgres_database, "SELECT COUNT(*), SUM(original_value) FROM asset WHERE secrecy IN ('NONE', 'INTERNAL')"
    )
    assert (count, format_money(total)) == (expected["listed"], expected["originalValue"])
    kind = await _one(
        postgres_database,
        "SELECT data_type FROM information_schema.columns WHERE table_name = 'asset' AND column_name = 'acquired_on'",
    )
    assert kind[0] == "date"


async def test_seeding_again_changes_nothing_and_another_city_replaces_it(
    small_city: Path, postgres_database: str, tmp_path: Path
) -> None:
    await seed_sql(small_city, "330113", postgres_database)
    async with _connected(postgres_database) as connection:
        await connection.execute(text("UPDATE asset SET location = 'changed since'"))
    assert await seed_sql(small_city, "330113", postgres_database) is False
    assert (await _one(postgres_database, "SELECT MIN(location) FROM asset"))[0] == "changed since"

    generate_city(tmp_path / "other", "small", 3, lambda line: None)
    assert await seed_sql(tmp_path / "other", "330113", postgres_database) is True
    expected = read_summary(tmp_path / "other")["regions"]["330113"]
    count, fen = await _one(
        postgres_database,
        "SELECT COUNT(*), SUM(original_value_fen) FROM asset"
        " WHERE secrecy IN ('NONE', 'INTERNAL') AND stock_kind = 'GENERAL'",
    )
    assert (count, format_money(Decimal(fen) / 100)) == (expected["listed"], expected["originalValue"])


async def test_a_copy_that_was_interrupted_is_made_anew(small_city: Path, mariadb_database: str) -> None:
    await seed_sql(small_city, "330182", mariadb_database)
    async with _connected(mariadb_database) as connection:
        await connection.execute(text("DELETE FROM asset"))
        await connection.execute(text(f"DROP TABLE {MARK}"))
    assert await seed_sql(small_city, "330182", mariadb_database) is True
    expected = read_summary(small_city)["regions"]["330182"]
    count, total = await _one(
        mariadb_database, "SELECT COUNT(*), SUM(original_value) FROM asset WHERE secrecy IN ('NONE', 'INTERNAL')"
    )
    assert (count, format_money(total)) == (expected["listed"], expected["originalValue"])


async def test_pinyin_rows_in_mariadb_keep_epochs_empty_keys_and_mojibake(
    small_city: Path, mariadb_database: str
) -> None:
    await seed_sql(small_city, "330102", mariadb_database)
    zero, blank = await _one(
        mariadb_database,
        "SELECT SUM(cgsj = 0), SUM(zcbh IS NULL OR TRIM(zcbh) = '') FROM bgszichan WHERE mj IN (0, 1)",
    )
    issues = read_summary(small_city)["regions"]["330102"]["issues"]
    assert (zero, blank) == (issues["ZERO_DATE/acquiredOn"], issues["EMPTY_KEY/"])


@pytest.mark.parametrize("region", ["330105", "330106", "330109", "330114", "330122"])
async def test_every_sql_store_can_be_copied_into_both_servers(
    region: str, small_city: Path, postgres_database: str, mariadb_database: str
) -> None:
    assert await seed_sql(small_city, region, postgres_database)
    assert await seed_sql(small_city, region, mariadb_database)


async def test_a_store_that_is_no_database_is_refused(small_city: Path, tmp_path: Path) -> None:
    with pytest.raises(CityError, match="no SQL store"):
        await seed_sql(small_city, "330112", "postgresql://127.0.0.1:1/none")
    with pytest.raises(CityError, match="no complete sample city"):
        await seed_sql(tmp_path, "330100", "postgresql://127.0.0.1:1/none")


async def test_documents_in_mongodb(small_city: Path, mongo_database: str) -> None:
    from motor.motor_asyncio import AsyncIOMotorClient

    assert await seed_mongo(small_city, "330108", mongo_database) is True
    assert await seed_mongo(small_city, "330108", mongo_database) is False
    truth = {row.native: row for row in read_truth(small_city, "330108")}
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_database, tz_aware=True)
    try:
        documents = await client.get_default_database()["assets"].find({}).to_list(None)
        units = await client.get_default_database()["units"].count_documents({})
    finally:
        client.close()
    assert {document["assetNo"] for document in documents} == set(truth)
    assert units == 12
    total, kinds = Decimal(0), set()
    for document in documents:
        row = truth[document["assetNo"]].row
        assert ("name" in document["card"]) == (truth[document["assetNo"]].name is not None)
        if row is None:
            continue
        value = document["card"]["value"]["original"]
        kinds.add(type(value))
        total += Decimal(str(value))
        assert Decimal(str(document["card"]["quantity"])) == Decimal(row["quantity"])
        day = document["card"].get("acquiredOn")
        if isinstance(day, datetime):
            day = (day.astimezone(UTC) + timedelta(hours=8)).date().isoformat()
        assert day == row["acquiredOn"]
    assert {str, float} <= kinds
    assert format_money(total) == read_summary(small_city)["regions"]["330108"]["originalValue"]
