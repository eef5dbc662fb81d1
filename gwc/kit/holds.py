"""The conformance kit's check of holds: one asset's whole life on a scratch custody book, never on the real one.

The store is asked for the asset's facts, as it is before every hold, and never written: what a movement would write is
refused here, as by a store that grants nothing, and must become an instruction (未落库).
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from adapters.evaluate import predicate
from adapters.kit.conformance import Check, Findings, Subject
from adapters.mapping.mapper import today_in_shanghai
from adapters.model import And, Compare, Filter, In, Not, Row
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.model import AssetFacts, HoldResult, PlaceHold, RecordMovement, ReleaseHold, RenewHold

__all__ = ["HOLDS_CHECK"]

_LIFE_S = 600
_DAYS = 7
_LENDABLE: Filter = And((Compare("shareable", "eq", True), Not(In("status", ("DISPOSED", "LOST")))))


async def _holds(subject: Subject) -> Findings:
    if not subject.store.capabilities.hold:
        return Findings(skipped="the mapping does not grant holds: capabilities.hold is false")
    keep = predicate(_LENDABLE)
    until = (today_in_shanghai() + timedelta(days=_DAYS)).isoformat()
    found = [row for row, _ in subject.rows if keep(row) and (row["shareableUntil"] or until) >= until]
    if not found:
        return Findings(skipped="no row is shareable: nothing of this store can be lent (see fields.shareable)")
    findings = Findings(looked_at="place, place again, renew, release, dispatch of one asset on a scratch book")
    with tempfile.TemporaryDirectory(prefix="gwc-holds-", ignore_cleanup_errors=True) as folder:
        book = CustodyBook(f"sqlite:///{Path(folder) / 'scratch.sqlite'}", subject.store.region)
        await book.open()
        try:
            await _Life(subject, book, found[0]["native"], findings).live()
        finally:
            await book.close()
    return findings


class _Life:
    """One asset's holds, step by step; the first step that does not hold ends it."""

    def __init__(self, subject: Subject, book: CustodyBook, native: str, findings: Findings) -> None:
        self._subject, self._book, self._native, self._findings = subject, book, native, findings
        self._from = today_in_shanghai().isoformat()
        self._to = (today_in_shanghai() + timedelta(days=_DAYS)).isoformat()

    async def live(self) -> None:
        before = await self._row()
        if before is None:
            self._say("the asset before a hold", "the row", "no row")
            return
        facts = _facts(before)
        if facts.quantity <= 0:
            self._say("the asset's quantity", "more than 0", facts.quantity, field="quantity")
            return
        first = await self._place("first", facts)
        if first.hold is None:
            self._say("a hold", "placed", _refused(first))
            return
        await self._contend(first.hold.id, facts)
        await self._release_and_dispatch(first.hold.id, facts)
        after = await self._row()
        if after is None or after["version"] != before["version"]:
            found = "no row" if after is None else after["version"]
            self._say("the asset after its holds", before["version"], found, field="version")

    async def _contend(self, hold: str, facts: AssetFacts) -> None:
        second = await self._place("second", facts)
        if second.hold is not None:
            self._say("a second hold of the same days", "ASSET_BUSY", "placed")
        renewed = await self._book.renew(RenewHold(key="renew", asset=self._native, hold_id=hold, life_s=_LIFE_S))
        if renewed.refusals:
            self._say("renewing the hold", "renewed", _refused(renewed))

    async def _release_and_dispatch(self, hold: str, facts: AssetFacts) -> None:
        await self._book.release(ReleaseHold(key="release", asset=self._native, hold_id=hold))
        third = await self._place("third", facts)
        if third.hold is None:
            self._say("a hold after the first was released", "placed", _refused(third))
            return
        command = RecordMovement(
            key="dispatch", asset=self._native, hold_id=third.hold.id, kind="DISPATCH", quantity=facts.quantity
        )
        moved = await self._book.move(command, facts, _write_nothing, today_in_shanghai())
        if moved.refusals:
            self._say("a dispatch", "recorded", moved.refusals[0].code)
        elif moved.written_back:
            self._say("a dispatch that the store did not take", "an instruction (未落库)", "written")

    async def _place(self, key: str, facts: AssetFacts) -> HoldResult:
        command = PlaceHold(
            key=key, asset=self._native, order_id=key, from_day=self._from, to_day=self._to, quantity=facts.quantity,
            life_s=_LIFE_S, expected_version=facts.version,
        )  # fmt: skip
        return await self._book.place(command, facts, today_in_shanghai())

    async def _row(self) -> Row | None:
        return (await self._subject.store.rows([self._native])).get(self._native)

    def _say(self, where: str, expected: object, found: object, field: str | None = None) -> None:
        self._findings.add(where, key=self._native, field=field, expected=expected, found=found)


async def _write_nothing(status: str) -> str | None:
    return "NOT_GRANTED"


def _refused(result: HoldResult) -> str:
    return ", ".join(refusal.code for refusal in result.refusals) or "nothing"


def _facts(row: Row) -> AssetFacts:
    return AssetFacts(
        quantity=Decimal(row["quantity"]) if row["quantity"] is not None else Decimal(1),
        version=row["version"],
        status=row["status"],
        shareable=row["shareable"],
        shareable_until=row["shareableUntil"],
    )


HOLDS_CHECK = Check(
    "holds",
    "an asset can be held, is busy then, can be released and dispatched, and its version stands still meanwhile",
    _holds,
    "Map fields.version so that it changes only when the row does (version = { digest = true }), and fields.quantity "
    "so that it is above 0.",
)
