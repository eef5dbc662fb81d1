"""The custody book of one region: the one authority on who is first for its assets.

Every command runs in one transaction that excludes all others on the asset:

    lock ─▶ seen before? ─▶ decide ─▶ write hold or movement ─▶ keep the result under its idempotency key

so the first of many is decided by the database and a repeated command gives the first result, refusals included. The
legacy store is never inside the transaction: a movement is recorded first, with an instruction that says what the
store should show; then the store is written where it may be, and the instruction is settled. What could not be
written stays an open instruction (未落库, see `instructions`). A command repeated after a crash takes the writing up again.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from subgraphs.district.custody import decisions, tables
from subgraphs.district.custody.claims import Claim, busy_periods, claim_of, peak
from subgraphs.district.custody.database import Database
from subgraphs.district.custody.decisions import Entry
from subgraphs.district.custody.instructions import Instructions, instant
from subgraphs.district.custody.model import (
    AssetFacts,
    Command,
    Hold,
    HoldResult,
    KnownCommand,
    MovementResult,
    PlaceHold,
    RecordMovement,
    ReleaseHold,
    RenewHold,
)
from subgraphs.district.custody.words import Refusal

__all__ = ["CustodyBook", "WriteStatus"]

KEY_LENGTH_MAX = 200
_IN_FORCE = ("ACTIVE", "DISPATCHED")
_NATIVES_AT_ONCE = 500

WriteStatus = Callable[[str], Awaitable[str | None]]
"""Writes the asset's status into the legacy store; a code where it may not or could not be written, None where it was."""


class CustodyBook:
    def __init__(self, url: str, region: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`url`: `sqlite:///FILE` or `postgresql://…`; a PostgreSQL database may hold the books of all regions."""
        self.region = region
        self._database = Database(url)
        self._clock = clock
        self.instructions = Instructions(self._database, region, clock)

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

        async def decide(connection: AsyncConnection, now: str) -> tuple[str | None, list[Refusal]]:
            claims = await self._claims(connection, now, today, [command.asset])
            refusals = decisions.place(command, facts, claims.get(command.asset, ()), today)
            if refusals:
                return None, refusals
            hold_id = uuid.uuid4().hex
            zero = "0"
            await connection.execute(
                sa.insert(tables.holds).values(
                    region=self.region,
                    id=hold_id,
                    asset=command.asset,
                    order_id=command.order_id,
                    from_day=command.from_day,
                    to_day=command.to_day,
                    quantity=format_decimal(command.quantity),
                    dispatched=zero,
                    received=zero,
                    returned=zero,
                    state="ACTIVE",
                    expires_at=self._later(command.life_s),
                    placed_at=now,
                )
            )
            return hold_id, []

        return await self._hold_command(command, decide)

    async def renew(self, command: RenewHold) -> HoldResult:
        async def decide(connection: AsyncConnection, now: str) -> tuple[str | None, list[Refusal]]:
            entry = await self._entry(connection, command.asset, command.hold_id)
            refusals = decisions.renew(command, entry, now)
            if not refusals and entry is not None and entry.state == "ACTIVE":
                await self._update(connection, entry.id, expires_at=self._later(command.life_s))
            return None if entry is None else entry.id, refusals

        return await self._hold_command(command, decide)

    async def release(self, command: ReleaseHold) -> HoldResult:
        async def decide(connection: AsyncConnection, _now: str) -> tuple[str | None, list[Refusal]]:
            entry = await self._entry(connection, command.asset, command.hold_id)
            refusals = decisions.release(entry)
            if not refusals and entry is not None:
                await self._update(connection, entry.id, state="RELEASED", expires_at=None)
            return None if entry is None else entry.id, refusals

        return await self._hold_command(command, decide)

    async def move(
        self, command: RecordMovement, facts: AssetFacts | None, write_status: WriteStatus, today: date
    ) -> MovementResult:
        async with self._transaction(command) as connection:
            now = self._now()
            kept = await self._kept(connection, command)
            if isinstance(kept, Refusal):
                return MovementResult(False, (kept,))
            if kept is None:
                movement_id, refusals = await self._record_movement(connection, command, facts, now, today)
                await self._keep(connection, command, now, command.hold_id, movement_id, refusals)
            else:
                movement_id, refusals = kept.movement_id, _read_refusals(kept.problems)
        if movement_id is None:
            return MovementResult(False, tuple(refusals))
        return MovementResult(await self._write_back(movement_id, write_status))

    async def _record_movement(
        self, connection: AsyncConnection, command: RecordMovement, facts: AssetFacts | None, now: str, today: date
    ) -> tuple[str | None, list[Refusal]]:
        entry = await self._entry(connection, command.asset, command.hold_id)
        claims = await self._claims(connection, now, today, [command.asset], without=command.hold_id)
        moved = decisions.move(command, entry, facts, claims.get(command.asset, ()), now, today)
        if isinstance(moved, Refusal):
            return None, [moved]
        movement_id = uuid.uuid4().hex
        await self._update(connection, command.hold_id, **moved.changes)
        await connection.execute(
            sa.insert(tables.movements).values(
                region=self.region,
                id=movement_id,
                hold_id=command.hold_id,
                asset=command.asset,
                kind=command.kind,
                quantity=format_decimal(command.quantity),
                at=now,
            )
        )
        await connection.execute(
            sa.insert(tables.instructions).values(
                region=self.region,
                id=movement_id,
                asset=command.asset,
                status=moved.status,
                state="OPEN" if moved.status is None else "PENDING",
                at=now,
            )
        )
        return movement_id, []

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
        return fault is None

    async def _hold_command(
        self,
        command: Command,
        decide: Callable[[AsyncConnection, str], Awaitable[tuple[str | None, list[Refusal]]]],
    ) -> HoldResult:
        async with self._transaction(command) as connection:
            now = self._now()
            kept = await self._kept(connection, command)
            if isinstance(kept, Refusal):
                return HoldResult(None, (kept,))
            if kept is None:
                hold_id, refusals = await decide(connection, now)
                await self._keep(connection, command, now, hold_id, None, refusals)
            else:
                hold_id, refusals = kept.hold_id, _read_refusals(kept.problems)
            if refusals or hold_id is None:
                return HoldResult(None, tuple(refusals))
            entry = await self._entry(connection, command.asset, hold_id)
            return HoldResult(None if entry is None else _hold(entry, now))

    # --- questions ----------------------------------------------------------------------------------------------------

    async def status(self, asset: str, key: str) -> KnownCommand:
        """What is known of a command that was given for this asset."""
        table = tables.commands
        async with self._database.read() as connection:
            query = sa.select(table).where(table.c.region == self.region, table.c.key == key, table.c.asset == asset)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return KnownCommand(False, None)
            entry = None if row.hold_id is None else await self._entry(connection, asset, row.hold_id)
        return KnownCommand(True, None if entry is None else _hold(entry, self._now()))

    async def busy(
        self, assets: Collection[str], from_day: str, to_day: str, today: date
    ) -> Mapping[str, Sequence[Claim]]:
        """Per asset (native key) its busy periods within [from_day, to_day); assets without any are absent."""
        claims = await self._claims_read(today, list(dict.fromkeys(assets)))
        found = {asset: busy_periods(theirs, from_day, to_day) for asset, theirs in claims.items()}
        return {asset: periods for asset, periods in found.items() if periods}

    async def held(self, from_day: str, to_day: str, today: date) -> Mapping[str, Decimal]:
        """Per asset the most that is taken at a time within [from_day, to_day); assets with nothing taken are absent."""
        async with self._database.read() as connection:
            claims = await self._claims(connection, self._now(), today, None, from_day, to_day)
        found = {asset: peak(theirs, from_day, to_day) for asset, theirs in claims.items()}
        return {asset: quantity for asset, quantity in found.items() if quantity}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _transaction(self, command: Command) -> Any:
        return self._database.write(f"{self.region} key {command.key}", f"{self.region} asset {command.asset}")

    async def _kept(self, connection: AsyncConnection, command: Command) -> Any:
        """The command's kept result; a refusal if the key is none or was another command's; None if it is new."""
        if not 0 < len(command.key) <= KEY_LENGTH_MAX:
            return Refusal("INVALID_IDEMPOTENCY_KEY", ("idempotencyKey",), {"length": str(KEY_LENGTH_MAX)})
        table = tables.commands
        query = sa.select(table).where(table.c.region == self.region, table.c.key == command.key)
        row = (await connection.execute(query)).one_or_none()
        if row is not None and row.digest != command.digest:
            return Refusal("IDEMPOTENCY_KEY_REUSED", ("idempotencyKey",))
        return row

    async def _keep(
        self,
        connection: AsyncConnection,
        command: Command,
        now: str,
        hold_id: str | None,
        movement_id: str | None,
        refusals: Sequence[Refusal],
    ) -> None:
        problems = [[one.code, one.path, dict(one.parameters)] for one in refusals]
        await connection.execute(
            sa.insert(tables.commands).values(
                region=self.region,
                key=command.key,
                digest=command.digest,
                asset=command.asset,
                hold_id=hold_id,
                movement_id=movement_id,
                problems=orjson.dumps(problems).decode(),
                at=now,
            )
        )

    async def _entry(self, connection: AsyncConnection, asset: str, hold_id: str) -> Entry | None:
        table = tables.holds
        query = sa.select(table).where(table.c.region == self.region, table.c.id == hold_id, table.c.asset == asset)
        row = (await connection.execute(query)).one_or_none()
        return None if row is None else _entry(row)

    async def _update(self, connection: AsyncConnection, hold_id: str, **values: Any) -> None:
        table = tables.holds
        where = sa.and_(table.c.region == self.region, table.c.id == hold_id)
        await connection.execute(sa.update(table).where(where).values(**values))

    async def _claims_read(self, today: date, assets: Sequence[str]) -> dict[str, list[Claim]]:
        found: dict[str, list[Claim]] = {}
        async with self._database.read() as connection:
            for start in range(0, len(assets), _NATIVES_AT_ONCE):
                part = assets[start : start + _NATIVES_AT_ONCE]
                found.update(await self._claims(connection, self._now(), today, part))
        return found

    async def _claims(
        self,
        connection: AsyncConnection,
        now: str,
        today: date,
        assets: Sequence[str] | None,
        from_day: str | None = None,
        to_day: str | None = None,
        without: str | None = None,
    ) -> dict[str, list[Claim]]:
        """Claims in force, of the assets given or of all that may touch [from_day, to_day); `without` leaves a hold out."""
        table = tables.holds
        in_force = sa.or_(table.c.state == "DISPATCHED", table.c.expires_at > now)
        query = sa.select(table).where(table.c.region == self.region, table.c.state.in_(_IN_FORCE), in_force)
        if assets is not None:
            query = query.where(table.c.asset.in_(assets))
        if without is not None:
            query = query.where(table.c.id != without)
        if from_day is not None and to_day is not None:
            touches = sa.and_(table.c.from_day < to_day, table.c.to_day > from_day)
            query = query.where(sa.or_(table.c.state == "DISPATCHED", touches))
        found: dict[str, list[Claim]] = {}
        for row in await connection.execute(query):
            entry = _entry(row)
            claim = claim_of(entry.from_day, entry.to_day, entry.claimed, entry.state == "DISPATCHED", today)
            if claim.quantity:
                found.setdefault(entry.asset, []).append(claim)
        return found

    def _now(self) -> str:
        return instant(self._clock())

    def _later(self, seconds: int) -> str:
        return instant(self._clock() + timedelta(seconds=seconds))


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        asset=row.asset,
        order_id=row.order_id,
        from_day=row.from_day,
        to_day=row.to_day,
        quantity=Decimal(row.quantity),
        dispatched=Decimal(row.dispatched),
        received=Decimal(row.received),
        returned=Decimal(row.returned),
        state=row.state,
        expires_at=row.expires_at,
        status_before=row.status_before,
    )


def _hold(entry: Entry, now: str) -> Hold:
    state: Any = "EXPIRED" if entry.has_lapsed(now) else entry.state
    return Hold(
        entry.id, entry.asset, entry.order_id, entry.from_day, entry.to_day, entry.quantity, state, entry.expires_at
    )


def _read_refusals(problems: str) -> list[Refusal]:
    return [Refusal(code, tuple(path), parameters) for code, path, parameters in orjson.loads(problems)]
