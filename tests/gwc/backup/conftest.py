"""A city's own stores with something in each: orders over the fake city, and a custody book that has acted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from gwc.backup.stores import all_stores, engine_of
from gwc.keys import ensure_keys
from gwc.settings import Settings
from overlay.orders.model import Command
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import AssetFacts, PlaceHold
from tests.overlay.city import KEEPER, City, ManualClock
from tests.overlay.conftest import opened_desk
from tests.services import Server, postgres_execute, run_apart

REGION = "330106"
Rows = dict[str, dict[str, list[tuple[object, ...]]]]


@dataclass(frozen=True)
class Place:
    """Where a city may stand."""

    settings: Settings

    def fill(self, native: str = "a") -> None:
        """Each time with assets of its own, which begin with these letters."""
        ensure_keys(self.settings.keys)
        self.settings.state.mkdir(parents=True, exist_ok=True)
        asyncio.run(_fill(self.settings, native))

    def rows(self) -> Rows:
        """Every row of every store that is there."""
        return asyncio.run(_rows(self.settings))


NewPlace = Callable[[str], Place]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    def make(name: str) -> Place:
        if request.param == "sqlite":
            return Place(Settings(data_dir=tmp_path / name))
        server: Server = request.getfixturevalue("postgres_server")
        database = f"gwc_backup_{name}_{tmp_path.name}".lower().replace("-", "_")[:60]
        run_apart(postgres_execute(server.url, f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
        run_apart(postgres_execute(server.url, f'CREATE DATABASE "{database}"'))
        url = server.with_database(database)
        return Place(Settings(data_dir=tmp_path / name, overlay_url=url, custody_url=url))

    return make


async def _fill(settings: Settings, native: str) -> None:
    clock = ManualClock()
    city = City(clock)
    asset, other = city.add_asset(f"{native}1"), city.add_asset(f"{native}2")
    overlay, *books = all_stores(settings)
    async with opened_desk(overlay.url, city, clock) as desk:
        order_id = (await desk.apply(asset)).order_id
        await desk.approve_all(order_id)
        await desk.give(KEEPER, Command.DISPATCH, order_id)
        city.faults.append("lost_after")
        await desk.apply(other)
    url = next(book.url for book in books if book.name in ("custody", f"custody-{REGION}"))
    book = CustodyBook(url, REGION, clock)
    await book.open()
    hold = PlaceHold(
        key=native,
        asset=native,
        order_id="order:1",
        from_day="2026-12-02",
        to_day="2026-12-09",
        quantity=Decimal(1),
        life_s=60,
    )
    await book.place(hold, AssetFacts(Decimal(1), "1", "IN_STORE", True, None), date(2026, 12, 1))
    await book.close()


async def _rows(settings: Settings) -> Rows:
    found: Rows = {}
    for store in all_stores(settings):
        engine = engine_of(store.url)
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
            continue
        async with engine.connect() as connection:
            if await connection.run_sync(store.migrations.revision) is not None:
                found[store.name] = {
                    table.name: [
                        tuple(row)
                        for row in await connection.execute(sa.select(table).order_by(*table.primary_key.columns))
                    ]
                    for table in store.metadata.sorted_tables
                }
        await engine.dispose()
    return found
