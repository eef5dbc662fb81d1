"""A book whose process is killed, on SQLite and on PostgreSQL: what was said is done, and nothing is half done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import IO

from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import RecordMovement
from tests.subgraphs.district.custody_process import (
    AT_A_TIME,
    BATCH,
    FROM,
    ONE,
    REGION,
    TO,
    TODAY,
    dispatch,
    hold,
    now,
)

ROOT = Path(__file__).parents[3]
HELD_BEFORE_THE_KILL = 25


@contextmanager
def killed(url: str, mode: str) -> Iterator[IO[str]]:
    """The lines of a process that is killed, without a warning, where the context ends."""
    command = [sys.executable, "-m", "tests.subgraphs.district.custody_process", url, mode]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[CustodyBook]:
    book = CustodyBook(url, REGION, now)
    await book.open()
    try:
        yield book
    finally:
        await book.close()


async def test_what_was_said_is_held_and_what_is_held_is_known(url: str) -> None:
    """Killed while several commands are under way: each is done wholly or not at all."""
    with killed(url, "serve") as lines:
        said = {next(lines).strip() for _ in range(HELD_BEFORE_THE_KILL)}
    async with opened(url) as book:
        # A server may still be ending what the dead had sent: the next command on the asset waits for that.
        assert (await book.place(hold("after", "batch"), BATCH, TODAY)).hold is not None
        known = {"after"}
        missing = 0
        for number in count():
            if (await book.status("batch", f"k{number}")).hold is not None:
                known.add(f"k{number}")
            else:
                missing += 1
            if missing > AT_A_TIME:  # keys are taken in order, so many at a time
                break
        assert said < known
        assert await book.held(FROM, TO, TODAY) == {"batch": Decimal(len(known))}


async def test_a_command_that_died_before_its_end_holds_nothing_and_bars_nobody(url: str) -> None:
    with killed(url, "decide") as lines:
        assert next(lines).strip() == "decided"
    async with opened(url) as book:
        assert not (await book.status("one", "place")).known
        assert await book.held(FROM, TO, TODAY) == {}
        placed = await book.place(hold("another", "one"), ONE, TODAY)
        assert placed.hold is not None, "the lock is let go of"


async def test_a_movement_that_died_before_the_store_was_written_is_taken_up_again(url: str) -> None:
    with killed(url, "write") as lines:
        hold_id = next(lines).strip()
    async with opened(url) as book:
        (owed,) = await book.instructions.open(10)
        assert (owed.asset, owed.status, owed.hold_id) == ("one", "IN_TRANSIT", hold_id)
        written: list[str] = []

        async def write_status(status: str) -> str | None:
            written.append(status)
            return None

        for _ in range(2):
            again = await book.move(dispatch(hold_id), ONE, write_status, TODAY)
            assert (again.written_back, again.refusals) == (True, ())
        assert written == ["IN_TRANSIT"], "once, however often the command comes"
        assert await book.instructions.open(10) == []


async def owe_two(book: CustodyBook) -> None:
    """Two movements that the legacy store was not told of."""

    async def refuse(_status: str) -> str | None:
        return "NOT_GRANTED"

    for asset in ("a", "b"):
        placed = (await book.place(hold(f"place {asset}", asset), ONE, TODAY)).hold
        assert placed is not None
        command = RecordMovement(
            key=f"move {asset}", asset=asset, hold_id=placed.id, kind="DISPATCH", quantity=Decimal(1)
        )
        assert (await book.move(command, ONE, refuse, TODAY)).refusals == ()


async def test_numbers_that_died_with_their_process_are_given_once_and_without_a_gap(url: str) -> None:
    async with opened(url) as book:
        await owe_two(book)
    with killed(url, "number") as lines:
        assert next(lines).strip() == "resting"
    async with opened(url) as book:
        assert [one.number for one in await book.instructions.open(10)] == [None, None]
        (batch,) = await book.instructions.number()
        assert [one.number for one in batch.instructions] == [1, 2]
        assert {one.asset for one in batch.instructions} == {"a", "b"}
        assert await book.instructions.number() == [batch], "until the file is there"


async def test_ticks_that_died_with_their_process_are_none(url: str) -> None:
    async with opened(url) as book:
        await owe_two(book)
        (batch,) = await book.instructions.number()
        await book.instructions.filed(batch.file)
    with killed(url, "tick") as lines:
        assert next(lines).strip() == "resting"
    async with opened(url) as book:
        assert [(one.number, one.state) for one in await book.instructions.open(10)] == [(1, "FILED"), (2, "FILED")]
        ticked = await book.instructions.done([1, 2])
        assert (ticked.done, ticked.again) == ((1, 2), ())
        assert await book.instructions.open(10) == []
