"""Checking the whole ledger, as it stands in the store, by itself and against anchors.

All entries are read once, lineage by lineage, in one snapshot. By itself the ledger must be chained and paired, and its
heads and balances must be what the entries add up to. For each anchor the same reading makes the Merkle root, the count
and the sums as of the anchor's place. What is in memory is one lineage and, per anchor, a tree's edge and a few sums;
only where an anchor is not reproduced `naming` looks closer, for the lineages and the day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.anchor import Anchor
from overlay.ledger.chain import BrokenChain, Chain
from overlay.ledger.findings import Finding, Findings
from overlay.ledger.heads import Sums, add_sums, in_code_order, shown_sums, snapshot, streamed
from overlay.ledger.kept import Kept, KeptSums
from overlay.ledger.merkle import MerkleTree, head_leaf
from overlay.ledger.naming import name_differences
from overlay.store.database import Database
from overlay.store.tables import ledger_anchors, ledger_entries

__all__ = ["Verification", "verify_ledger"]


@dataclass(frozen=True, slots=True)
class Verification:
    entries: int
    lineages: int
    reproduced: tuple[str, ...]
    """Days of the anchors that the ledger reproduces."""
    findings: Findings

    @property
    def holds(self) -> bool:
        return not self.findings.count


async def verify_ledger(database: Database, anchors: Sequence[Anchor]) -> Verification:
    ordered = sorted(anchors, key=lambda one: (one.position, one.day))
    findings = Findings()
    async with database.read() as connection:
        await snapshot(connection)
        reading = await _read(connection, [one.position for one in ordered], findings)
        await _check_identity(connection, ordered, findings)
        failed = []
        for anchor, replay in zip(ordered, reading.replays(), strict=True):
            differing = replay.differences(anchor)
            if differing:
                failed.append(anchor)
                findings.add(Finding("ANCHOR_NOT_REPRODUCED", None, anchor.day, "; ".join(differing)))
        if failed:
            await name_differences(connection, ordered, findings)
    good = tuple(one.day for one in ordered if one not in failed)
    return Verification(reading.entries, reading.lineages, good, findings)


@dataclass(slots=True)
class _Replay:
    """What the entries up to one anchor's place come to."""

    tree: MerkleTree = field(default_factory=MerkleTree)
    sums: Sums = field(default_factory=dict)
    entries: int = 0

    def take(self, other: _Replay) -> None:
        self.entries += other.entries
        for custody, (quantity, value) in other.sums.items():
            add_sums(self.sums, custody, quantity, value)

    def differences(self, anchor: Anchor) -> list[str]:
        found = {
            "entries": self.entries,
            "lineages": self.tree.leaves,
            "root": self.tree.root(),
            "sums": shown_sums(self.sums),
        }
        return [
            name if name in ("root", "sums") else f"{name}: {value} here, {anchor.body[name]} in the anchor"
            for name, value in found.items()
            if value != anchor.body[name]
        ]


class _Reading:
    """The reading of all entries, with anchors' places in ascending order."""

    def __init__(self, places: Sequence[int], findings: Findings) -> None:
        self._places, self._findings = places, findings
        self._replays = [_Replay() for _ in places]
        self.entries = self.lineages = 0
        self._lineage: str | None = None
        self._chain, self.kept = Chain(), Kept()
        self._broken = False
        self._heads: list[tuple[int, str] | None] = [None] * len(places)
        """Per anchor the last entry of this lineage between its place and the place before."""

    def add(self, row: Any) -> Kept | None:
        """Gives the lineage before, when this entry begins another."""
        done = self.end() if row["lineage"] != self._lineage else None
        self._lineage = row["lineage"]
        self.entries += 1
        if not self._broken:
            try:
                self._chain.add(row)
            except BrokenChain as error:
                self._break(error)
        quantity, value = Decimal(row["quantity"]), row["value"]
        known = None if value is None else Decimal(value)
        self.kept.add(row, quantity, known)
        index = bisect_left(self._places, row["position"])
        if index < len(self._places):
            replay = self._replays[index]
            replay.entries += 1
            add_sums(replay.sums, row["custody"], quantity, known or Decimal(0))
            head = self._heads[index]
            if head is None or head[0] < row["sequence"]:
                self._heads[index] = row["sequence"], row["hash"]
        return done

    def end(self) -> Kept | None:
        """The lineage is complete."""
        if self._lineage is None:
            return None
        if not self._broken:
            try:
                self._chain.end()
            except BrokenChain as error:
                self._break(error)
        self._plant()
        done = self.kept
        self.lineages += 1
        self._chain, self.kept, self._broken = Chain(), Kept(), False
        self._heads = [None] * len(self._places)
        return done

    def replays(self) -> list[_Replay]:
        """Up to each place: entries are counted between places as they come, and added up here."""
        for before, after in zip(self._replays, self._replays[1:], strict=False):
            after.take(before)
        return self._replays

    def _plant(self) -> None:
        last: tuple[int, str] | None = None
        for replay, head in zip(self._replays, self._heads, strict=True):
            if head is not None and (last is None or head[0] > last[0]):
                last = head
            if last is not None:
                replay.tree.add(head_leaf(str(self._lineage), *last))

    def _break(self, error: BrokenChain) -> None:
        self._broken = True
        self._findings.add(Finding("CHAIN_BROKEN", self._lineage, None, str(error)))


async def _read(connection: AsyncConnection, places: Sequence[int], findings: Findings) -> _Reading:
    table = ledger_entries
    columns = [column for column in table.c if column.name not in ("balance", "balance_value")]
    names = [column.name for column in columns]
    query = select(*columns).order_by(in_code_order(connection, table.c.lineage), table.c.sequence)
    reading, sums = _Reading(places, findings), KeptSums(connection, findings)
    async for row in streamed(connection, query):
        done = reading.add(dict(zip(names, row, strict=True)))
        if done is not None:
            await sums.check(done)
    done = reading.end()
    if done is not None:
        await sums.check(done)
    await sums.finish(reading.lineages)
    return reading


async def _check_identity(connection: AsyncConnection, anchors: Sequence[Anchor], findings: Findings) -> None:
    """Each ledger has a name of its own, which its anchors bear: a copy's or a rehearsal's anchors are another's."""
    total = (await connection.execute(select(func.count()).select_from(ledger_anchors))).scalar_one()
    names = {one.body["ledger"] for one in anchors}
    if len(names) > 1:
        findings.add(Finding("OTHER_LEDGER", None, None, "the anchors given are of different ledgers"))
    for anchor in anchors if total else ():
        query = select(ledger_anchors.c.body).where(ledger_anchors.c.day == anchor.day)
        body = (await connection.execute(query)).scalar()
        if body is None:
            findings.add(Finding("ANCHOR_MISSING", None, anchor.day, "the store has lost its copy of this anchor"))
        elif Anchor(orjson.loads(body)).body["ledger"] != anchor.body["ledger"]:
            findings.add(Finding("OTHER_LEDGER", None, anchor.day, "the anchor is of another ledger"))
        elif Anchor(orjson.loads(body)).hash != anchor.hash:
            findings.add(
                Finding("ANCHOR_CHANGED", None, anchor.day, "the store's copy of this anchor says another thing")
            )
