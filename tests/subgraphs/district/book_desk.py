"""A custody book that is worked at by hand: holds, movements and cards in few words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from contract.ids import format_id, parse_id, successor_id
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import (
    AssetFacts,
    MovementResult,
    PlaceHold,
    ReceiveCard,
    RecordMovement,
    TransferOut,
)

TODAY = date(2026, 12, 1)
ELSEWHERE = "330109"
_ORDER = "order:1"


class Desk:
    """Commands on one book; `fault` is why the legacy store is not written."""

    def __init__(self, url: str, region: str, fault: str | None = "NOT_GRANTED") -> None:
        self.moment = datetime(2026, 12, 1, 4, tzinfo=UTC)
        self.book = CustodyBook(url, region, self._now)
        self.region, self.fault = region, fault
        self.written: list[str] = []
        self._keys = count()

    def _now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    def key(self) -> str:
        return f"desk-{next(self._keys)}"

    async def _write(self, status: str) -> str | None:
        self.written.append(status)
        return self.fault

    async def hold(self, asset: str, facts: AssetFacts | None, quantity: str = "1", **more: Any) -> str:
        placed = await self.book.place(
            PlaceHold(
                key=self.key(), asset=asset, order_id=_ORDER, from_day="2026-12-01", to_day="2026-12-09",
                quantity=Decimal(quantity), life_s=86_400, **more,
            ),
            facts,
            TODAY,
        )  # fmt: skip
        assert placed.hold is not None, placed.refusals
        return placed.hold.id

    async def move(
        self, asset: str, hold: str, kind: Any, facts: AssetFacts | None, quantity: str = "1"
    ) -> MovementResult:
        command = RecordMovement(key=self.key(), asset=asset, hold_id=hold, kind=kind, quantity=Decimal(quantity))
        return await self.book.move(command, facts, self._write, TODAY)

    async def transfer(self, asset: str, facts: AssetFacts, quantity: str = "1") -> str:
        """Everything from the hold to the card at the receiver's, as the owner's book sees it → the successor."""
        hold = await self.hold(asset, facts, quantity, for_good=True)
        assert (await self.move(asset, hold, "DISPATCH", facts, quantity)).refusals == ()
        successor = successor_id(ELSEWHERE, format_id("asset", self.region, asset), hold)
        command = TransferOut(
            key=self.key(), asset=asset, hold_id=hold, order_id=_ORDER, quantity=Decimal(quantity), successor=successor
        )
        assert (await self.book.move(command, facts, self._write, TODAY)).refusals == ()
        return successor

    async def write_off(self, asset: str, facts: AssetFacts, quantity: str = "1") -> None:
        hold = await self.hold(asset, facts, quantity, own_use=True, for_good=True)
        assert (await self.move(asset, hold, "WRITE_OFF", facts, quantity)).refusals == ()

    async def receive(self, reference: str, fields: Mapping[str, Any], owner: str = "U1") -> str:
        """A card that came from elsewhere → its native key."""
        predecessor = f"asset:{ELSEWHERE}:{reference}"
        native = parse_id(successor_id(self.region, predecessor, reference)).native
        command = ReceiveCard(
            key=self.key(), asset=native, predecessor=predecessor, lineage=predecessor, order_id=_ORDER, owner=owner,
            warehouse=None, knows_warehouse=True, fields=fields,
        )  # fmt: skip
        assert (await self.book.receive(command, False)).refusals == ()
        return native

    async def enter(self, card: str, native: str) -> None:
        """The district has entered the card into its own system, and ticks it off with the key it gave."""
        for batch in await self.book.instructions.number():
            await self.book.instructions.filed(batch.file)
        (number,) = [
            one.number
            for one in await self.book.instructions.open(1_000)
            if (one.asset, one.kind) == (card, "CARD") and one.number is not None
        ]
        ticked = await self.book.instructions.done([number], {number: native})
        assert ticked.done == (number,), ticked
