"""Whether heads and balances, which the ledger keeps beside its entries, are what the entries add up to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.findings import Finding, Findings
from overlay.ledger.model import Balance
from overlay.store.tables import ledger_balances, ledger_entries, ledger_lineages

__all__ = ["Kept", "KeptSums"]

_LINEAGES_AT_ONCE = 500
_GONE_MAX = 100
_NOTHING = Balance(Decimal(0), None)

_Account = tuple[str, str, str, str]


class Kept:
    """One lineage, folded from its entries."""

    def __init__(self) -> None:
        self.lineage = ""
        self.head: tuple[int, str] = (0, "")
        self.asset_class: str | None = None
        self.balances: dict[_Account, Balance] = {}

    def add(self, row: Any, quantity: Decimal, value: Decimal | None) -> None:
        self.lineage, self.head = row["lineage"], (row["sequence"], row["hash"])
        self.asset_class = self.asset_class or row["asset_class"]
        account = (row["asset_id"], row["region"], row["unit"] or "", row["custody"])
        self.balances[account] = self.balances.get(account, _NOTHING).plus(quantity, value)

    def held(self) -> dict[_Account, Balance]:
        return {account: held for account, held in self.balances.items() if held.quantity or held.value}


class KeptSums:
    """Holds folded lineages against the tables, some hundred at a time."""

    def __init__(self, connection: AsyncConnection, findings: Findings) -> None:
        self._connection, self._findings = connection, findings
        self._waiting: list[Kept] = []

    async def check(self, lineage: Kept) -> None:
        self._waiting.append(lineage)
        if len(self._waiting) == _LINEAGES_AT_ONCE:
            await self._compare()

    async def finish(self, lineages: int) -> None:
        await self._compare()
        heads = ledger_lineages
        kept = (await self._connection.execute(select(func.count()).select_from(heads))).scalar_one()
        if kept == lineages:
            return
        entries = ledger_entries
        has_entries = select(entries.c.position).where(entries.c.lineage == heads.c.lineage).exists()
        gone = await self._connection.execute(select(heads.c.lineage).where(~has_entries).limit(_GONE_MAX))
        for lineage in gone.scalars():
            self._findings.add(Finding("LINEAGE_DELETED", lineage, None, "its head is kept, but it has no entries"))

    async def _compare(self) -> None:
        waiting, self._waiting = self._waiting, []
        names = [one.lineage for one in waiting]
        heads, balances = await self._heads(names), await self._balances(names)
        for one in waiting:
            if heads.get(one.lineage) != (*one.head, one.asset_class):
                self._findings.add(Finding("HEAD_DIFFERS", one.lineage, None, "the kept head is not its last entry"))
            if balances.get(one.lineage, {}) != one.held():
                self._findings.add(
                    Finding(
                        "BALANCE_DIFFERS", one.lineage, None, "the kept balances are not what its entries add up to"
                    )
                )

    async def _heads(self, lineages: Sequence[str]) -> dict[str, tuple[int, str, str | None]]:
        table = ledger_lineages
        rows = await self._connection.execute(select(table).where(table.c.lineage.in_(lineages)))
        return {row.lineage: (row.sequence, row.hash, row.asset_class) for row in rows}

    async def _balances(self, lineages: Sequence[str]) -> dict[str, dict[_Account, Balance]]:
        table = ledger_balances
        found: dict[str, dict[_Account, Balance]] = {}
        for row in await self._connection.execute(select(table).where(table.c.lineage.in_(lineages))):
            value = None if row.value is None else Decimal(row.value)
            account = (row.asset_id, row.region, row.unit, row.custody)
            found.setdefault(row.lineage, {})[account] = Balance(Decimal(row.quantity), value)
        return found
