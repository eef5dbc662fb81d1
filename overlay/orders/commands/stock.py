"""Accounts of the ledger as orders see them, and from which of them goods are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.entries import Account, Custody, Movement, hold
from overlay.messages import Problem
from overlay.notices.told import stock_short
from overlay.orders import repository
from overlay.orders.commands.base import Work
from overlay.orders.commands.checks import goods_damaged
from overlay.orders.model import Line, Order
from overlay.orders.shortages import UNFIT, USELESS, Shortage, shortages
from overlay.store.locks import lock_goods
from overlay.store.tables import ledger_entries
from subgraphs.kit.prepared import kept, one_of

__all__ = [
    "applicant_account",
    "book_from",
    "left_from",
    "owner_account",
    "refusal_of_unfit",
    "refusals_of_short",
    "tell_who_yields_to",
    "telling_who_yields",
    "unfit_quantity",
]


def owner_account(line: Line, custody: Custody) -> Account:
    return Account(line.lending_region, line.owner_unit, custody)


def applicant_account(order: Order, custody: Custody) -> Account:
    return Account(order.applicant.region or "", order.applicant.unit, custody)


async def book_from(
    work: Work,
    order: Order,
    line: Line,
    movement: Movement,
    sources: Sequence[Custody],
    target: Account,
    quantity: Decimal,
    moved_before: Decimal,
) -> None:
    """Write the movement out of the owner's accounts, in this order, as far as each goes; the last one gives the rest.
    What is at its target already needs no entry."""
    held = await _held(work.connection, line.asset_id, sources[:-1])
    for custody in sources:
        part = quantity if custody is sources[-1] else min(held.get(custody, Decimal(0)), quantity)
        source = owner_account(line, custody)
        if part > 0 and source != target:
            await work.book(order, line, movement, source, target, part, moved_before)
        if part > 0:
            quantity, moved_before = quantity - part, moved_before + part


async def left_from(work: Work, line: Line, quantity: Decimal) -> Sequence[Custody]:
    """The owner's accounts that goods have left from, which were fit when they were told to leave. Where they were found
    damaged on their way out, the owner's book is right that they have left."""
    asset_id, accounts = line.asset_id, (Custody.IN_STORE, *UNFIT)
    in_store = (await _held(work.connection, asset_id, accounts)).get(Custody.IN_STORE)
    if in_store is None or in_store >= quantity:
        return (Custody.IN_STORE,)  # in the first case, the ledger hears of them with this very movement
    await hold(work.connection, asset_id)
    held = await _held(work.connection, asset_id, accounts)
    if sum(held.values()) < quantity or await repository.arrivals_under_way(work.connection, asset_id):
        return (Custody.IN_STORE,)  # good ones may have come back, which is not recorded yet
    return accounts


@asynccontextmanager
async def telling_who_yields(work: Work, asset_id: str, target: Custody | None) -> AsyncIterator[None]:
    """Within, goods come to `target`. Where they are lost to those who booked them, whoever lacks more than before is
    told, in the transaction that makes it so."""
    if target not in USELESS:
        yield
        return
    await lock_goods(work.connection, [asset_id])
    before = await shortages(work.connection, [asset_id], work.today)
    yield
    await _tell_who_lacks_more(work, before, await shortages(work.connection, [asset_id], work.today))


async def tell_who_yields_to(work: Work, order: Order) -> None:
    """The order's holds count from now on. Where goods were lost while they were on their way, whoever lacks more than
    before is told: the order itself, or who booked after it and was known of earlier. To be called when every lock on an
    order is held: who records a loss has those of its own before it asks for the goods'."""
    assets = [line.asset_id for line in order.live_lines]
    await lock_goods(work.connection, assets)
    if now := await shortages(work.connection, assets, work.today):
        before = await shortages(work.connection, assets, work.today, without=order.id)
        await _tell_who_lacks_more(work, before, now)


async def _tell_who_lacks_more(work: Work, before: Mapping[str, Shortage], now: Mapping[str, Shortage]) -> None:
    for line_id, shortage in now.items():
        if line_id not in before or shortage.short > before[line_id].short:
            await stock_short(work.connection, work.at, shortage)


async def unfit_quantity(connection: AsyncConnection, asset_id: str) -> Decimal:
    """How much of an asset is at its owner, but damaged or given up."""
    return sum((await _held(connection, asset_id, UNFIT)).values(), Decimal(0))


async def refusal_of_unfit(work: Work, line: Line, quantity: Decimal) -> Problem | None:
    """That goods are there to leave, their owner's book decides; but that some came back damaged only the ledger knows."""
    unfit = await unfit_quantity(work.connection, line.asset_id)
    if not unfit:
        return None
    in_store = (await _held(work.connection, line.asset_id, (Custody.IN_STORE,))).get(Custody.IN_STORE, Decimal(0))
    free = in_store - await repository.dispatches_under_way(work.connection, line.asset_id)
    return None if quantity <= free else goods_damaged(("lines", str(line.position)), line.asset_id, unfit, free)


async def refusals_of_short(work: Work, chosen: Sequence[tuple[Line, Decimal]]) -> list[Problem]:
    """Where some was lost or damaged, what is left is for whoever booked first, not for whoever comes first."""
    short = await shortages(work.connection, [line.asset_id for line, _ in chosen], work.today)
    return [
        short[line.id].told()
        for line, quantity in chosen
        if line.id in short and quantity > line.to_dispatch - short[line.id].short
    ]


async def _held(connection: AsyncConnection, asset_id: str, custodies: Sequence[Custody]) -> dict[Custody, Decimal]:
    """What the asset's entries sum up to. They are held to the end of the transaction: who asks next waits."""
    sums = dict[Custody, Decimal]()
    if not custodies:
        return sums
    for row in await connection.execute(_entries_in(tuple(custodies)), {"asset_id": asset_id}):
        custody = Custody(row.custody)
        sums[custody] = sums.get(custody, Decimal(0)) + Decimal(row.quantity)
    return sums


@cache
def _entries_in(custodies: tuple[Custody, ...]) -> Select[Any]:
    entries = ledger_entries.c
    of_asset = select(entries.custody, entries.quantity).where(entries.asset_id == bindparam("asset_id"))
    return kept(of_asset.where(one_of(entries.custody, custodies)).with_for_update())
