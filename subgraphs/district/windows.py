"""What a region has nothing free of in a window: worked out once, kept while its custody book stands still.

A view in a window leaves out what is held wholly at some time within it. That takes all claims that touch the window,
and the quantity of every card they are on; a page of fifty must not pay for that each time. So it is kept, and three
things tell that it is stale:

    a write of this process to the book   at once
    a command kept by another process     within `TRUSTED_S`: until then nothing is asked of the book, then one number
    a hold that lapses                    within `KEPT_S`
    a card's quantity                     within `QUANTITIES_KEPT_S`

A view that is behind shows for a moment what has just been taken, or leaves out what has just become free. Nobody gets
anything by it: placing a hold decides on the book itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.model import Store
from subgraphs.district.custody.book import CustodyBook

__all__ = ["Windows"]

TRUSTED_S = 1.0
KEPT_S = 30.0
QUANTITIES_KEPT_S = 300.0
WINDOWS_MAX = 64
"""A region; each holds the keys that are taken in it."""

_Key = tuple[str, str, date]


@dataclass(slots=True)
class _Taken:
    natives: frozenset[str]
    writes: int
    """This process's, before the book was read."""
    mark: str
    """The book's, before it was read."""
    made_at: float
    checked_at: float


class Windows:
    def __init__(self, book: CustodyBook, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._store = store
        self._clock = clock
        self._taken: OrderedDict[_Key, _Taken] = OrderedDict()
        self._quantities: dict[str, Decimal] = {}
        self._quantities_since = float("-inf")
        self._working = asyncio.Lock()

    async def taken_in(self, from_day: str, to_day: str, today: date) -> frozenset[str]:
        """Native keys of the rows of which nothing is free throughout [from_day, to_day)."""
        key = (from_day, to_day, today)
        kept = self._taken.get(key)
        if kept is not None and self._is_trusted(kept):
            return kept.natives
        async with self._working:
            kept = self._taken.get(key)
            if kept is None or not (self._is_trusted(kept) or await self._is_unchanged(kept)):
                kept = self._taken[key] = await self._work_out(key)
                if len(self._taken) > WINDOWS_MAX:
                    self._taken.popitem(last=False)
            self._taken.move_to_end(key)
        return kept.natives

    def _is_trusted(self, kept: _Taken) -> bool:
        return kept.writes == self._book.writes and self._clock() - kept.checked_at < TRUSTED_S

    async def _is_unchanged(self, kept: _Taken) -> bool:
        started = self._clock()
        if kept.writes != self._book.writes or started - kept.made_at >= KEPT_S:
            return False
        if await self._book.mark() != kept.mark:
            return False
        kept.checked_at = started
        return True

    async def _work_out(self, key: _Key) -> _Taken:
        started, writes, mark = self._clock(), self._book.writes, await self._book.mark()
        held = await self._book.held(*key)
        quantities = await self._quantities_of(held, started)
        taken = frozenset(native for native in held if native in quantities and held[native] >= quantities[native])
        return _Taken(taken, writes, mark, started, started)

    async def _quantities_of(self, natives: Iterable[str], now: float) -> Mapping[str, Decimal]:
        """Of the cards that the store knows. Each is asked for once in its time, whatever the window."""
        if now - self._quantities_since >= QUANTITIES_KEPT_S:
            self._quantities, self._quantities_since = {}, now
        missing = [native for native in natives if native not in self._quantities]
        if missing:
            rows = await self._store.rows(missing, frozenset(("quantity",)))
            self._quantities.update({native: _quantity(row) for native, row in rows.items()})
        return self._quantities


def _quantity(row: Mapping[str, Any]) -> Decimal:
    """A card without a quantity is one thing."""
    return Decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1)
