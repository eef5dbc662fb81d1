"""The rows of one region's book, inside the caller's transaction: holds, claims, kept commands, cards and departures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from subgraphs.district.custody import tables
from subgraphs.district.custody.cards import Card, Cards, Departure, card_row, facts_after, facts_of, lessened_fields
from subgraphs.district.custody.claims import FOREVER, Claim, days_later
from subgraphs.district.custody.decisions import Entry, Moved, claim_in_force
from subgraphs.district.custody.model import AssetFacts, Command, PlaceHold, ReceiveCard, RecordMovement, TransferOut
from subgraphs.district.custody.words import Refusal

__all__ = ["CARD", "TRANSFER", "Named", "Records", "instant", "read_refusals"]

KEY_LENGTH_MAX = 200
TRANSFER, CARD = "TRANSFER", "CARD"
"""Kinds of movement that are commands of their own."""
_IN_FORCE = ("ACTIVE", "DISPATCHED")
_SETTLED = ("WRITTEN", "DONE", "SUPERSEDED")
_COUNT_UP = sa.text(
    "INSERT INTO custody_card_changes (region, number) VALUES (:region, 1) "
    "ON CONFLICT (region) DO UPDATE SET number = custody_card_changes.number + 1"
)


@dataclass(frozen=True, slots=True)
class Named:
    """An asset as the book knows it, by whichever of its keys it was asked for."""

    name: str
    """What it is held under."""
    home: str
    """Its key in the legacy store, if that has it."""
    card: Card | None

    @property
    def is_own(self) -> bool:
        """Whether nobody but the book has it."""
        return self.card is not None and self.card.entered_as is None


class Records:
    def __init__(self, region: str, clock: Callable[[], datetime]) -> None:
        self.region, self._clock = region, clock

    # --- commands -----------------------------------------------------------------------------------------------------

    async def kept(self, connection: AsyncConnection, command: Command) -> Any:
        """The command's kept result; a refusal if the key is none or was another command's; None if it is new."""
        if not 0 < len(command.key) <= KEY_LENGTH_MAX:
            return Refusal("INVALID_IDEMPOTENCY_KEY", ("idempotencyKey",), {"length": str(KEY_LENGTH_MAX)})
        table = tables.commands
        query = sa.select(table).where(table.c.region == self.region, table.c.key == command.key)
        row = (await connection.execute(query)).one_or_none()
        if row is not None and row.digest != command.digest:
            return Refusal("IDEMPOTENCY_KEY_REUSED", ("idempotencyKey",))
        return row

    async def keep(
        self,
        connection: AsyncConnection,
        command: Command,
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
                at=self.now(),
            )
        )

    # --- holds --------------------------------------------------------------------------------------------------------

    async def add_hold(
        self, connection: AsyncConnection, hold_id: str, name: str, command: PlaceHold, until: str
    ) -> None:
        await connection.execute(
            sa.insert(tables.holds).values(
                region=self.region,
                id=hold_id,
                asset=name,
                order_id=command.order_id,
                from_day=command.from_day,
                to_day=command.to_day,
                quantity=format_decimal(command.quantity),
                dispatched="0",
                received="0",
                returned="0",
                gone="0",
                state="ACTIVE",
                expires_at=until,
                placed_at=self.now(),
                buffer_days=command.buffer_days,
                until_day=FOREVER if command.for_good else days_later(command.to_day, command.buffer_days),
            )
        )

    async def entry(self, connection: AsyncConnection, name: str, hold_id: str) -> Entry | None:
        table = tables.holds
        query = sa.select(table).where(table.c.region == self.region, table.c.id == hold_id, table.c.asset == name)
        row = (await connection.execute(query)).one_or_none()
        return None if row is None else _entry(row)

    async def update_hold(self, connection: AsyncConnection, hold_id: str, **values: Any) -> None:
        table = tables.holds
        where = sa.and_(table.c.region == self.region, table.c.id == hold_id)
        await connection.execute(sa.update(table).where(where).values(**values))

    async def set_last_day(self, connection: AsyncConnection, entry: Entry, to_day: str) -> None:
        until = FOREVER if entry.for_good else days_later(to_day, entry.buffer_days)
        await self.update_hold(connection, entry.id, to_day=to_day, until_day=until)

    async def add_movement(
        self,
        connection: AsyncConnection,
        movement_id: str,
        named: Named,
        command: RecordMovement | TransferOut | ReceiveCard,
    ) -> None:
        kind: str
        match command:
            case RecordMovement():
                kind, hold_id, quantity = command.kind, command.hold_id, command.quantity
            case TransferOut():
                kind, hold_id, quantity = TRANSFER, command.hold_id, command.quantity
            case ReceiveCard():
                kind, hold_id, quantity = CARD, "", Decimal(command.fields["quantity"])
        await connection.execute(
            sa.insert(tables.movements).values(
                region=self.region,
                id=movement_id,
                hold_id=hold_id,
                asset=named.name,
                kind=kind,
                quantity=format_decimal(quantity),
                at=self.now(),
            )
        )

    async def claims(
        self,
        connection: AsyncConnection,
        today: date,
        names: Sequence[str] | None,
        from_day: str | None = None,
        to_day: str | None = None,
        without: str | None = None,
    ) -> dict[str, list[Claim]]:
        """Claims in force, of the names given or of all that may touch [from_day, to_day); `without` leaves one out."""
        table = tables.holds
        in_force = sa.or_(table.c.state == "DISPATCHED", table.c.expires_at > self.now())
        query = sa.select(table).where(table.c.region == self.region, table.c.state.in_(_IN_FORCE), in_force)
        if names is not None:
            query = query.where(table.c.asset.in_(names))
        if without is not None:
            query = query.where(table.c.id != without)
        if from_day is not None and to_day is not None:
            touches = sa.and_(table.c.from_day < to_day, table.c.until_day > from_day)
            query = query.where(sa.or_(table.c.state == "DISPATCHED", touches))
        found: dict[str, list[Claim]] = {}
        for row in await connection.execute(query):
            entry = _entry(row)
            claim = claim_in_force(entry, today)
            if claim.quantity:
                found.setdefault(entry.asset, []).append(claim)
        return found

    # --- cards and departures -----------------------------------------------------------------------------------------

    async def named(self, connection: AsyncConnection, asset: str) -> Named:
        table = tables.cards
        mine = sa.or_(table.c.id == asset, table.c.entered_as == asset)
        row = (await connection.execute(sa.select(table).where(table.c.region == self.region, mine))).one_or_none()
        if row is None:
            return Named(asset, asset, None)
        card = _card(row)
        return Named(card.native, card.entered_as or card.native, card)

    async def facts(
        self, connection: AsyncConnection, named: Named, stored: AssetFacts | None, holdable: bool = True
    ) -> AssetFacts | None:
        """What is true of the asset now. `stored`: what the legacy store says of it, None where it says nothing."""
        if named.is_own or (stored is None and named.card is not None):
            assert named.card is not None
            return facts_of(card_row(named.card), holdable)
        if stored is None:
            return None
        return facts_after(stored, await self.departures(connection, named.name))

    async def departures(self, connection: AsyncConnection, name: str | None = None) -> list[Departure]:
        """In their order; of one name, or all that still matter."""
        table, told = tables.departures, tables.instructions
        joined = table.join(told, sa.and_(told.c.region == table.c.region, told.c.id == table.c.id))
        is_shown = told.c.state.in_(_SETTLED)
        query = (
            sa.select(table, is_shown.label("is_shown"))
            .select_from(joined)
            .where(table.c.region == self.region)
            .order_by(table.c.at, table.c.id)
        )
        if name is not None:
            query = query.where(table.c.asset == name)
        else:
            query = query.where(sa.or_(~is_shown, sa.and_(table.c.left_over == "0", table.c.successor.is_not(None))))
        return [
            Departure(row.asset, Decimal(row.left_over), row.successor, bool(row.is_shown))
            for row in await connection.execute(query)
        ]

    async def add_card(self, connection: AsyncConnection, command: ReceiveCard) -> None:
        now = self.now()
        fields = {
            **command.fields,
            "owner": command.owner,
            "warehouse": command.warehouse,
            "acquisition": "TRANSFER",
            "updatedAt": _second(now),
            "observedAt": _second(now),
        }
        await connection.execute(
            sa.insert(tables.cards).values(
                region=self.region,
                id=command.asset,
                lineage=command.lineage,
                predecessor=command.predecessor,
                order_id=command.order_id,
                fields=orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode(),
                version=1,
                at=now,
            )
        )
        await self.changed(connection)

    async def depart(
        self, connection: AsyncConnection, movement_id: str, named: Named, left: Decimal, successor: str | None
    ) -> None:
        await connection.execute(
            sa.insert(tables.departures).values(
                region=self.region,
                id=movement_id,
                asset=named.name,
                left_over=format_decimal(left),
                successor=successor,
                at=self.now(),
            )
        )
        await self.changed(connection)

    async def has_departed(self, connection: AsyncConnection, movement_id: str) -> bool:
        """Whether goods left for good with this movement."""
        table = tables.departures
        mine = sa.and_(table.c.region == self.region, table.c.id == movement_id)
        return await connection.scalar(sa.select(table.c.id).where(mine)) is not None

    async def show_on_card(self, connection: AsyncConnection, card: Card, moved: Moved) -> None:
        """What the legacy store is told, the book's own card shows at once."""
        fields = dict(card.fields)
        if moved.left is not None:
            fields = lessened_fields(fields, moved.left)
        if moved.status is not None:
            fields["status"] = moved.status
        if fields == card.fields:
            return
        fields["updatedAt"] = _second(self.now())
        table = tables.cards
        text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
        mine = sa.and_(table.c.region == self.region, table.c.id == card.native)
        await connection.execute(sa.update(table).where(mine).values(fields=text, version=card.version + 1))
        await self.changed(connection)

    async def changed(self, connection: AsyncConnection) -> None:
        """Whoever has the cards in memory will read them again."""
        await connection.execute(_COUNT_UP, {"region": self.region})

    async def number(self, connection: AsyncConnection) -> int:
        table = tables.card_changes
        return await connection.scalar(sa.select(table.c.number).where(table.c.region == self.region)) or 0

    async def cards(self, connection: AsyncConnection) -> Cards:
        """The number is read first: what changes meanwhile is read again, and never missed."""
        number, table = await self.number(connection), tables.cards
        rows = await connection.execute(sa.select(table).where(table.c.region == self.region).order_by(table.c.id))
        cards = {row.id: _card(row) for row in rows}
        departures: dict[str, list[Departure]] = {}
        for one in await self.departures(connection):
            departures.setdefault(one.asset, []).append(one)
        entered = {card.entered_as: card for card in cards.values() if card.entered_as is not None}
        return Cards(self.region, number, cards, departures, entered)

    # --- time ---------------------------------------------------------------------------------------------------------

    def now(self) -> str:
        return instant(self._clock())


def instant(moment: datetime) -> str:
    """As the book keeps it: one width, so that its order as text is its order in time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_refusals(problems: str) -> list[Refusal]:
    return [Refusal(code, tuple(path), parameters) for code, path, parameters in orjson.loads(problems)]


def _second(moment: str) -> str:
    """The book's instant as rows have theirs."""
    return moment[: len("2026-01-02T03:04:05")] + "Z"


def _card(row: Any) -> Card:
    fields: Mapping[str, Any] = orjson.loads(row.fields)
    return Card(row.id, row.lineage, row.predecessor, row.order_id, fields, row.version, row.entered_as, row.at)


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
        gone=Decimal(row.gone),
        buffer_days=row.buffer_days,
        for_good=row.until_day == FOREVER,
        placed_at=row.placed_at,
    )
