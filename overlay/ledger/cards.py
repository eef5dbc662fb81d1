"""The ledger's cards as a reconciliation reads them: page by page, with what must be known to judge them fairly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.compare import Card
from overlay.ledger.model import PLACES, Custody, Place
from overlay.orders.model import OPEN_STEPS
from overlay.store.tables import ledger_balances, ledger_entries, steps

__all__ = ["card_ids", "count_cards", "last_places", "read_cards", "under_way", "unwritten"]

_GOODS = tuple(custody for custody, place in PLACES.items() if place is not Place.OUTSIDE)
_MOVEMENTS = ("DISPATCH", "RECEIVE", "RETURN")


async def count_cards(connection: AsyncConnection, region: str) -> int:
    table = ledger_balances
    query = select(func.count(table.c.asset_id.distinct())).where(*_of(region))
    return int((await connection.execute(query)).scalar_one())


async def card_ids(connection: AsyncConnection, region: str, after: str, limit: int) -> list[str]:
    """The next cards of a region, by id."""
    table = ledger_balances
    query = select(table.c.asset_id).distinct().where(*_of(region), table.c.asset_id > after)
    return list((await connection.execute(query.order_by(table.c.asset_id).limit(limit))).scalars())


async def read_cards(connection: AsyncConnection, asset_ids: Sequence[str]) -> list[Card]:
    """Those of the cards that have goods on them."""
    table = ledger_balances
    query = select(table).where(table.c.asset_id.in_(asset_ids), table.c.custody.in_(_GOODS))
    held: dict[str, dict[tuple[str, Custody], Decimal]] = {}
    for row in await connection.execute(query.order_by(table.c.asset_id)):
        accounts, account = held.setdefault(row.asset_id, {}), (row.unit, Custody(row.custody))
        accounts[account] = accounts.get(account, Decimal(0)) + Decimal(row.quantity)
    return [Card(asset_id, accounts) for asset_id, accounts in held.items()]


async def last_places(connection: AsyncConnection, asset_ids: Sequence[str]) -> dict[str, int]:
    """Per card its last entry: whether it moved meanwhile."""
    table = ledger_entries
    query = select(table.c.asset_id, func.max(table.c.position)).where(table.c.asset_id.in_(asset_ids))
    return {row[0]: row[1] for row in await connection.execute(query.group_by(table.c.asset_id))}


async def under_way(connection: AsyncConnection, asset_ids: Sequence[str]) -> set[str]:
    """Cards on which a command waits for its owner's answer: the book may be ahead of the ledger."""
    query = select(steps.c.asset_id).where(steps.c.asset_id.in_(asset_ids), steps.c.state.in_(OPEN_STEPS))
    return set((await connection.execute(query)).scalars())


async def unwritten(connection: AsyncConnection, asset_ids: Sequence[str]) -> set[str]:
    """Cards of which the last movement did not reach the store, by the word of the custody book."""
    query = (
        select(steps.c.asset_id, steps.c.result)
        .where(steps.c.asset_id.in_(asset_ids), steps.c.state == "DONE", steps.c.action.in_(_MOVEMENTS))
        .order_by(steps.c.updated_at)
    )
    written = {row.asset_id: bool((row.result or {}).get("writtenBack")) for row in await connection.execute(query)}
    return {asset_id for asset_id, is_written in written.items() if not is_written}


def _of(region: str) -> list[ColumnElement[bool]]:
    table = ledger_balances
    return [table.c.asset_id.startswith(f"asset:{region}:", autoescape=True), table.c.custody.in_(_GOODS)]
