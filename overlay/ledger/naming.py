"""Where a ledger parts from its anchors: which lineages, and since which day.

Each anchor names the last entries of the lineages that moved since the one before. The anchors given vouch by their
signature; the store's own copies of earlier ones vouch as far back as each is the very anchor whose hash the next one
bears. So one anchor file tells of the whole past, as long as the store still has its copies; where these were changed
too, earlier files must be given. Anchors are gone through one at a time, oldest first, some hundred lineages at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.anchor import Anchor
from overlay.ledger.findings import Finding, Findings
from overlay.ledger.heads import streamed
from overlay.store.tables import ledger_anchors, ledger_entries

__all__ = ["name_differences"]

_LINEAGES_AT_ONCE = 500


async def name_differences(connection: AsyncConnection, anchors: Sequence[Anchor], findings: Findings) -> None:
    """Each lineage is named once, with the first day on which it differs."""
    named: set[str] = set()
    for day, given in await _days(connection, anchors, findings):
        anchor = given or await _copy(connection, day)
        if anchor is None:
            continue
        for finding in await _differences(connection, anchor):
            if finding.lineage not in named:
                named.add(str(finding.lineage))
                findings.add(finding)
    if not named:
        findings.add(Finding("NOT_NAMED", None, None, "what differs cannot be told: give earlier anchors as well"))


async def _days(
    connection: AsyncConnection, anchors: Sequence[Anchor], findings: Findings
) -> list[tuple[str, Anchor | None]]:
    """The days that are vouched for, oldest first, each with the anchor that was given for it."""
    given = {one.day: one for one in anchors}
    days: dict[str, Anchor | None] = dict(given)
    for one in sorted(given.values(), key=lambda anchor: anchor.day, reverse=True):
        previous = one.previous
        while previous is not None and previous["day"] not in days:
            copy = await _copy(connection, previous["day"])
            if copy is None or copy.hash != previous["hash"]:
                findings.add(
                    Finding("ANCHOR_CHANGED", None, previous["day"], "the store's copy is gone or was changed")
                )
                break
            days[copy.day] = None
            previous = copy.previous
    return sorted(days.items())


async def _copy(connection: AsyncConnection, day: str) -> Anchor | None:
    query = select(ledger_anchors.c.body).where(ledger_anchors.c.day == day)
    body = (await connection.execute(query)).scalar()
    return None if body is None else Anchor(orjson.loads(body))


async def _differences(connection: AsyncConnection, anchor: Anchor) -> list[Finding]:
    found: list[Finding] = []
    changed = anchor.body["changed"]
    for start in range(0, len(changed), _LINEAGES_AT_ONCE):
        part = changed[start : start + _LINEAGES_AT_ONCE]
        entries = await _entries(connection, [lineage for lineage, _, _ in part])
        for lineage, sequence, hash_ in part:
            code = _judge(entries.get(lineage), sequence, hash_, anchor.position)
            if code is not None:
                found.append(Finding(code, lineage, anchor.day, _WORDS[code].format(sequence=sequence)))
    known = {lineage for lineage, _, _ in changed}
    after = 0 if anchor.previous is None else anchor.previous["position"]
    table = ledger_entries
    query = select(table.c.lineage).distinct()
    moved = streamed(connection, query.where(table.c.position > after, table.c.position <= anchor.position))
    strangers = [row.lineage async for row in moved if row.lineage not in known]
    return found + [Finding("ENTRIES_INSERTED", one, anchor.day, _WORDS["ENTRIES_INSERTED"]) for one in strangers]


_WORDS = {
    "LINEAGE_DELETED": "it has no entries any more",
    "ENTRIES_DELETED": "entry {sequence} is gone",
    "HISTORY_REWRITTEN": "entry {sequence} is not the one that was anchored",
    "ENTRIES_INSERTED": "entries stand among the anchored ones that were not there",
    "ENTRIES_MOVED": "entry {sequence} stands behind the anchor's place",
}


def _judge(entries: Mapping[int, Any] | None, sequence: int, hash_: str, place: int) -> str | None:
    if not entries:
        return "LINEAGE_DELETED"
    entry = entries.get(sequence)
    if entry is None:
        return "ENTRIES_DELETED"
    if entry.hash != hash_:
        return "HISTORY_REWRITTEN"
    if entry.position > place:
        return "ENTRIES_MOVED"
    later = (other for number, other in entries.items() if number > sequence)
    return "ENTRIES_INSERTED" if any(other.position <= place for other in later) else None


async def _entries(connection: AsyncConnection, lineages: Sequence[str]) -> dict[str, dict[int, Any]]:
    table = ledger_entries
    query = select(table.c.lineage, table.c.sequence, table.c.hash, table.c.position)
    found: dict[str, dict[int, Any]] = {}
    async for row in streamed(connection, query.where(table.c.lineage.in_(lineages))):
        found.setdefault(row.lineage, {})[row.sequence] = row
    return found
