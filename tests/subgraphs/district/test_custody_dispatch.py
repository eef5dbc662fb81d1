"""出仓: goods leave once. Holds of different days do not help when the goods themselves are still out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import AssetFacts, Movement, PlaceHold, RecordMovement, RenewHold

DAY_S = 86_400
FIRST = date(2026, 12, 1)


class Book:
    """One book, an asset of it, and a calendar that is turned by hand."""

    def __init__(self, path: Path, quantity: int) -> None:
        self.today = FIRST
        self.facts = AssetFacts(Decimal(quantity), "v1", "IDLE", True, None)
        self.book = CustodyBook(f"sqlite:///{path}/book.sqlite", "330106", self._now)
        self._keys = iter(range(1000))

    def _now(self) -> datetime:
        return datetime(self.today.year, self.today.month, self.today.day, 4, tzinfo=UTC)

    async def hold(self, first: int, after: int, quantity: int = 1) -> str:
        days = (date(2026, 12, first).isoformat(), date(2026, 12, after).isoformat())
        command = PlaceHold(
            key=self._key(),
            asset="A1",
            order_id="order:1",
            from_day=days[0],
            to_day=days[1],
            quantity=Decimal(quantity),
            life_s=7 * DAY_S,
        )
        result = await self.book.place(command, self.facts, self.today)
        assert result.hold is not None, result.refusals
        return result.hold.id

    async def move(self, kind: Movement, hold: str, quantity: int = 1) -> list[str]:
        """The codes of what was refused. The legacy store cannot be written, so its status tells nothing."""

        async def write_status(_status: str) -> str | None:
            return "NOT_GRANTED"

        command = RecordMovement(key=self._key(), asset="A1", hold_id=hold, kind=kind, quantity=Decimal(quantity))
        result = await self.book.move(command, self.facts, write_status, self.today)
        return [refusal.code for refusal in result.refusals]

    async def renew(self, hold: str) -> None:
        result = await self.book.renew(RenewHold(key=self._key(), asset="A1", hold_id=hold, life_s=7 * DAY_S))
        assert result.refusals == ()

    async def wait_until(self, day: int, *renewed: str) -> None:
        while self.today < date(2026, 12, day):
            self.today += timedelta(days=1)
            for hold in renewed:
                await self.renew(hold)

    def _key(self) -> str:
        return f"key-{next(self._keys)}"


@contextlib.asynccontextmanager
async def opened(path: Path, quantity: int = 1) -> AsyncIterator[Book]:
    book = Book(path, quantity)
    await book.book.open()
    try:
        yield book
    finally:
        await book.book.close()


async def test_goods_that_are_overdue_do_not_leave_a_second_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as book:
        first, second = await book.hold(1, 3), await book.hold(4, 6)
        assert await book.move("DISPATCH", first) == []
        await book.wait_until(4, second)
        assert await book.move("DISPATCH", second) == ["ASSET_BUSY"]
        assert await book.move("RETURN", first) == []
        assert await book.move("DISPATCH", second) == []


async def test_goods_that_left_early_do_not_leave_a_second_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as book:
        late = await book.hold(5, 7)
        assert await book.move("DISPATCH", late) == []
        later = await book.hold(8, 9)
        assert await book.move("DISPATCH", later) == ["ASSET_BUSY"]


async def test_goods_do_not_leave_early_over_the_days_that_another_holds(tmp_path: Path) -> None:
    async with opened(tmp_path) as book:
        sooner, later = await book.hold(2, 4), await book.hold(5, 7)
        assert await book.move("DISPATCH", later) == ["ASSET_BUSY"]
        assert await book.move("DISPATCH", sooner) == []


async def test_of_a_batch_only_what_is_there_leaves(tmp_path: Path) -> None:
    async with opened(tmp_path, quantity=10) as book:
        first, second, third = await book.hold(1, 3, 6), await book.hold(4, 6, 4), await book.hold(4, 6, 5)
        assert await book.move("DISPATCH", first, 6) == []
        assert await book.move("DISPATCH", second, 4) == []
        await book.wait_until(4, third)
        assert await book.move("DISPATCH", third, 5) == ["ASSET_BUSY"]
        assert await book.move("RETURN", first, 5) == []
        assert await book.move("DISPATCH", third, 5) == []


async def test_a_batch_leaves_in_parts_on_one_hold(tmp_path: Path) -> None:
    async with opened(tmp_path, quantity=10) as book:
        hold = await book.hold(1, 3, 10)
        assert [await book.move("DISPATCH", hold, part) for part in (4, 6, 1)] == [[], [], ["QUANTITY_EXCEEDED"]]


async def test_where_some_was_lost_whoever_held_first_goes_first(tmp_path: Path) -> None:
    async with opened(tmp_path, quantity=10) as book:
        out = await book.hold(1, 2, 4)
        assert await book.move("DISPATCH", out, 4) == []
        first = await book.hold(5, 7, 6)
        await book.wait_until(2, first)
        second = await book.hold(5, 7, 4)
        assert await book.move("WRITE_OFF", out, 3) == []
        assert await book.move("RETURN", out, 1) == []
        assert await book.move("DISPATCH", second, 4) == ["ASSET_BUSY"]
        assert await book.move("DISPATCH", first, 6) == []
        assert await book.move("DISPATCH", second, 4) == ["ASSET_BUSY"], "what has left is not there for anybody"


async def test_whoever_held_first_does_not_leave_early_over_a_later_holds_days(tmp_path: Path) -> None:
    async with opened(tmp_path, quantity=10) as book:
        older = await book.hold(5, 7, 6)
        await book.wait_until(2, older)
        newer = await book.hold(3, 5, 6)
        assert await book.move("DISPATCH", older, 6) == ["ASSET_BUSY"]
        assert await book.move("DISPATCH", newer, 6) == []
