"""Shorthands for what people do with orders, for the tests of the flows."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from contract.identity import Identity
from overlay.ledger.entries import verify
from overlay.orders.model import Command, Flow, State
from overlay.store.tables import ledger_entries
from tests.overlay.city import CLERK, KEEPER, days
from tests.overlay.conftest import Desk

__all__ = ["approved", "balances", "codes", "done", "lent", "repair", "state", "surrender"]


def codes(answer: object) -> list[str]:
    return [problem.code for problem in answer.problems]  # type: ignore[attr-defined]


async def done(desk: Desk, by: Identity, command: Command, order_id: str | None, **body: Any) -> str:
    """Give a command that must be carried out; gives the order's id."""
    answer = await desk.give(by, command, order_id, **body)
    assert codes(answer) == [], (command, codes(answer))
    assert answer.order_id is not None
    return answer.order_id


async def state(desk: Desk, order_id: str | None) -> State:
    return (await desk.order(order_id)).state


async def approved(desk: Desk, flow: Flow, by: Identity, *lines: dict[str, Any], **body: Any) -> str:
    """An application that has passed its whole chain."""
    answer = await desk.hand_in(flow, by, *lines, **body)
    assert codes(answer) == []
    await desk.approve_all(answer.order_id)
    assert answer.order_id is not None
    return answer.order_id


async def lent(desk: Desk, *assets: str, window: dict[str, str] | None = None, **line: str) -> str:
    """A loan whose goods have reached the borrower."""
    lines = [{"assetId": asset, **line} for asset in assets]
    order_id = await approved(desk, Flow.LOAN, CLERK, *lines, range=window or days(1, 7))
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    return await done(desk, CLERK, Command.RECEIVE, order_id)


def surrender() -> dict[str, Any]:
    return {"ground": "IDLE", "since": "2026-03-01", "titleClear": True}


def repair(asset: str, **line: str) -> dict[str, Any]:
    return {"assetId": asset, "estimate": "1000", **line}


async def balances(desk: Desk, asset: str) -> dict[tuple[str, str], Decimal]:
    """What the ledger says is where, of a whole lineage: by region and custody. Checks the chain on the way."""
    table = ledger_entries
    async with desk.database.read() as connection:
        query = select(table).where(table.c.lineage == asset).order_by(table.c.sequence)
        entries = [dict(row) for row in (await connection.execute(query)).mappings()]
    verify(entries)
    assert sum(Decimal(entry["quantity"]) for entry in entries) == 0
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        account = (entry["region"], entry["custody"])
        sums[account] += Decimal(entry["quantity"])
        assert entry["custody"] == "OPENING" or sums[account] >= 0, entry
    return {account: quantity for account, quantity in sums.items() if quantity and account[1] != "OPENING"}
