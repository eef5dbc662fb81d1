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
from tests.overlay.city import BORROWING_KEEPER, CLERK, KEEPER, days
from tests.overlay.conftest import Api, Desk

__all__ = [
    "Counter",
    "approved",
    "arrived",
    "balances",
    "codes",
    "done",
    "lent",
    "reallocated",
    "repair",
    "state",
    "surrender",
]


SHOWN = """
order { id flow state wants { classCode quantity specification } daysOverdue noticeUntil ground recipient acceptsPartial allowed extensions { number to state }
  approvals { office extension state }
  lines { id assetId want asked quantity refusal arrived due cost estimate appraisal quota outcome successors { id }
    compensation { amount agreedBy reference } } }
problems { code path message }
"""


class Counter:
    """Gives commands under new keys; each must be carried out."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._number = 0

    async def __call__(self, by: Identity, name: str, **fields: Any) -> Any:
        payload = await self.ask(by, name, **fields)
        assert payload["problems"] == [], payload["problems"]
        return payload["order"]

    async def ask(self, by: Identity, name: str, **fields: Any) -> Any:
        self._number += 1
        type_ = name[0].upper() + name[1:] + "Input"
        query = f"mutation C($input: {type_}!) {{ {name}(input: $input) {{ {SHOWN} }} }}"
        return (await self._api.data(query, by, input={"idempotencyKey": f"k{self._number}", **fields}))[name]

    async def approved(self, order: Any, *officers: Identity) -> Any:
        for officer in officers:
            order = await self(officer, "approveOrder", orderId=order["id"])
        return order


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


async def arrived(desk: Desk, asset: str, **line: str) -> str:
    """A reallocation whose goods stand at the receiver's door."""
    order_id = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset, **line})
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    return await done(desk, BORROWING_KEEPER, Command.ARRIVE, order_id)


async def reallocated(desk: Desk, asset: str, **line: str) -> str:
    """A reallocation that is over; gives the successor card."""
    order_id = await done(desk, CLERK, Command.RECEIVE, await arrived(desk, asset, **line))
    return (await desk.order(order_id)).lines[0].successors[0]


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
