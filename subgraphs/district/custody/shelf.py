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
        self._forgotten = 0
        """How often; what was forgotten while it was being read is read again."""
        self._reading = asyncio.Lock()

    def forget(self) -> None:
        """Something has changed: look before anything is answered from memory."""
        self._checked_at = float("-inf")
        self._forgotten += 1

    async def cards(self) -> Cards:
        if self._is_trusted():
            return self._cards
        async with self._reading:
            if not self._is_trusted():
                await self._look()
        return self._cards

    def _is_trusted(self) -> bool:
        return time.monotonic() - self._checked_at < _TRUSTED_S

    async def _look(self) -> None:
        started, forgotten = time.monotonic(), self._forgotten
        try:
            await self._read()
        except BookUnavailable:
            _log.warning("the custody book's cards are shown as they were", region=self._records.region)
        if forgotten == self._forgotten:
            self._checked_at = started

    async def _read(self) -> None:
        async with self._database.read() as connection:
            if await self._records.number(connection) != self._cards.number:
                self._cards = await self._records.cards(connection)
