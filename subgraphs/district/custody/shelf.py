"""The book's cards in memory, for reading: they are few, and every page of assets asks for them.

What a command of this process changes is seen at once; what another process changed, within `_TRUSTED_S`: until then
nothing is asked of the database, then one number. Decisions never rest on this: commands read in their transaction.
A database that is away takes no asset from anybody: what was known last is shown.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from subgraphs.district.custody.cards import Cards
from subgraphs.district.custody.database import BookUnavailable, Database
from subgraphs.district.custody.records import Records

__all__ = ["Shelf"]

_log = structlog.get_logger(__name__)
_TRUSTED_S = 1.0


class Shelf:
    def __init__(self, database: Database, records: Records) -> None:
        self._database, self._records = database, records
        self._cards = Cards(records.region)
        self._checked_at = float("-inf")
        self._reading = asyncio.Lock()

    def forget(self) -> None:
        """Something has changed: look before anything is answered from memory."""
        self._checked_at = float("-inf")

    async def cards(self) -> Cards:
        if time.monotonic() - self._checked_at < _TRUSTED_S:
            return self._cards
        async with self._reading:
            started = time.monotonic()
            if started - self._checked_at >= _TRUSTED_S:
                self._checked_at = started  # what is forgotten while this reads is read again
                try:
                    await self._read()
                except BookUnavailable:
                    _log.warning("the custody book's cards are shown as they were", region=self._records.region)
                except BaseException:
                    self.forget()
                    raise
        return self._cards

    async def _read(self) -> None:
        async with self._database.read() as connection:
            if await self._records.number(connection) != self._cards.number:
                self._cards = await self._records.cards(connection)
