"""Copies stores of a generated city into real database servers, for the city that runs as services.

SQL: a SQLite store is copied table by table, with the column types its vendor declared. MongoDB: 330108's exported
documents are put back where they came from. Both leave a mark of the city they copied, written last: a
second run finds it and changes nothing; without it, or with another city's, the store's tables are made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from subgraphs.sample_city.shapes.documents import COLLECTIONS

__all__ = ["MARK", "seed_mongo", "seed_sql"]

MARK = "sample_city_seed"
"""The table, or collection, that says which city was copied."""
_BATCH_ROWS = 1000
_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}


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


def _manifest(out: Path) -> CityManifest:
    manifest = city_manifest(out)
    if manifest is None:
        raise CityError(f"{out} holds no complete sample city: generate it first")
    return manifest


def _source(out: Path, region: str) -> tuple[CityManifest, Path]:
    manifest = _manifest(out)
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
    """Write the region's documents into the database `uri` names; False when they are there already.

    Collections: `assets` (see `shapes.documents`), `units` and `warehouses` (`_id` is the native key).
    """
    from bson import json_util
    from motor.motor_asyncio import AsyncIOMotorClient

    manifest, folder = _manifest(out), out / "stores" / region
    if not all((folder / f"{name}.jsonl").is_file() for name in COLLECTIONS):
        raise CityError(f"the store of {region} has no documents")
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    try:
        database = client.get_default_database()
        mark = {"_id": region, "size": manifest.size, "seed": manifest.seed, "format": manifest.format}
        if await database[MARK].find_one({"_id": region}) == mark:
            return False
        await database.drop_collection(MARK)
        for name in COLLECTIONS:
            await database.drop_collection(name)
            with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
                while batch := [json_util.loads(line) for line in islice(lines, _BATCH_ROWS)]:
                    await database[name].insert_many(batch)
        await database["assets"].create_index("assetNo", unique=True)
        await database[MARK].insert_one(mark)
    finally:
        client.close()
    return True
