"""The stores that a city keeps of its own, by the settings: the overlay's, and the custody books beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contract.regions import REGIONS
from gwc.errors import CommandError
from gwc.parts.common import state_url
from gwc.settings import Settings
from overlay.store.database import MIGRATIONS
from subgraphs.district.custody import database as custody
from subgraphs.kit.migrations import Migrations

__all__ = ["OVERLAY", "Store", "all_stores", "engine_of", "sqlite_file"]

OVERLAY = "overlay"
_POSTGRESQL = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Store:
    name: str
    """Of its folder in a backup."""
    url: str
    migrations: Migrations

    @property
    def metadata(self) -> MetaData:
        return self.migrations.metadata


def all_stores(settings: Settings) -> list[Store]:
    """The overlay's first. Of books that are one SQLite file a region, those that are there or may come."""
    overlay = Store(OVERLAY, settings.overlay_url or state_url(settings, "overlay.sqlite"), MIGRATIONS)
    return [overlay, *(Store(name, url, custody.MIGRATIONS) for name, url in _books(settings))]


def sqlite_file(url: str) -> Path | None:
    """None for a store on a server."""
    parsed = make_url(url)
    if parsed.get_backend_name() in _POSTGRESQL:
        return None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise CommandError(
            f"{parsed.render_as_string()} is no store that is backed up.", "SQLite in a file, or PostgreSQL."
        )
    return Path(parsed.database)


def engine_of(url: str) -> AsyncEngine:
    """Transactions are begun in words: which kind they are is the whole point here."""
    driver = "postgresql+asyncpg" if sqlite_file(url) is None else "sqlite+aiosqlite"
    return create_async_engine(make_url(url).set(drivername=driver), isolation_level="AUTOCOMMIT")


def _books(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.custody_url is not None:
        yield "custody", settings.custody_url
        return
    for region in REGIONS:
        yield f"custody-{region}", state_url(settings, f"custody-{region}.sqlite")
