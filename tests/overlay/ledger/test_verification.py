"""Whatever is done to the ledger behind its back is found: by itself where the chain breaks, else by an anchor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, update

from overlay.ledger.anchor import Anchor
from overlay.ledger.verification import Verification, verify_ledger
from overlay.store.tables import ledger_anchors, ledger_balances, ledger_entries, ledger_lineages
from tests.overlay.ledger.books import OVER, Books

A, B, C = (f"asset:330106:{name}" for name in "abc")


async def checked(books: Books, *anchors: Anchor) -> Verification:
    return await verify_ledger(books.database, anchors)


async def three_days(books: Books) -> tuple[Anchor, Anchor, Anchor]:
    """Day 1: a and b move; day 2: b and c; day 3: nothing; and afterwards c."""
    await books.move(A, quantity=3)
    await books.move(B)
    first = await books.anchor()
    await books.move(B, OVER)
    await books.move(C, quantity=2)
    second = await books.anchor()
    third = await books.anchor()
    await books.move(C, OVER)
    return first, second, third


def named(found: Verification) -> set[tuple[str, str | None, str | None]]:
    return {(one.code, one.lineage, one.day) for one in found.findings.shown if one.lineage is not None}


async def test_an_untouched_ledger_holds_and_is_what_every_anchor_says(books: Books) -> None:
    anchors = await three_days(books)
    found = await checked(books, *anchors)
    assert found.findings.shown == []
    assert (found.entries, found.lineages) == (16, 3)
    assert found.reproduced == ("2026-12-01", "2026-12-02", "2026-12-03")
    assert [one.body["entries"] for one in anchors] == [8, 14, 14]


async def test_an_empty_ledger_holds(books: Books) -> None:
    anchor = await books.anchor()
    assert anchor.body["entries"] == 0
    assert (await checked(books, anchor)).holds


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_history_that_was_rewritten_and_rehashed_only_an_anchor_finds(books: Books, which: int) -> None:
    """One anchor of any later day tells of the lineage and of the first day on which it was another."""
    anchors = await three_days(books)
    await books.rewrite_value(B, "900.00")
    assert (await checked(books)).holds
    found = await checked(books, anchors[which])
    assert not found.holds
    assert named(found) == {("HISTORY_REWRITTEN", B, "2026-12-01")}
    assert "ANCHOR_NOT_REPRODUCED" in found.findings.by_code


async def test_what_came_after_the_anchor_it_says_nothing_of(books: Books) -> None:
    first, _, third = await three_days(books)
    await books.rewrite_value(C, "900.00")
    assert (await checked(books, first)).holds
    assert named(await checked(books, third)) == {("HISTORY_REWRITTEN", C, "2026-12-02")}


async def test_a_deleted_lineage_is_named(books: Books) -> None:
    anchors = await three_days(books)
    await books.delete_lineage(A)
    assert (await checked(books)).holds
    assert named(await checked(books, anchors[1])) == {("LINEAGE_DELETED", A, "2026-12-01")}


async def test_a_truncated_lineage_is_named_with_the_day_that_it_lost(books: Books) -> None:
    anchors = await three_days(books)
    await books.truncate(B, 4)
    assert (await checked(books)).holds
    assert named(await checked(books, anchors[2])) == {("ENTRIES_DELETED", B, "2026-12-02")}
    assert (await checked(books, anchors[0])).holds


async def test_a_truncated_ledger_is_found(books: Books) -> None:
    anchors = await three_days(books)
    for lineage in (A, B, C):
        await books.delete_lineage(lineage)
    assert (await checked(books)).holds
    found = await checked(books, anchors[0])
    assert named(found) == {("LINEAGE_DELETED", A, "2026-12-01"), ("LINEAGE_DELETED", B, "2026-12-01")}


async def test_entries_that_were_put_before_the_anchor_are_named(books: Books) -> None:
    anchors = await three_days(books)
    await books.move(A)
    await books.move("asset:330106:new")
    await books.put_before(A, anchors[2].position)
    await books.put_before("asset:330106:new", anchors[2].position)
    assert (await checked(books)).holds
    found = await checked(books, anchors[0])
    assert ("ENTRIES_INSERTED", A, "2026-12-01") in named(found)
    assert not found.holds


async def test_an_entry_that_was_put_behind_the_anchor_is_named(books: Books) -> None:
    first, _, _ = await three_days(books)
    async with books.database.write() as connection:
        await connection.execute(
            update(ledger_entries)
            .where(ledger_entries.c.lineage == A)
            .values(position=ledger_entries.c.position + 1000)
        )
    assert named(await checked(books, first)) == {("ENTRIES_MOVED", A, "2026-12-01")}


async def test_where_the_copies_of_anchors_were_changed_too_earlier_files_still_tell(books: Books) -> None:
    first, second, third = await three_days(books)
    await books.rewrite_value(A, "900.00")
    async with books.database.write() as connection:
        await connection.execute(delete(ledger_anchors))
    blind = await checked(books, third)
    assert "ANCHOR_CHANGED" in blind.findings.by_code
    assert "NOT_NAMED" in blind.findings.by_code
    assert named(await checked(books, first, second, third)) == {("HISTORY_REWRITTEN", A, "2026-12-01")}


async def test_another_ledgers_anchor_is_told_as_such(books: Books, url: str) -> None:
    await three_days(books)
    other = Anchor({**(await books.anchors.make()).body, "ledger": "0" * 32})
    found = await checked(books, other)
    assert [one.code for one in found.findings.shown] == ["OTHER_LEDGER"]


Change = Callable[[Books], Awaitable[None]]


def changing(table: object, **values: object) -> Change:
    async def change(books: Books) -> None:
        async with books.database.write() as connection:
            await connection.execute(update(table).where(table.c.lineage == A).values(**values))  # type: ignore[arg-type, attr-defined]

    return change


async def lose_head(books: Books) -> None:
    async with books.database.write() as connection:
        await connection.execute(delete(ledger_entries).where(ledger_entries.c.lineage == A))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (changing(ledger_entries, at="2026-01-01T00:00:00.000000Z"), "CHAIN_BROKEN"),
        (changing(ledger_entries, asset_class="A01"), "CHAIN_BROKEN"),
        (changing(ledger_balances, quantity="7"), "BALANCE_DIFFERS"),
        (changing(ledger_lineages, hash="f" * 64), "HEAD_DIFFERS"),
        (lose_head, "LINEAGE_DELETED"),
    ],
)
async def test_by_itself_the_ledger_must_be_whole(books: Books, change: Change, code: str) -> None:
    await three_days(books)
    await change(books)
    found = await checked(books)
    assert (code, A) in {(one.code, one.lineage) for one in found.findings.shown}
    assert {one.lineage for one in found.findings.shown} == {A}


async def test_an_unpaired_entry_is_found_though_it_is_chained(books: Books) -> None:
    await three_days(books)
    async with books.database.write() as connection:
        one = (ledger_entries.c.lineage == A) & (ledger_entries.c.sequence == 4)
        await connection.execute(update(ledger_entries).where(one).values(quantity="4"))
    await books.rehash(A)
    await books.refold(A)
    found = await checked(books)
    assert [(one.code, one.lineage) for one in found.findings.shown] == [("CHAIN_BROKEN", A)]
