"""One signed anchor a day, in the table and in a file that a third party can check without this program."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import select, text

from contract.identity import generate_key_pair
from overlay.ledger.anchor import InvalidAnchor, Signer, read_anchor
from overlay.ledger.anchors import AnchorRefused, Anchors, anchor_file
from overlay.ledger.entries import Transfer, append
from overlay.ledger.verification import verify_ledger
from overlay.store.tables import outbox
from tests.overlay.city import ManualClock
from tests.overlay.ledger.books import KEYS, OPENING, OUT, OVER, Books

A, B = "asset:330106:a", "asset:330106:b"


def compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def merkle(leaves: list[bytes]) -> str:
    """RFC 6962, as it is written there."""

    def tree(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return hashlib.sha256(b"\x00" + part[0]).digest()
        split = 1
        while split * 2 < len(part):
            split *= 2
        return hashlib.sha256(b"\x01" + tree(part[:split]) + tree(part[split:])).digest()

    return tree(leaves).hex() if leaves else hashlib.sha256(b"").hexdigest()


async def test_a_file_can_be_checked_by_who_has_only_the_public_key_and_the_entries(books: Books) -> None:
    for number in range(7):
        await books.move(f"asset:330106:{number}")
    made = await books.anchor()
    file = json.loads(anchor_file(books.folder, "2026-12-01").read_bytes())
    body = file["anchor"]
    key: Any = load_pem_public_key(KEYS[1].encode())
    signed = b"gwc-ledger-anchor/1\n" + compact(body)
    key.verify(base64.b64decode(file["signature"]), signed)
    assert file["key"] == hashlib.sha256(key.public_bytes_raw()).hexdigest()
    assert made.hash == hashlib.sha256(signed).hexdigest()
    leaves, entries = [], 0
    for number in range(7):
        previous = "0" * 64
        for entry in await books.entries(f"asset:330106:{number}"):
            words = ["id", "lineage", "sequence", "asset_id", "pair", "movement", "region", "unit", "custody"]
            words += ["quantity", "value", "order_id", "at", "previous_hash", "asset_class"]
            hashed = compact(["gwc-ledger-entry/2", *(entry[word] for word in words)])
            assert entry["hash"] == hashlib.sha256(hashed).hexdigest()
            assert entry["previous_hash"] == previous
            previous = entry["hash"]
            entries += 1
        leaves.append(compact(["gwc-ledger-head/1", entry["lineage"], entry["sequence"], previous]))
    assert (body["root"], body["entries"], body["lineages"]) == (merkle(leaves), entries, 7)
    assert body["sums"]["IN_TRANSIT"] == {"quantity": "7", "value": "70.00"}


async def test_anchors_follow_each_other_and_name_what_moved_since(books: Books) -> None:
    await books.move(A)
    first = await books.anchor()
    await books.move(B)
    second = await books.anchor()
    assert first.body["previous"] is None
    assert second.body["previous"] == {"day": "2026-12-01", "hash": first.hash, "position": first.position}
    assert second.body["ledger"] == first.body["ledger"]
    assert [lineage for lineage, _, _ in first.body["changed"]] == [A]
    assert [lineage for lineage, _, _ in second.body["changed"]] == [B]


async def test_a_day_has_one_anchor_whoever_asks_how_often(books: Books) -> None:
    await books.move(A)
    first = await books.anchors.make()
    content = anchor_file(books.folder, first.day).read_bytes()
    await books.move(A, OVER)
    again = await Anchors(books.database, Signer(KEYS[0]), books.folder, books.clock).make()
    assert again == first
    assert [file.name for file in books.folder.iterdir()] == ["ledger-anchor-2026-12-01.json"]
    assert anchor_file(books.folder, first.day).read_bytes() == content
    async with books.database.read() as connection:
        notices = (await connection.execute(select(outbox.c.topic, outbox.c.subject, outbox.c.data))).all()
    assert [(one.topic, one.subject, one.data["hash"]) for one in notices] == [
        ("ledger.anchored", "anchor:2026-12-01", first.hash)
    ]


async def test_an_anchor_waits_for_who_is_writing_below_its_place(
    postgres_database: str, clock: ManualClock, tmp_path: Path
) -> None:
    """One that was first to draw a place commits last: an anchor made in between would never be reproduced again."""
    books = Books(postgres_database, clock, tmp_path / "anchors")
    await books.database.open()
    async with books.database.write() as connection:
        transfer = Transfer(*OUT, Decimal(1), None)
        await append(connection, A, "order:1", "2026-12-01T00:00:00.000000Z", OPENING, transfer)
        await books.move(B)
        making = asyncio.create_task(books.anchors.make())
        while not making.done() and not await waits_for_lock(books):
            continue
        assert not making.done()
    made = await making
    assert made.body["entries"] == 8
    assert (await verify_ledger(books.database, [made])).holds
    await books.database.close()


async def waits_for_lock(books: Books) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE relation = 'ledger_entries'::regclass AND NOT granted")
    async with books.database.read() as connection:
        return bool((await connection.execute(query)).scalar())


async def test_a_file_that_could_not_be_written_is_written_later(books: Books, tmp_path: Path) -> None:
    books.folder.write_text("a file stands where the folder should be")
    with pytest.raises(OSError):
        await books.anchor()
    books.folder.unlink()
    books.clock.advance(days=1)
    await books.anchor()
    assert sorted(file.name for file in books.folder.iterdir()) == [
        "ledger-anchor-2026-12-01.json",
        "ledger-anchor-2026-12-02.json",
    ]


async def test_another_file_in_its_place_is_left_alone_and_told(books: Books) -> None:
    books.folder.mkdir()
    anchor_file(books.folder, "2026-12-01").write_text("{}")
    with pytest.raises(AnchorRefused, match="is there already"):
        await books.anchor()
    assert anchor_file(books.folder, "2026-12-01").read_text() == "{}"
    assert [file.name for file in books.folder.iterdir()] == ["ledger-anchor-2026-12-01.json"]


async def test_no_anchor_vouches_for_a_past_that_was_rewritten(books: Books) -> None:
    await books.move(A)
    await books.anchor()
    await books.rewrite_value(A, "900.00")
    with pytest.raises(AnchorRefused, match="2026-12-01"):
        await books.anchor()


async def test_what_is_not_this_ledgers_anchor_is_refused(books: Books) -> None:
    await books.anchor()
    content = anchor_file(books.folder, "2026-12-01").read_bytes()
    assert read_anchor(content, KEYS[1]).day == "2026-12-01"
    wrong = {
        "changed after it was signed": content.replace(b'"entries":0', b'"entries":1'),
        "no anchor": b"{}",
        "form that this program knows": content.replace(b"gwc-ledger-anchor/1", b"gwc-ledger-anchor/9"),
    }
    for reason, changed in wrong.items():
        with pytest.raises(InvalidAnchor, match=reason):
            read_anchor(changed, KEYS[1])
    with pytest.raises(InvalidAnchor, match="another key"):
        read_anchor(content, generate_key_pair()[1])
