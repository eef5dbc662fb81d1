"""A ledger to work on: movements written by the house's own function, and hands that change it behind its back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, text, update

from contract.identity import generate_key_pair
from overlay.clock import text_of
from overlay.ledger.anchor import Anchor, Signer
from overlay.ledger.anchors import Anchors
from overlay.ledger.chain import GENESIS, entry_hash
from overlay.ledger.entries import Account, Custody, Movement, Opening, Transfer, append
from overlay.store.database import Database
from overlay.store.tables import ledger_balances, ledger_entries, ledger_lineages
from tests.overlay.city import ManualClock

KEYS = generate_key_pair()
STORE = Account("330106", "u", Custody.IN_STORE)
ROAD = Account("330106", "u", Custody.IN_TRANSIT)
LENT = Account("330105", "b", Custody.LENT)
OPENING = Opening(STORE, Decimal(10), Decimal("100.00"), "A02020200")
OUT = (Movement.DISPATCH, STORE, ROAD)
OVER = (Movement.RECEIVE, ROAD, LENT)


class Books:
    def __init__(self, url: str, clock: ManualClock, folder: Path) -> None:
        self.database, self.clock, self.folder = Database(url), clock, folder
        self.anchors = Anchors(self.database, Signer(KEYS[0]), folder, clock)

    async def move(
        self,
        asset: str,
        what: tuple[Movement, Account, Account] = OUT,
        quantity: int = 1,
        opening: Opening = OPENING,
        *,
        learns: bool = False,
    ) -> None:
        transfer = Transfer(*what, Decimal(quantity), Decimal(quantity) * 10)
        async with self.database.write() as connection:
            await append(connection, asset, "order:1", text_of(self.clock()), opening, transfer, learns=learns)

    async def anchor(self) -> Anchor:
        """The day's, and then it is tomorrow."""
        made = await self.anchors.make()
        self.clock.advance(days=1)
        return made

    async def entries(self, lineage: str) -> list[dict[str, Any]]:
        table = ledger_entries
        query = select(table).where(table.c.lineage == lineage).order_by(table.c.sequence)
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def rehash(self, lineage: str) -> None:
        """Make a chain of whatever stands there, as somebody who owns the database could."""
        previous = GENESIS
        async with self.database.write() as connection:
            for row in await self.entries(lineage):
                row["previous_hash"] = previous
                previous = entry_hash(row)
                one = update(ledger_entries).where(ledger_entries.c.id == row["id"])
                await connection.execute(one.values(previous_hash=row["previous_hash"], hash=previous))
            head = update(ledger_lineages).where(ledger_lineages.c.lineage == lineage)
            await connection.execute(head.values(sequence=row["sequence"], hash=previous))

    async def rewrite_value(self, lineage: str, value: str) -> None:
        """A lineage's opening was worth this much all along: entries, chain and balances agree on it."""
        async with self.database.write() as connection:
            for sequence, sign in ((1, "-"), (2, "")):
                one = (ledger_entries.c.lineage == lineage) & (ledger_entries.c.sequence == sequence)
                await connection.execute(update(ledger_entries).where(one).values(value=f"{sign}{value}"))
        await self.rehash(lineage)
        await self.refold(lineage)

    async def refold(self, lineage: str) -> None:
        held: dict[tuple[str, ...], list[Decimal]] = {}
        for row in await self.entries(lineage):
            sums = held.setdefault((row["region"], row["unit"] or "", row["custody"]), [Decimal(0), Decimal(0)])
            sums[0] += Decimal(row["quantity"])
            sums[1] += Decimal(row["value"])
        async with self.database.write() as connection:
            await connection.execute(delete(ledger_balances).where(ledger_balances.c.lineage == lineage))
            for (region, unit, custody), (quantity, value) in held.items():
                if not quantity:
                    continue
                account = {"lineage": lineage, "asset_id": lineage, "region": region, "unit": unit, "custody": custody}
                row = insert(ledger_balances).values(**account, quantity=str(quantity), value=str(value))
                await connection.execute(row)

    async def delete_lineage(self, lineage: str) -> None:
        async with self.database.write() as connection:
            for table in (ledger_entries, ledger_lineages, ledger_balances):
                await connection.execute(delete(table).where(table.c.lineage == lineage))

    async def truncate(self, lineage: str, sequence: int) -> None:
        """The lineage ends at this entry, and everything beside it says so too."""
        table = ledger_entries
        async with self.database.write() as connection:
            gone = (table.c.lineage == lineage) & (table.c.sequence > sequence)
            await connection.execute(delete(table).where(gone))
        await self.rehash(lineage)
        await self.refold(lineage)

    async def put_before(self, lineage: str, position: int) -> None:
        """The lineage's last pair was always there: its places are below the anchor's."""
        async with self.database.write() as connection:
            await connection.execute(
                text(
                    "UPDATE ledger_entries SET position = position - :big WHERE lineage = :lineage AND position > :place"
                ),
                {"big": 1_000_000, "lineage": lineage, "place": position},
            )
