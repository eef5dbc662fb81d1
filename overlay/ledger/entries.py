"""The ledger: every movement is a pair of entries, written once, chained by hash within an asset's lineage.

A pair takes a quantity and its value from one account and gives it to another, so the sum over all accounts of a
lineage stays what the opening pair made it: zero, with the opening account on the other side. Nothing is changed or
deleted; a correction is a new pair. A lineage is the card that goods first moved on, and the cards that succeeded it.

Beside the entries stand the lineage's head and the balances of its accounts, kept in the same transaction. Whoever
appends first locks the head, so appends to one lineage queue, appends to different ones never meet; (lineage,
sequence) is unique in the store besides. Entries say themselves what their account held after them.

An account never holds less than nothing, in quantity or value. The quantity is refused (`NegativeBalance`, which undoes
the caller's transaction). Value is settled instead: shares of a batch are rounded to the cent, order by order, so what
is thought to leave may be a cent more or less than what is there; no more leaves than is there, and what leaves last
takes the rest.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal, format_money
from contract.ids import is_successor
from overlay.ledger.book import Book, Side
from overlay.ledger.chain import FORM, GENESIS, BrokenChain, entry_hash, verify
from overlay.ledger.model import HERE, Account, Custody, Movement, NegativeBalance, Opening, Transfer
from overlay.store.statements import ByValue
from overlay.store.tables import ledger_balances, ledger_entries, ledger_lineages
from subgraphs.kit.prepared import one_of

__all__ = [
    "Account",
    "BrokenChain",
    "Custody",
    "Movement",
    "NegativeBalance",
    "Opening",
    "Transfer",
    "append",
    "entry_hash",
    "hold",
    "is_awaited",
    "lineage_of",
    "share_of",
    "stock_of",
    "verify",
]

_STOCK = ByValue(
    lambda is_one: select(ledger_balances.c.asset_id, ledger_balances.c.custody, ledger_balances.c.quantity).where(
        is_one(ledger_balances.c.asset_id), one_of(ledger_balances.c.custody, HERE)
    )
)


async def lineage_of(connection: AsyncConnection, asset_id: str) -> str:
    """The lineage that the card's goods belong to; the card itself begins one where it has not moved yet."""
    table = ledger_entries
    query = select(table.c.lineage).where(table.c.asset_id == asset_id).order_by(table.c.sequence.desc()).limit(1)
    return (await connection.execute(query)).scalar() or asset_id


async def hold(connection: AsyncConnection, lineage: str) -> bool:
    """Nobody else appends to the lineage until this transaction is over; what is read of it from here on stays true.
    Gives whether it has entries. Who holds several takes them in the order of their names."""
    sequence, *_ = await _locked_head(connection, lineage)
    return sequence > 0


async def stock_of(connection: AsyncConnection, asset_ids: Sequence[str]) -> dict[str, dict[Custody, Decimal]]:
    """What the ledger has of the cards at their owners, by custody. A card that it has nothing of is absent."""
    found: dict[str, dict[Custody, Decimal]] = {}
    for row in await _STOCK.rows(connection, asset_ids):
        stock, custody = found.setdefault(row["asset_id"], {}), Custody(row["custody"])
        stock[custody] = stock.get(custody, Decimal(0)) + Decimal(row["quantity"])
    return found


async def is_awaited(connection: AsyncConnection, asset_id: str) -> bool:
    """Whether it is a successor card that the ledger has no entry of: the card comes first, then its goods."""
    if not is_successor(asset_id):
        return False
    table = ledger_entries
    query = select(table.c.sequence).where(table.c.asset_id == asset_id).limit(1)
    return (await connection.execute(query)).first() is None


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
    connection: AsyncConnection,
    asset_id: str,
    order_id: str,
    at: str,
    opening: Opening,
    transfer: Transfer,
    *,
    lineage: str | None = None,
    learns: bool = False,
) -> None:
    """Write the pair, after an opening pair where the lineage has none. Within the caller's transaction.

    `lineage`: where the caller knows it; else it is the one that the card's goods belong to already.
    `learns`: what leaves the owner's store, and the ledger has not got there, came from outside, and is learnt first.
    Raises `NegativeBalance`.
    """
    lineage = lineage or await lineage_of(connection, asset_id)
    sequence, previous, known_class = await _locked_head(connection, lineage)
    asset_class = known_class or opening.asset_class
    book = Book(await _balances(connection, lineage))
    rows: list[dict[str, Any]] = []
    for sides in book.carry_out(asset_id, opening, transfer, is_new=sequence == 0, learns=learns):
        pair = uuid.uuid4().hex
        for side in sides:
            sequence += 1
            row = _row(side) | {"lineage": lineage, "pair": pair, "order_id": order_id, "at": at}
            row |= {"asset_class": asset_class, "sequence": sequence, "previous_hash": previous}
            row["hash"] = previous = entry_hash(row)
            rows.append(row)
    await connection.execute(insert(ledger_entries), rows)
    head = update(ledger_lineages).where(ledger_lineages.c.lineage == lineage)
    await connection.execute(head.values(sequence=sequence, hash=previous, asset_class=asset_class))
    await _keep_balances(connection, lineage, book)


async def _locked_head(connection: AsyncConnection, lineage: str) -> tuple[int, str, str | None]:
    """Sequence and hash of the last entry, and the class. A new lineage's head is made first: two that open it queue."""
    table = ledger_lineages
    query = select(table.c.sequence, table.c.hash, table.c.asset_class).where(table.c.lineage == lineage)
    found = (await connection.execute(query.with_for_update())).first()
    if found is None:
        make = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
        values = {"lineage": lineage, "sequence": 0, "hash": GENESIS}
        await connection.execute(make(table).values(values).on_conflict_do_nothing())
        found = (await connection.execute(query.with_for_update())).one()
    return found.sequence, found.hash, found.asset_class


async def _balances(connection: AsyncConnection, lineage: str) -> list[Any]:
    table = ledger_balances
    return list((await connection.execute(select(table).where(table.c.lineage == lineage))).all())


async def _keep_balances(connection: AsyncConnection, lineage: str, book: Book) -> None:
    """An account with nothing in it has no row, so the table does not grow with everybody who ever borrowed."""
    table = ledger_balances
    for key, balance in book.changed():
        is_it = (
            (table.c.lineage == lineage)
            & (table.c.asset_id == key.asset_id)
            & (table.c.region == key.account.region)
            & (table.c.unit == (key.account.unit or ""))
            & (table.c.custody == key.account.custody)
        )
        if not balance.quantity and not balance.value:
            await connection.execute(table.delete().where(is_it))
            continue
        held = {"quantity": format_decimal(balance.quantity), "value": _money(balance.value)}
        if key in book.before:
            await connection.execute(update(table).where(is_it).values(**held))
        else:
            account = {"region": key.account.region, "unit": key.account.unit or "", "custody": key.account.custody}
            await connection.execute(insert(table).values(lineage=lineage, asset_id=key.asset_id, **account, **held))


def _row(side: Side) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "form": FORM,
        "asset_id": side.key.asset_id,
        "movement": side.movement.value,
        "region": side.key.account.region,
        "unit": side.key.account.unit,
        "custody": side.key.account.custody.value,
        "quantity": format_decimal(side.quantity),
        "value": _money(side.value),
        "balance": format_decimal(side.after.quantity),
        "balance_value": _money(side.after.value),
    }


def _money(value: Decimal | None) -> str | None:
    return None if value is None else format_money(value)
