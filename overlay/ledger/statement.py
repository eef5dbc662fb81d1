"""Entries as people read them: a card's statement over its whole lineage, and the journal over all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.ledger.balances import LedgerFilter, end_of
from overlay.ledger.rights import visible_entries
from overlay.store.tables import ledger_entries, ledger_lineages, orders

__all__ = ["read_journal", "read_statement"]

Row = RowMapping


async def read_statement(
    connection: AsyncConnection, identity: Identity, asset_id: str, after: int, limit: int
) -> Sequence[Row]:
    """In order of sequence. The card may be any of its lineage: what its predecessors and successors moved is there."""
    table = ledger_entries
    lineages = select(table.c.lineage).where(table.c.asset_id == asset_id)
    query = _selected(identity).where(table.c.lineage.in_(lineages), table.c.sequence > after)
    return (await connection.execute(query.order_by(table.c.sequence).limit(limit))).mappings().all()


async def read_journal(
    connection: AsyncConnection,
    identity: Identity,
    filter_: LedgerFilter,
    days: tuple[date, date] | None,
    after: int,
    limit: int,
) -> Sequence[Row]:
    """In order of insertion; `days`: [from, to) in Shanghai."""
    table = ledger_entries
    conditions: list[ColumnElement[bool]] = [table.c.position > after, *filter_.conditions(table)]
    if days is not None:
        first, behind = days
        one = timedelta(days=1)
        conditions += [table.c.at >= end_of(first - one), table.c.at < end_of(behind - one)]
    query = _selected(identity).join(ledger_lineages, ledger_lineages.c.lineage == table.c.lineage).where(*conditions)
    return (await connection.execute(query.order_by(table.c.position).limit(limit))).mappings().all()


def _selected(identity: Identity) -> Select[Any]:
    table = ledger_entries
    order = (orders.c.seq.label("order_seq"), orders.c.created_at.label("order_created_at"))
    query = select(table, *order).outerjoin(orders, orders.c.id == table.c.order_id)
    return query.where(visible_entries(identity))
