"""What is taken in a window is worked out once, and anew when it must be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import AssetFacts, PlaceHold, ReleaseHold
from subgraphs.district.windows import QUANTITIES_KEPT_S, TRUSTED_S, Windows
from tests.subgraphs.district.parts import REGION, MemoryStore, row

TODAY = date(2026, 12, 1)
WINDOW = ("2026-12-03", "2026-12-05")
FACTS = AssetFacts(Decimal(3), "1", "IDLE", True, None)


class CountingStore(MemoryStore):
    asked = 0

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Any]:
        CountingStore.asked += 1
        return await super().rows(natives, columns)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[CustodyBook]:
    book = CustodyBook(f"sqlite:///{tmp_path}/custody.sqlite", REGION)
    await book.open()
    yield book
    await book.close()


def place(key: str, asset: str, quantity: int) -> PlaceHold:
    return PlaceHold(key=key, asset=asset, order_id="order:1", from_day=WINDOW[0], to_day=WINDOW[1],
                     quantity=Decimal(quantity), life_s=3600)  # fmt: skip


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store() -> CountingStore:
    CountingStore.asked = 0
    return CountingStore([row("one", quantity="1"), row("batch", quantity="3"), row("unknown", quantity=None)])


async def test_only_what_is_wholly_taken_is_left_out(book: CustodyBook, store: CountingStore, time: Time) -> None:
    windows = Windows(book, store, time)
    assert await windows.taken_in(*WINDOW, TODAY) == frozenset()
    for number, (asset, quantity) in enumerate((("one", 1), ("batch", 2), ("unknown", 1))):
        await book.place(place(f"k{number}", asset, quantity), FACTS, TODAY)
    assert await windows.taken_in(*WINDOW, TODAY) == {"one", "unknown"}, "its own writes are seen at once"
    await book.place(place("k9", "batch", 1), FACTS, TODAY)
    assert await windows.taken_in(*WINDOW, TODAY) == {"one", "unknown", "batch"}
    assert await windows.taken_in("2026-12-05", "2026-12-09", TODAY) == frozenset()


async def test_nothing_is_asked_again_while_nothing_changes(
    book: CustodyBook, store: CountingStore, time: Time
) -> None:
    windows = Windows(book, store, time)
    await book.place(place("k", "one", 1), FACTS, TODAY)
    for _ in range(5):
        assert await windows.taken_in(*WINDOW, TODAY) == {"one"}
        time.now += TRUSTED_S + 0.1
    assert CountingStore.asked == 1


async def test_what_another_process_writes_is_seen_within_its_time(
    book: CustodyBook, store: CountingStore, time: Time, tmp_path: Path
) -> None:
    windows = Windows(book, store, time)
    assert await windows.taken_in(*WINDOW, TODAY) == frozenset()
    other = CustodyBook(f"sqlite:///{tmp_path}/custody.sqlite", REGION)
    await other.open()
    placed = await other.place(place("k", "one", 1), FACTS, TODAY)
    time.now += TRUSTED_S
    assert await windows.taken_in(*WINDOW, TODAY) == {"one"}
    assert placed.hold is not None
    await other.release(ReleaseHold(key="r", asset="one", hold_id=placed.hold.id))
    time.now += TRUSTED_S
    assert await windows.taken_in(*WINDOW, TODAY) == frozenset()
    await other.close()


async def test_a_cards_quantity_is_read_again_in_time(book: CustodyBook, time: Time) -> None:
    windows = Windows(book, CountingStore([row("one", quantity="1")]), time)
    await book.place(place("k", "one", 1), FACTS, TODAY)
    assert await windows.taken_in(*WINDOW, TODAY) == {"one"}
    windows._store = CountingStore([row("one", quantity="2")])
    time.now += QUANTITIES_KEPT_S
    assert await windows.taken_in(*WINDOW, TODAY) == frozenset()
