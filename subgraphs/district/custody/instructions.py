"""What the legacy store does not show yet (未落库), handed to the district as numbered instructions and ticked off.

    OPEN ─▶ NUMBERED ─▶ FILED ─▶ DONE ─▶ SEEN
            a number     the file  ticked  the store shows it; until then it is a difference
            for good     is there  off

The number is given in a transaction before anything is written, and the file is made of the book alone: so a crash in
between makes the same file once more, with the same numbers, and never loses or doubles an instruction. An instruction
that a later change of the same asset has overtaken in the store itself is not handed out (SUPERSEDED).

A successor card is handed out as well, to be entered; it is ticked off with the key that the district's own system gave
it, under which the store has the asset from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.ids import is_successor_key
from subgraphs.district.custody import tables
from subgraphs.district.custody.database import Database
from subgraphs.district.custody.records import CARD, Records, instant

__all__ = ["Batch", "Instruction", "Instructions", "Ticked"]

BATCH_MAX = 2_000
"""Instructions in one file."""
_BEING_WRITTEN = timedelta(minutes=15)
"""Longer than any statement may take: what is PENDING for longer was left so by a crash."""
_OPEN = ("OPEN", "PENDING")
_one, _movement, _export, _fault = tables.instructions, tables.movements, tables.exports, tables.write_faults
_card = tables.cards


@dataclass(frozen=True, slots=True)
class Instruction:
    id: str
    asset: str
    """Native key."""
    kind: str
    quantity: str
    status: str | None
    """What the store should show; None: a part of a batch moved, and its status stays."""
    hold_id: str
    at: str
    reason: str | None
    """Why the store was not written, as a code."""
    number: int | None = None
    file: str | None = None
    state: str = "OPEN"
    card: Mapping[str, Any] | None = None
    """Of a card that is to be entered: its canonical fields."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One file's instructions, in the order of their numbers."""

    file: str
    instructions: Sequence[Instruction]


@dataclass(frozen=True, slots=True)
class Ticked:
    done: tuple[int, ...]
    again: tuple[int, ...]
    """Ticked off before."""
    unknown: tuple[int, ...]
    """Never handed out."""
    unnamed: tuple[int, ...] = ()
    """Cards, ticked off without the key they were entered under, or with one that another card has: left open."""


class Instructions:
    """One region's, in the database of its custody book."""

    def __init__(
        self,
        database: Database,
        records: Records,
        clock: Callable[[], datetime],
        forget: Callable[[], None],
    ) -> None:
        """`forget`: told when what is known of cards may have changed."""
        self.region, self._database, self._records = records.region, database, records
        self._clock, self._forget = clock, forget

    # --- within the command's transaction -------------------------------------------------------------------------------

    async def add(
        self, connection: AsyncConnection, movement_id: str, home: str, status: str | None, state: str
    ) -> None:
        await connection.execute(
            sa.insert(_one).values(
                region=self.region, id=movement_id, asset=home, status=status, state=state, at=self._now()
            )
        )

    async def is_handed_out(self, connection: AsyncConnection, card: str) -> bool:
        """Whether the district may be entering this card already, as it was when it was handed out."""
        return bool(await self._found(connection, *_entry_of(card), _export.c.number.is_not(None)))

    async def withdraw(self, connection: AsyncConnection, card: str) -> None:
        """A card of which nothing is left need not be entered."""
        for one in await self._found(connection, *_entry_of(card)):
            mine = sa.and_(_one.c.region == self.region, _one.c.id == one.id)
            await connection.execute(sa.update(_one).where(mine).values(state="SUPERSEDED"))

    # --- questions ----------------------------------------------------------------------------------------------------

    async def open(self, limit: int) -> Sequence[Instruction]:
        """Not done yet, oldest first, whether or not they have been handed out."""
        async with self._database.read() as connection:
            return await self._found(connection, _one.c.state.in_(_OPEN), limit=limit)

    async def unseen(self) -> Sequence[Instruction]:
        """Per asset the last instruction that was ticked off, where the store has not shown it yet."""
        async with self._database.read() as connection:
            done = await self._found(connection, _export.c.state == "DONE", _one.c.status.is_not(None), ~_overtaken())
        return list({found.asset: found for found in done}.values())

    # --- handing out --------------------------------------------------------------------------------------------------

    async def number(self) -> Sequence[Batch]:
        """Give numbers to what has none; all files that are still to be written, those of a crash before included."""
        async with self._database.write(self._lock) as connection:
            await self._settle(connection)
            last = await connection.scalar(
                sa.select(sa.func.max(_export.c.number)).where(_export.c.region == self.region)
            )
            new = await self._found(connection, _one.c.state == "OPEN", _export.c.number.is_(None))
            first = (last or 0) + 1
            for start in range(0, len(new), BATCH_MAX):
                await self._take(connection, new[start : start + BATCH_MAX], first + start)
            taken = await self._found(connection, _export.c.state == "NUMBERED")
        files: dict[str, list[Instruction]] = {}
        for one in sorted(taken, key=lambda found: found.number or 0):
            files.setdefault(one.file or "", []).append(one)
        return [Batch(file, instructions) for file, instructions in files.items()]

    async def filed(self, file: str) -> None:
        """The file lies in its folder, on the disk."""
        mine = sa.and_(_export.c.region == self.region, _export.c.file == file, _export.c.state == "NUMBERED")
        async with self._database.write(self._lock) as connection:
            await connection.execute(sa.update(_export).where(mine).values(state="FILED"))

    async def _take(self, connection: AsyncConnection, part: Sequence[Instruction], first: int) -> None:
        file = f"{self.region}-未落库-{first:06}-{first + len(part) - 1:06}.csv"
        rows = [
            {
                "region": self.region,
                "number": number,
                "instruction": one.id,
                "file": file,
                "state": "NUMBERED",
                "at": self._now(),
            }
            for number, one in enumerate(part, start=first)
        ]
        await connection.execute(sa.insert(_export), rows)

    async def _settle(self, connection: AsyncConnection) -> None:
        """Writing that a crash left undone is for the district; what was overtaken in the store is for nobody."""
        mine = _one.c.region == self.region
        left = instant(self._clock() - _BEING_WRITTEN)
        await connection.execute(
            sa.update(_one).where(mine, _one.c.state == "PENDING", _one.c.at < left).values(state="OPEN")
        )
        handed_out = sa.exists().where(_export.c.region == _one.c.region, _export.c.instruction == _one.c.id)
        await connection.execute(
            sa.update(_one)
            .where(mine, _one.c.state == "OPEN", _one.c.status.is_not(None), _overtaken(), ~handed_out)
            .values(state="SUPERSEDED")
        )

    # --- ticking off --------------------------------------------------------------------------------------------------

    async def done(self, numbers: Collection[int], natives: Mapping[int, str] | None = None) -> Ticked:
        """The district says that its store shows these now. Saying it again changes nothing.

        `natives`: of cards, the key under which each was entered.
        """
        wanted = sorted(set(numbers))
        async with self._database.write(self._lock) as connection:
            known: dict[int, Any] = {}
            for start in range(0, len(wanted), BATCH_MAX):
                part = wanted[start : start + BATCH_MAX]
                query = sa.select(_export).where(_export.c.region == self.region, _export.c.number.in_(part))
                known |= {row.number: row for row in await connection.execute(query)}
            fresh = [number for number in wanted if number in known and known[number].state in ("NUMBERED", "FILED")]
            unnamed = [
                number
                for number in fresh
                if not await self._enter(connection, known[number].instruction, (natives or {}).get(number))
            ]
            done = [number for number in fresh if number not in unnamed]
            for number in done:
                await self._set(connection, number, known[number].instruction)
            await self._records.changed(connection)
        self._forget()
        return Ticked(
            done=tuple(done),
            again=tuple(number for number in wanted if number in known and number not in set(fresh)),
            unknown=tuple(number for number in wanted if number not in known),
            unnamed=tuple(unnamed),
        )

    async def _enter(self, connection: AsyncConnection, instruction: str, native: str | None) -> bool:
        """A card is known by its new key from now on, and what was held under that key is held under the card's name.
        True for what is no card."""
        found = await self._found(connection, _one.c.id == instruction, _movement.c.kind == CARD)
        if not found:
            return True
        if not native or is_successor_key(native):
            return False
        card = found[0].asset
        for name in sorted((card, native)):
            await self._database.lock(connection, f"{self.region} asset {name}")
        if (await self._records.named(connection, native)).card is not None:
            return False
        mine = sa.and_(_card.c.region == self.region, _card.c.id == card)
        await connection.execute(sa.update(_card).where(mine).values(entered_as=native))
        holds = tables.holds
        theirs = sa.and_(holds.c.region == self.region, holds.c.asset == native)
        await connection.execute(sa.update(holds).where(theirs).values(asset=card))
        told = sa.and_(_one.c.region == self.region, _one.c.asset == card, _one.c.id != instruction)
        await connection.execute(sa.update(_one).where(told).values(asset=native))
        return True

    async def _set(self, connection: AsyncConnection, number: int, instruction: str) -> None:
        exported = sa.and_(_export.c.region == self.region, _export.c.number == number)
        mine = sa.and_(_one.c.region == self.region, _one.c.id == instruction)
        await connection.execute(sa.update(_export).where(exported).values(state="DONE", done_at=self._now()))
        await connection.execute(sa.update(_one).where(mine).values(state="DONE"))

    async def compare(self, shown: Mapping[str, str | None]) -> Sequence[tuple[Instruction, str | None]]:
        """Ticked-off instructions that the store does not show, each with what it shows instead.

        `shown`: asset → its status in the store; an asset that is missing there is no longer in the store. What is
        shown is settled for good: the store may change later for reasons of its own.
        """
        async with self._database.write(self._lock) as connection:
            for one in await self._found(connection, _export.c.state == "DONE", _one.c.status.is_not(None)):
                if one.asset in shown and shown[one.asset] == one.status:
                    await self._seen(connection, one)
        return [(one, shown.get(one.asset)) for one in await self.unseen()]

    async def _seen(self, connection: AsyncConnection, one: Instruction) -> None:
        """With it, whatever was asked of the asset before."""
        earlier = sa.select(_one.c.id).where(
            _one.c.region == self.region, _one.c.asset == one.asset, _one.c.at <= one.at
        )
        mine = sa.and_(_export.c.region == self.region, _export.c.state == "DONE", _export.c.instruction.in_(earlier))
        await connection.execute(sa.update(_export).where(mine).values(state="SEEN"))

    # --- rows ---------------------------------------------------------------------------------------------------------

    async def _found(
        self, connection: AsyncConnection, *where: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[Instruction]:
        """Oldest first."""
        joined = (
            _one.join(_movement, sa.and_(_one.c.region == _movement.c.region, _one.c.id == _movement.c.id))
            .outerjoin(_export, sa.and_(_one.c.region == _export.c.region, _one.c.id == _export.c.instruction))
            .outerjoin(_fault, sa.and_(_one.c.region == _fault.c.region, _one.c.id == _fault.c.instruction))
            .outerjoin(
                _card,
                sa.and_(_one.c.region == _card.c.region, _movement.c.asset == _card.c.id, _movement.c.kind == CARD),
            )
        )
        query = (
            sa.select(
                _one.c.id,
                _one.c.asset,
                _movement.c.kind,
                _movement.c.quantity,
                _one.c.status,
                _movement.c.hold_id,
                _one.c.at,
                _fault.c.code,
                _export.c.number,
                _export.c.file,
                sa.func.coalesce(_export.c.state, _one.c.state),
                _card.c.fields,
            )
            .select_from(joined)
            .where(_one.c.region == self.region, *where)
            .order_by(_one.c.at, _one.c.id)
            .limit(limit)
        )
        return [
            replace(Instruction(*row[:-1]), card=None if row.fields is None else orjson.loads(row.fields))
            for row in await connection.execute(query)
        ]

    @property
    def _lock(self) -> str:
        return f"{self.region} instructions"

    def _now(self) -> str:
        return instant(self._clock())


def _entry_of(card: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _movement.c.asset == card, _movement.c.kind == CARD


def _overtaken() -> sa.Exists:
    """A later change of the same asset stands in the store itself."""
    later = _one.alias()
    return sa.exists().where(
        later.c.region == _one.c.region,
        later.c.asset == _one.c.asset,
        later.c.state == "WRITTEN",
        later.c.at > _one.c.at,
    )
