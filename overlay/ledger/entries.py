"""The ledger: every movement is a pair of entries, written once, chained by hash within an asset's lineage.

An account is (region, unit, custody). A pair takes a quantity and its value from one account and gives it to
another, so the sum over all accounts of a lineage stays what the opening pair made it: zero, with the opening
account on the other side. Nothing is changed or deleted; a correction is a new pair.

The chain is per lineage: entry n's hash covers its own words and entry n-1's hash, and (lineage, sequence) is unique
in the store, so two writers cannot both append as n.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal, format_money
from overlay.store.tables import ledger_entries

__all__ = [
    "Account",
    "BrokenChain",
    "Custody",
    "Movement",
    "Opening",
    "Stock",
    "Transfer",
    "append",
    "entry_hash",
    "share_of",
    "stock_of",
    "verify",
]

GENESIS = "0" * 64
_HASHED = [
    "id",
    "lineage",
    "sequence",
    "asset_id",
    "pair",
    "movement",
    "region",
    "unit",
    "custody",
    "quantity",
    "value",
    "order_id",
    "at",
    "previous_hash",
]


class Movement(StrEnum):
    OPENING = "OPENING"
    DISPATCH = "DISPATCH"
    RECEIVE = "RECEIVE"
    RETURN = "RETURN"
    STORE = "STORE"
    DAMAGE = "DAMAGE"
    REFUSE = "REFUSE"


class Custody(StrEnum):
    OPENING = "OPENING"
    IN_STORE = "IN_STORE"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    RETURNING = "RETURNING"
    DAMAGED = "DAMAGED"


class BrokenChain(ValueError):
    """An entry does not follow from the one before it."""


@dataclass(frozen=True, slots=True)
class Account:
    region: str
    unit: str | None
    custody: Custody


@dataclass(frozen=True, slots=True)
class Transfer:
    movement: Movement
    source: Account
    target: Account
    quantity: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Opening:
    """What an asset's card said when it first moved."""

    account: Account
    quantity: Decimal
    value: Decimal | None

    def transfer(self) -> Transfer:
        outside = Account(self.account.region, self.account.unit, Custody.OPENING)
        return Transfer(Movement.OPENING, outside, self.account, self.quantity, self.value)


@dataclass(frozen=True, slots=True)
class Stock:
    """What the ledger says an owner has of an asset that has moved before."""

    in_store: Decimal
    damaged: Decimal


async def stock_of(connection: AsyncConnection, asset_id: str) -> Stock:
    """Sums the asset's entries, and holds them to the end of the transaction: who asks next waits."""
    table = ledger_entries
    query = select(table.c.custody, table.c.quantity).where(
        table.c.asset_id == asset_id, table.c.custody.in_((Custody.IN_STORE, Custody.DAMAGED))
    )
    sums = {Custody.IN_STORE: Decimal(0), Custody.DAMAGED: Decimal(0)}
    for row in await connection.execute(query.with_for_update()):
        sums[Custody(row.custody)] += Decimal(row.quantity)
    return Stock(sums[Custody.IN_STORE], sums[Custody.DAMAGED])


def share_of(value: Decimal | None, moved_before: Decimal, moved: Decimal, whole: Decimal) -> Decimal | None:
    """The value of `moved` out of `whole`, in cents, such that all the parts add up to the whole value exactly."""
    if value is None:
        return None
    return _cents(value, moved_before + moved, whole) - _cents(value, moved_before, whole)


def _cents(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if part >= whole:
        return value
    return (value * part / whole).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


async def append(
    connection: AsyncConnection, asset_id: str, order_id: str, at: str, opening: Opening, transfer: Transfer
) -> None:
    """Write the pair, after an opening pair where the asset has none. Within the caller's transaction."""
    lineage = asset_id
    last = (
        await connection.execute(
            select(ledger_entries.c.sequence, ledger_entries.c.hash)
            .where(ledger_entries.c.lineage == lineage)
            .order_by(ledger_entries.c.sequence.desc())
            .limit(1)
            .with_for_update()
        )
    ).first()
    sequence, previous = (0, GENESIS) if last is None else (last.sequence, last.hash)
    transfers = [transfer] if last is not None else [opening.transfer(), transfer]
    rows: list[dict[str, Any]] = []
    for one in transfers:
        for row in _pair(one, lineage, asset_id, order_id, at):
            sequence += 1
            row |= {"sequence": sequence, "previous_hash": previous}
            row["hash"] = previous = entry_hash(row)
            rows.append(row)
    await connection.execute(insert(ledger_entries), rows)


def _pair(transfer: Transfer, lineage: str, asset_id: str, order_id: str, at: str) -> list[dict[str, Any]]:
    pair = uuid.uuid4().hex
    rows = []
    for account, sign in ((transfer.source, -1), (transfer.target, 1)):
        value = None if transfer.value is None else format_money(transfer.value * sign)
        rows.append(
            {
                "id": uuid.uuid4().hex,
                "lineage": lineage,
                "asset_id": asset_id,
                "pair": pair,
                "movement": transfer.movement.value,
                "region": account.region,
                "unit": account.unit,
                "custody": account.custody.value,
                "quantity": format_decimal(transfer.quantity * sign),
                "value": value,
                "order_id": order_id,
                "at": at,
            }
        )
    return rows


def entry_hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([row[name] for name in _HASHED])).hexdigest()


def verify(rows: Iterable[Mapping[str, Any]]) -> None:
    """Check one lineage's entries, given in order of sequence. Raises `BrokenChain`."""
    previous = GENESIS
    pairs: dict[str, Decimal] = {}
    for expected, row in enumerate(rows, start=1):
        if row["sequence"] != expected or row["previous_hash"] != previous or row["hash"] != entry_hash(row):
            raise BrokenChain(f"entry {row['sequence']} of {row['lineage']} does not follow from the one before it")
        previous = row["hash"]
        pairs[row["pair"]] = pairs.get(row["pair"], Decimal(0)) + Decimal(row["quantity"])
    unbalanced = [pair for pair, total in pairs.items() if total != 0]
    if unbalanced:
        raise BrokenChain(f"the pair {unbalanced[0]} does not balance")
