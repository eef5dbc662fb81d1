"""Copies stores of a generated city into real database servers, for the city that runs as services.

SQL: a SQLite store is copied table by table, with the column types its vendor declared. MongoDB: 330108's cards become
the documents that district really keeps (see `document`). Both leave a mark of the city they copied, written last: a
second run finds it and changes nothing; without it, or with another city's, the store's tables are made anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    inspect,
    make_url,
    select,
)
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import TIMESTAMP

from subgraphs.sample_city.generate import CityError, CityManifest, city_manifest

__all__ = ["MARK", "document", "seed_mongo", "seed_sql"]

MARK = "sample_city_seed"
"""The table, or collection, that says which city was copied."""
_BATCH_ROWS = 1000
_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}
_SHANGHAI = timezone(timedelta(hours=8))


async def seed_sql(out: Path, region: str, url: str) -> bool:
    """Copy a region's SQLite store into the database `url`; False when this city's copy is there already.

    Raises `CityError` when the region's store is no SQL store.
    """
    manifest, path = _source(out, region)
    target = make_url(url)
    target = target.set(drivername=_DRIVERS.get(target.drivername, target.drivername))
    engine = create_async_engine(target)
    source = create_engine(f"sqlite:///{path}")
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_copy_all, source, region, manifest)
    finally:
        source.dispose()
        await engine.dispose()


def _source(out: Path, region: str) -> tuple[CityManifest, Path]:
    manifest = city_manifest(out)
    if manifest is None:
        raise CityError(f"{out} holds no complete sample city: generate it first")
    path = out / "stores" / f"{region}.sqlite"
    if not path.is_file():
        raise CityError(f"the store of {region} is no SQL store and cannot be copied into a database server")
    return manifest, path


def _copy_all(target: Connection, source: Engine, region: str, manifest: CityManifest) -> bool:
    mark = Table(
        MARK,
        MetaData(),
        Column("region", String(6), primary_key=True),
        Column("size", String(10), nullable=False),
        Column("seed", Integer, nullable=False),
        Column("format", Integer, nullable=False),
    )
    wanted = (region, manifest.size, manifest.seed, manifest.format)
    if inspect(target).has_table(MARK) and tuple(target.execute(select(mark)).one_or_none() or ()) == wanted:
        return False
    metadata = MetaData()
    with source.connect() as reader:
        metadata.reflect(reader)
        read_types = {table: [column.type for column in table.columns] for table in metadata.sorted_tables}
        mark.drop(target, checkfirst=True)
        _prepare(metadata, target.dialect.name)
        metadata.drop_all(target)
        metadata.create_all(target)
        for table, types in read_types.items():
            _copy_table(reader, target, table, types)
    mark.create(target)
    target.execute(mark.insert().values(wanted))
    return True


def _prepare(metadata: MetaData, dialect: str) -> None:
    """Say what reflection from SQLite cannot know of the target."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            column.autoincrement = False
            if dialect in ("mysql", "mariadb") and isinstance(column.type, TIMESTAMP):
                column.type = DateTime()  # MySQL's TIMESTAMP converts zones and ends in 2038
        if dialect in ("mysql", "mariadb"):
            table.dialect_kwargs["mysql_charset"] = "utf8mb4"


def _copy_table(reader: Connection, target: Connection, table: Table, types: Sequence[Any]) -> None:
    plain = Table(table.name, MetaData(), *(Column(c.name, kind) for c, kind in zip(table.columns, types, strict=True)))
    names = [column.name for column in plain.columns]
    rows = reader.execution_options(yield_per=_BATCH_ROWS).execute(select(plain))
    for batch in rows.partitions(_BATCH_ROWS):
        target.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in batch])


async def seed_mongo(out: Path, region: str, uri: str) -> bool:
    """Write the region's cards as documents into the database `uri` names; False when they are there already.

    Collections: `assets` (see `document`), `units` and `warehouses` (`_id` is the native key).
    """
    from motor.motor_asyncio import AsyncIOMotorClient

    manifest, path = _source(out, region)
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    try:
        database = client.get_default_database()
        mark = {"_id": region, "size": manifest.size, "seed": manifest.seed, "format": manifest.format}
        if await database[MARK].find_one({"_id": region}) == mark:
            return False
        await database.drop_collection(MARK)
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'asset'").fetchone():
                raise CityError(f"the store of {region} has no cards that could be written as documents")
            for name, documents in _collections(connection):
                await database.drop_collection(name)
                while batch := list(islice(documents, _BATCH_ROWS)):
                    await database[name].insert_many(batch)
        await database["assets"].create_index("assetNo", unique=True)
        await database[MARK].insert_one(mark)
    finally:
        client.close()
    return True


def _collections(connection: sqlite3.Connection) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    def rows(table: str) -> Iterator[sqlite3.Row]:
        return iter(connection.execute(f"SELECT * FROM {table}"))

    yield "units", (_present(_id=r["unit_id"], name=r["name"], uscc=r["uscc"]) for r in rows("unit"))
    yield (
        "warehouses",
        (
            _present(_id=r["warehouse_id"], name=r["name"], kind=r["kind"], address=r["address"])
            for r in rows("warehouse")
        ),
    )
    yield "assets", (document(row, index) for index, row in enumerate(rows("asset")))


def document(row: sqlite3.Row, index: int) -> dict[str, Any]:
    """One card as the district's application writes it.

    What the row has not, the document has not either. Numbers are strings where an older release wrote them (two
    documents of three hold some), dates are instants of local midnight or ISO text, by the same habit.
    """
    from bson import ObjectId

    as_text = index % 3
    native = row["asset_id"]
    at = datetime.fromisoformat(row["updated_at"]).replace(tzinfo=UTC)
    return _present(
        _id=ObjectId(blake2b(native.encode(), digest_size=12).digest()),
        assetNo=native,
        secrecy=row["secrecy"],
        tags=[tag for tag in (row["brand"], row["unit_of_measure"]) if tag],
        card=_present(
            code=row["code"],
            name=row["name"],
            classCode=row["class_code"],
            spec=row["specification"],
            brand=row["brand"],
            model=row["model"],
            sn=row["serial_number"],
            quantity=_number(row["quantity"], as_text == 1),
            unit=row["unit_of_measure"],
            acquiredOn=_day(row["acquired_on"], as_text == 2),
            acquisition=row["acquisition"],
            value=_present(
                original=_number(row["original_value"], as_text > 0, money=True),
                depreciation=_number(row["accumulated_depreciation"], as_text == 2, money=True),
                net=_number(row["net_value"], as_text > 0, money=True),
                type=row["value_type"],
            ),
            lifeMonths=_number(row["useful_life_months"], as_text == 2),
            massKg=_number(row["mass_kg"], as_text == 1),
        ),
        custody=_present(
            unitId=row["unit_id"],
            keeper=row["keeper"],
            user=row["user_name"],
            warehouseId=row["warehouse_id"],
            place=row["location"],
            source=row["source"],
            condition=row["item_condition"],
            status=row["status"],
        ),
        share=_present(ok=bool(row["shareable"]), until=_day(row["shareable_until"], as_text == 1)),
        photos=[{"path": f"/photos/{index}-{n}.jpg", "w": 1280, "h": 960} for n in range(index % 3)],
        movements=[
            {"at": at - timedelta(days=20 * (n + 1)), "kind": ("IN", "OUT")[n % 2], "by": row["keeper"]}
            for n in range(index % 4)
        ],
        rev=row["row_version"],
        updatedAt=at.astimezone(_SHANGHAI).isoformat() if as_text == 1 else at,
    )


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _number(value: float | None, as_text: bool, *, money: bool = False) -> float | int | str | None:
    if value is None:
        return None
    if as_text:
        return str(Decimal(repr(value)).quantize(Decimal("0.01"))) if money else f"{value:g}"
    return value


def _day(text: str | None, as_text: bool) -> datetime | str | None:
    if text is None or as_text:
        return text
    day = date.fromisoformat(text)
    return datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI)
