"""A ledger from before heads, balances and anchors keeps every word and every hash, and verifies."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from sqlalchemy import text

from overlay.ledger.entries import Account, Custody, Movement, Opening, Transfer, append
from overlay.ledger.verification import verify_ledger
from overlay.store.database import MIGRATIONS, Database

ASSET = "asset:330106:a"
STORE = Account("330106", "u", Custody.IN_STORE)
ROAD = Account("330106", "u", Custody.IN_TRANSIT)
WORDS = (
    "id", "lineage", "sequence", "asset_id", "pair", "movement", "region", "unit", "custody", "quantity", "value",
    "order_id", "at", "previous_hash", "hash",
)  # fmt: skip


def entries_of_then() -> list[dict[str, object]]:
    sides = [("OPENING", -3, "-9.00"), ("IN_STORE", 3, "9.00"), ("IN_STORE", -1, "-3.00"), ("IN_TRANSIT", 1, "3.00")]
    rows: list[dict[str, object]] = []
    previous = "0" * 64
    for number, (custody, quantity, value) in enumerate(sides, start=1):
        movement = "OPENING" if number < 3 else "DISPATCH"
        row: list[object] = [
            f"e{number}",
            ASSET,
            number,
            ASSET,
            f"p{(number + 1) // 2}",
            movement,
            "330106",
            "u",
            custody,
        ]
        row += [str(quantity), value, "order:1", "2026-01-01T00:00:00.000000Z", previous]
        previous = hashlib.sha256(json.dumps(row, separators=(",", ":")).encode()).hexdigest()
        rows.append(dict(zip(WORDS, [*row, previous], strict=True)))
    return rows


async def test_a_ledger_of_then_is_a_ledger_of_now(empty_store: str) -> None:
    database = Database(empty_store)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: MIGRATIONS.upgrade(sync, "0002"))
        values = ", ".join(f":{word}" for word in WORDS)
        names = ", ".join('"value"' if word == "value" else word for word in WORDS)
        for row in entries_of_then():
            await connection.execute(text(f"INSERT INTO ledger_entries ({names}) VALUES ({values})"), row)
    await database.open()
    assert (await verify_ledger(database, ())).findings.shown == []
    async with database.write() as connection:
        transfer = Transfer(Movement.DISPATCH, STORE, ROAD, Decimal(2), None)
        opening = Opening(STORE, Decimal(3), Decimal("9.00"), "A02")
        await append(connection, ASSET, "order:2", "2026-12-01T00:00:00.000000Z", opening, transfer)
    found = await verify_ledger(database, ())
    assert (found.findings.shown, found.entries) == ([], 6)
    async with database.read() as connection:
        query = "SELECT quantity, value, balance, balance_value, form FROM ledger_entries ORDER BY position"
        rows = [tuple(row) for row in await connection.execute(text(query))]
    assert rows[3:] == [
        ("1", "3.00", "1", "3.00", 1),
        ("-2", "-6.00", "0", "0.00", 2),
        ("2", "6.00", "3", "9.00", 2),
    ]
    await database.close()
