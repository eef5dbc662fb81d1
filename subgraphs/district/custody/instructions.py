"""What the legacy store does not show yet (未落库), handed to the district as numbered instructions and ticked off.

    OPEN ─▶ NUMBERED ─▶ FILED ─▶ DONE ─▶ SEEN
            a number     the file  ticked  the store shows it; until then it is a difference
            for good     is there  off

The number is given in a transaction before anything is written, and the file is made of the book alone: so a crash in
between makes the same file once more, with the same numbers, and never loses or doubles an instruction. An instruction
that a later change of the same asset has overtaken in the store itself is not handed out (SUPERSEDED).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.district.custody import tables
from subgraphs.district.custody.database import Database

__all__ = ["Batch", "Instruction", "Instructions", "Ticked", "instant"]

BATCH_MAX = 2_000
"""Instructions in one file."""
_BEING_WRITTEN = timedelta(minutes=15)
"""Longer than any statement may take: what is PENDING for longer was left so by a crash."""
_OPEN = ("OPEN", "PENDING")
_one, _movement, _export, _fault = tables.instructions, tables.movements, tables.exports, tables.write_faults


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


class Instructions:
    """One region's, in the database of its custody book."""

    def __init__(self, database: Database, region: str, clock: Callable[[], datetime]) -> None:
        self.region, self._database, self._clock = region, database, clock

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

    async def done(self, numbers: Collection[int]) -> Ticked:
        """The district says that its store shows these now. Saying it again changes nothing."""
        wanted = sorted(set(numbers))
        async with self._database.write(self._lock) as connection:
            known: dict[int, Any] = {}
            for start in range(0, len(wanted), BATCH_MAX):
                part = wanted[start : start + BATCH_MAX]
                query = sa.select(_export).where(_export.c.region == self.region, _export.c.number.in_(part))
                known |= {row.number: row for row in await connection.execute(query)}
            fresh = [number for number in wanted if number in known and known[number].state in ("NUMBERED", "FILED")]
            for number in fresh:
                await self._set(connection, number, known[number].instruction)
        return Ticked(
            done=tuple(fresh),
            again=tuple(number for number in wanted if number in known and number not in set(fresh)),
            unknown=tuple(number for number in wanted if number not in known),
        )

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
            )
            .select_from(joined)
            .where(_one.c.region == self.region, *where)
            .order_by(_one.c.at, _one.c.id)
            .limit(limit)
        )
        return [Instruction(*row) for row in await connection.execute(query)]

    @property
    def _lock(self) -> str:
        return f"{self.region} instructions"

    def _now(self) -> str:
        return instant(self._clock())


def _overtaken() -> sa.Exists:
    """A later change of the same asset stands in the store itself."""
    later = _one.alias()
    return sa.exists().where(
        later.c.region == _one.c.region,
        later.c.asset == _one.c.asset,
        later.c.state == "WRITTEN",
        later.c.at > _one.c.at,
    )


def instant(moment: datetime) -> str:
    """As the book keeps it: one width, so that its order as text is its order in time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
