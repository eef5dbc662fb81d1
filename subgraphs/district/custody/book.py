"""The custody book of one region: the one authority on who is first for its assets.

Every command runs in one transaction that excludes all others on the asset:

    lock ─▶ seen before? ─▶ decide ─▶ write hold or movement ─▶ keep the result under its idempotency key

so the first of many is decided by the database and a repeated command gives the first result, refusals included. The
legacy store is never inside the transaction: a movement is recorded first, with an instruction that says what the
store should show; then the store is written where it may be, and the instruction is settled. What could not be
written stays an open instruction (未落库, see `instructions`). A command repeated after a crash takes the writing up again.

The book has cards of its own beside, for things that came from other regions for good (see `cards`): what is held and
moved of them is held and moved like anything else, and no legacy store is written for them.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.ids import is_successor_key
from contract.occupancy import Period, busy_periods, peak
from subgraphs.district.custody import decisions, tables
from subgraphs.district.custody.cards import Cards
from subgraphs.district.custody.claims import Claim, with_buffers
from subgraphs.district.custody.database import Database
from subgraphs.district.custody.decisions import Entry, Moved
from subgraphs.district.custody.instructions import Instructions
from subgraphs.district.custody.model import (
    AssetFacts,
    CardResult,
    Command,
    ExtendHold,
    Hold,
    HoldResult,
    KnownCommand,
    MovementResult,
    PlaceHold,
    ReceiveCard,
    RecordMovement,
    ReduceHold,
    ReleaseHold,
    RenewHold,
    TransferOut,
)
from subgraphs.district.custody.reads import Reads
from subgraphs.district.custody.records import Named, Records, instant, read_refusals
from subgraphs.district.custody.shelf import Shelf
from subgraphs.district.custody.words import Refusal

__all__ = ["CustodyBook", "WriteStatus"]

_NATIVES_AT_ONCE = 500

WriteStatus = Callable[[str], Awaitable[str | None]]
"""Writes the asset's status into the legacy store; a code where it may not or could not be written, None where it was."""
Decide = Callable[[AsyncConnection, Named], Awaitable[tuple[str | None, list[Refusal]]]]
"""In the command's transaction → (the hold's id, why not)."""


class CustodyBook:
    def __init__(self, url: str, region: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`url`: `sqlite:///FILE` or `postgresql://…`; a PostgreSQL database may hold the books of all regions."""
        self.region = region
        self._database = Database(url)
        self._clock = clock
        self._records = Records(region, clock)
        self._shelf = Shelf(self._database, self._records)
        self.reads = Reads(self._database, region, clock)
        self.instructions = Instructions(self._database, self._records, clock, self._shelf.forget)

    @property
    def writes(self) -> int:
        """Grows with every write of this process, once it is in the book."""
        return self._database.writes

    async def mark(self) -> str:
        """Equal to an earlier one only if no process has kept a command since: cheap to ask for."""
        return await self._database.mark()

    async def open(self) -> None:
        await self._database.open()

    async def close(self) -> None:
        await self._database.close()

    # --- commands -----------------------------------------------------------------------------------------------------

    async def place(self, command: PlaceHold, facts: AssetFacts | None, today: date) -> HoldResult:
        """`facts`: the asset as the store shows it, None for one it does not know."""

        async def decide(connection: AsyncConnection, named: Named) -> tuple[str | None, list[Refusal]]:
            known = await self._records.facts(connection, named, facts)
            claims = await self._records.claims(connection, today, [named.name])
            refusals = decisions.place(command, known, claims.get(named.name, ()), today)
            if refusals:
                return None, refusals
            hold_id = uuid.uuid4().hex
            await self._records.add_hold(connection, hold_id, named.name, command, self._later(command.life_s))
            return hold_id, []

        return await self._hold_command(command, decide)

    async def renew(self, command: RenewHold) -> HoldResult:
        async def decide(connection: AsyncConnection, named: Named) -> tuple[str | None, list[Refusal]]:
            entry = await self._records.entry(connection, named.name, command.hold_id)
            refusals = decisions.renew(command, entry, self._records.now())
            if not refusals and entry is not None and entry.state == "ACTIVE":
                await self._records.update_hold(connection, entry.id, expires_at=self._later(command.life_s))
            return None if entry is None else entry.id, refusals

        return await self._hold_command(command, decide)

    async def extend(self, command: ExtendHold, facts: AssetFacts | None, today: date) -> HoldResult:
        async def decide(connection: AsyncConnection, named: Named) -> tuple[str | None, list[Refusal]]:
            entry = await self._records.entry(connection, named.name, command.hold_id)
            known = await self._records.facts(connection, named, facts)
            claims = await self._records.claims(connection, today, [named.name], without=command.hold_id)
            now, others = self._records.now(), claims.get(named.name, ())
            refusals = decisions.extend(command, entry, known, others, now, today)
            if not refusals and entry is not None:
                await self._records.set_last_day(connection, entry, command.to_day)
            return None if entry is None else entry.id, refusals

        return await self._hold_command(command, decide)

    async def reduce(self, command: ReduceHold) -> HoldResult:
        async def decide(connection: AsyncConnection, named: Named) -> tuple[str | None, list[Refusal]]:
            entry = await self._records.entry(connection, named.name, command.hold_id)
            changes = decisions.reduce(command, entry, self._records.now())
            if isinstance(changes, Refusal):
                return None, [changes]
            if changes:
                await self._records.update_hold(connection, command.hold_id, **changes)
            return command.hold_id, []

        return await self._hold_command(command, decide)

    async def release(self, command: ReleaseHold) -> HoldResult:
        async def decide(connection: AsyncConnection, named: Named) -> tuple[str | None, list[Refusal]]:
            entry = await self._records.entry(connection, named.name, command.hold_id)
            refusals = decisions.release(entry)
            if not refusals and entry is not None:
                await self._records.update_hold(connection, entry.id, state="RELEASED", expires_at=None)
            return None if entry is None else entry.id, refusals

        return await self._hold_command(command, decide)

    async def move(
        self, command: RecordMovement | TransferOut, facts: AssetFacts | None, write_status: WriteStatus, today: date
    ) -> MovementResult:
        async with self._transaction(command) as (connection, named):
            kept = await self._records.kept(connection, command)
            if isinstance(kept, Refusal):
                return MovementResult(False, (kept,))
            if kept is None:
                movement_id, refusals = await self._record_movement(connection, command, named, facts, today)
                await self._records.keep(connection, command, command.hold_id, movement_id, refusals)
            else:
                movement_id, refusals = kept.movement_id, read_refusals(kept.problems)
        self._shelf.forget()
        if movement_id is None:
            return MovementResult(False, tuple(refusals))
        return MovementResult(await self._write_back(movement_id, write_status))

    async def _record_movement(
        self,
        connection: AsyncConnection,
        command: RecordMovement | TransferOut,
        named: Named,
        facts: AssetFacts | None,
        today: date,
    ) -> tuple[str | None, list[Refusal]]:
        entry = await self._records.entry(connection, named.name, command.hold_id)
        known = await self._records.facts(connection, named, facts)
        if isinstance(command, TransferOut):
            moved = decisions.transfer_out(command, entry, known)
        else:
            claims = await self._records.claims(connection, today, [named.name], without=command.hold_id)
            others = claims.get(named.name, ())
            moved = decisions.move(command, entry, known, others, self._records.now(), today)
        if isinstance(moved, Refusal):
            return None, [moved]
        movement_id = uuid.uuid4().hex
        await self._records.update_hold(connection, command.hold_id, **moved.changes)
        await self._records.add_movement(connection, movement_id, named, command)
        await self._instruct(connection, movement_id, named, moved)
        if moved.left is not None:
            successor = command.successor if isinstance(command, TransferOut) else None
            await self._records.depart(connection, movement_id, named, moved.left, successor)
        return movement_id, []

    async def _instruct(self, connection: AsyncConnection, movement_id: str, named: Named, moved: Moved) -> None:
        """What the legacy store is to show; a card that nobody else has shows it itself."""
        state = "OPEN" if moved.status is None else "PENDING"
        if named.card is not None:
            await self._records.show_on_card(connection, named.card, moved)
            if named.is_own:
                handed_out = await self.instructions.is_handed_out(connection, named.name)
                state = "OPEN" if handed_out else "WRITTEN"
                if moved.left == 0 and not handed_out:
                    await self.instructions.withdraw(connection, named.name)
        await self.instructions.add(connection, movement_id, named.home, moved.status, state)

    async def receive(self, command: ReceiveCard, is_in_store: bool) -> CardResult:
        """`is_in_store`: whether the legacy store, against all agreement, has a row of the new card's key."""
        async with self._transaction(command) as (connection, named):
            kept = await self._records.kept(connection, command)
            if isinstance(kept, Refusal):
                return CardResult(None, (kept,))
            if kept is not None:
                refusals = read_refusals(kept.problems)
            else:
                refusals = decisions.receive(command, is_in_store or named.card is not None)
                movement_id = None if refusals else uuid.uuid4().hex
                if movement_id is not None:
                    await self._records.add_card(connection, command)
                    await self._records.add_movement(connection, movement_id, named, command)
                    await self.instructions.add(connection, movement_id, command.asset, None, "OPEN")
                await self._records.keep(connection, command, None, movement_id, refusals)
        self._shelf.forget()
        return CardResult(None if refusals else command.asset, tuple(refusals))

    async def _write_back(self, movement_id: str, write_status: WriteStatus) -> bool:
        table = tables.instructions
        mine = sa.and_(table.c.region == self.region, table.c.id == movement_id)
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(table.c.state, table.c.status).where(mine))).one()
        if row.state != "PENDING":
            return bool(row.state == "WRITTEN")
        fault = await write_status(row.status)
        async with self._database.write(f"instruction {movement_id}") as connection:
            settled = sa.update(table).where(mine, table.c.state == "PENDING")
            changed = await connection.execute(settled.values(state="WRITTEN" if fault is None else "OPEN"))
            if fault is not None and changed.rowcount:
                await connection.execute(
                    sa.insert(tables.write_faults).values(region=self.region, instruction=movement_id, code=fault)
                )
            if await self._records.has_departed(connection, movement_id):
                await self._records.changed(connection)  # the store shows it now
        self._shelf.forget()
        return fault is None

    async def _hold_command(self, command: Command, decide: Decide) -> HoldResult:
        async with self._transaction(command) as (connection, named):
            kept = await self._records.kept(connection, command)
            if isinstance(kept, Refusal):
                return HoldResult(None, (kept,))
            if kept is None:
                hold_id, refusals = await decide(connection, named)
                await self._records.keep(connection, command, hold_id, None, refusals)
            else:
                hold_id, refusals = kept.hold_id, read_refusals(kept.problems)
            if refusals or hold_id is None:
                return HoldResult(None, tuple(refusals))
            entry = await self._records.entry(connection, named.name, hold_id)
            return HoldResult(None if entry is None else self._hold(entry))

    @asynccontextmanager
    async def _transaction(self, command: Command) -> AsyncIterator[tuple[AsyncConnection, Named]]:
        """Under the name that the asset is held under, whichever of its keys the command gives."""
        locks = f"{self.region} key {command.key}", f"{self.region} asset {command.asset}"
        async with self._database.write(*locks) as connection:
            named = await self._records.named(connection, command.asset)
            if named.name != command.asset:
                await self._database.lock(connection, f"{self.region} asset {named.name}")
                named = await self._records.named(connection, command.asset)
            yield connection, named

    # --- questions ----------------------------------------------------------------------------------------------------

    async def cards(self) -> Cards:
        """The cards and departures, as far as this process knows (see `shelf`)."""
        return await self._shelf.cards()

    async def home(self, native: str) -> str:
        """The key under which the legacy store has an asset that is asked for by any of its keys."""
        if not is_successor_key(native):
            return native
        async with self._database.read() as connection:
            return (await self._records.named(connection, native)).home

    async def status(self, asset: str, key: str) -> KnownCommand:
        """What is known of a command that was given for this asset."""
        table = tables.commands
        async with self._database.read() as connection:
            query = sa.select(table).where(table.c.region == self.region, table.c.key == key, table.c.asset == asset)
            row = (await connection.execute(query)).one_or_none()
            if row is None or row.hold_id is None:
                return KnownCommand(row is not None, None)
            named = await self._records.named(connection, asset)
            entry = await self._records.entry(connection, named.name, row.hold_id)
        return KnownCommand(True, None if entry is None else self._hold(entry))

    async def busy(
        self, assets: Collection[str], from_day: str, to_day: str, today: date
    ) -> Mapping[str, Sequence[Period[str]]]:
        """Per asset (native key) its busy periods within [from_day, to_day), with the days that must lie behind them;
        assets without any are absent."""
        known = await self.cards()
        names = {asset: known.name(asset) for asset in assets}
        claims = await self._claims_read(today, list(dict.fromkeys(names.values())))
        found = {
            asset: busy_periods(with_buffers(claims[name]), from_day, to_day)
            for asset, name in names.items()
            if name in claims
        }
        return {asset: periods for asset, periods in found.items() if periods}

    async def held(self, from_day: str, to_day: str, today: date) -> Mapping[str, Decimal]:
        """Per asset the most that is taken at a time within [from_day, to_day), by each of its keys; assets with
        nothing taken are absent."""
        known = await self.cards()
        async with self._database.read() as connection:
            claims = await self._records.claims(connection, today, None, from_day, to_day)
        found: dict[str, Decimal] = {}
        for name, theirs in claims.items():
            if quantity := peak(with_buffers(theirs), from_day, to_day):
                found[name] = found[known.home(name)] = quantity
        return found

    async def _claims_read(self, today: date, names: Sequence[str]) -> dict[str, list[Claim]]:
        found: dict[str, list[Claim]] = {}
        async with self._database.read() as connection:
            for start in range(0, len(names), _NATIVES_AT_ONCE):
                found |= await self._records.claims(connection, today, names[start : start + _NATIVES_AT_ONCE])
        return found

    def _hold(self, entry: Entry) -> Hold:
        state: Any = "EXPIRED" if entry.has_lapsed(self._records.now()) else entry.state
        return Hold(
            entry.id, entry.asset, entry.order_id, entry.from_day, entry.to_day, entry.quantity, state, entry.expires_at
        )

    def _later(self, seconds: int) -> str:
        return instant(self._clock() + timedelta(seconds=seconds))
