"""A process of its own that works on a custody book until it is killed: `python -m … URL MODE`.

Each line it writes is flushed, so that whoever reads them knows how far it came.

    serve     hold one more of a batch of many, again and again, several at a time; a line for each that is held
    decide    come to rest within the transaction that holds the asset, with the hold decided and not yet written
    write     record a dispatch and come to rest where the legacy store is to be written
    number    come to rest within the transaction that numbers what is to be handed out
    tick      come to rest within the transaction that ticks off 1 and 2, with 1 ticked
    race      say `ready`, wait for a line, and ask for the last of a few, many at once; a line for each answer
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import AssetFacts, PlaceHold, RecordMovement

REGION = "330106"
TODAY = date(2026, 12, 1)
FROM, TO = "2026-12-01", "2026-12-02"
BATCH = AssetFacts(Decimal(100_000), "v1", "IDLE", True, None)
ONE = AssetFacts(Decimal(1), "v1", "IDLE", True, None)
FEW = AssetFacts(Decimal(3), "v1", "IDLE", True, None)
AT_A_TIME = 4
RACERS = 25


def now() -> datetime:
    return datetime(2026, 12, 1, 4, tzinfo=UTC)


def hold(key: str, asset: str) -> PlaceHold:
    return PlaceHold(
        key=key, asset=asset, order_id="order:1", from_day=FROM, to_day=TO, quantity=Decimal(1), life_s=3600
    )


def dispatch(hold_id: str) -> RecordMovement:
    return RecordMovement(key="move", asset="one", hold_id=hold_id, kind="DISPATCH", quantity=Decimal(1))


def say(line: str) -> None:
    print(line, flush=True)


async def serve(url: str) -> None:
    book = CustodyBook(url, REGION, now)
    await book.open()
    numbers = count()

    async def one_after_another() -> None:
        for number in numbers:
            await book.place(hold(f"k{number}", "batch"), BATCH, TODAY)
            say(f"k{number}")

    await asyncio.gather(*(one_after_another() for _ in range(AT_A_TIME)))


async def decide(url: str) -> None:
    looks = count(1)

    def clock() -> datetime:
        """The book looks at it when the transaction has begun, and again to write when the hold lapses."""
        if next(looks) == 2:
            say("decided")
            time.sleep(600)
        return now()

    book = CustodyBook(url, REGION, clock)
    await book.open()
    await book.place(hold("place", "one"), ONE, TODAY)


async def write(url: str) -> None:
    book = CustodyBook(url, REGION, now)
    await book.open()
    placed = (await book.place(hold("place", "one"), ONE, TODAY)).hold
    assert placed is not None

    async def write_status(_status: str) -> str | None:
        say(placed.id)
        await asyncio.Event().wait()
        return None

    await book.move(dispatch(placed.id), ONE, write_status, TODAY)


def resting_at(look: int) -> Callable[[], datetime]:
    """A clock that comes to rest for good when it is looked at for that time."""
    looks = count(1)

    def clock() -> datetime:
        if next(looks) == look:
            say("resting")
            time.sleep(600)
        return now()

    return clock


async def number(url: str) -> None:
    """The clock is looked at once to settle what was left, then for each instruction that is numbered."""
    book = CustodyBook(url, REGION, resting_at(3))
    await book.open()
    await book.instructions.number()


async def tick(url: str) -> None:
    """The clock is looked at once for each instruction that is ticked off."""
    book = CustodyBook(url, REGION, resting_at(2))
    await book.open()
    await book.instructions.done([1, 2])


async def race(url: str) -> None:
    book = CustodyBook(url, REGION, now)
    await book.open()
    say("ready")
    name = sys.stdin.readline().strip()

    async def ask(number: int) -> None:
        result = await book.place(hold(f"{name}-{number}", "few"), FEW, TODAY)
        say("held" if result.hold is not None else ",".join(one.code for one in result.refusals))

    await asyncio.gather(*(ask(number) for number in range(RACERS)))
    await book.close()


MODES = {"serve": serve, "decide": decide, "write": write, "number": number, "tick": tick, "race": race}

if __name__ == "__main__":
    asyncio.run(MODES[sys.argv[2]](sys.argv[1]))
