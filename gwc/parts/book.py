"""A district's custody book, opened by a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contract.regions import REGIONS
from gwc.errors import CommandError
from gwc.parts.common import state_url
from gwc.settings import Settings
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.database import BookUnavailable
from subgraphs.kit.migrations import StoreTooNew

__all__ = ["opened_book"]


@asynccontextmanager
async def opened_book(settings: Settings, region: str) -> AsyncIterator[CustodyBook]:
    """Raises `CommandError` where there is no such region or its book cannot be opened."""
    if region not in REGIONS:
        raise CommandError(f"{region} is no region.", "One of " + ", ".join(REGIONS), 2)
    book = CustodyBook(settings.custody_url or state_url(settings, f"custody-{region}.sqlite"), region)
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
        await book.open()
    except (BookUnavailable, StoreTooNew, OSError) as error:
        raise CommandError(f"The custody book of {region} cannot be opened: {error}.") from None
    try:
        yield book
    finally:
        await book.close()
