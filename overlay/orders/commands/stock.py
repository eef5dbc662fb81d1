"""Accounts of the ledger as orders see them, and from which of them goods are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from overlay.ledger.entries import (
    Account,
    Custody,
    Movement,
    NegativeBalance,
    hold,
    is_awaited,
    lineage_of,
    stock_of,
)
from overlay.ledger.model import HERE
from overlay.messages import Problem, problem
from overlay.notices.told import stock_short
from overlay.orders import repository
from overlay.orders.commands.base import Work
from overlay.orders.commands.checks import goods_damaged
from overlay.orders.model import Line, Order
from overlay.orders.shortages import UNFIT, USELESS, Shortage, shortages
from overlay.store.locks import lock_goods

__all__ = [
    "applicant_account",
    "book_from",
    "by_lineage",
    "owner_account",
    "refusals_of_short",
    "refusals_of_unfit",
    "refusals_of_unrecorded",
    "tell_who_yields_to",
    "telling_who_yields",
    "unfit_quantity",
]

T = TypeVar("T")
_NONE = Decimal(0)


def owner_account(line: Line, custody: Custody) -> Account:
    return Account(line.lending_region, line.owner_unit, custody)


def applicant_account(order: Order, custody: Custody) -> Account:
    return Account(order.applicant.region or "", order.applicant.unit, custody)


def by_lineage(chosen: Sequence[tuple[Line, T]]) -> list[tuple[Line, T]]:
    """In the order in which lineages are held (`overlay.ledger.entries.hold`)."""
    return sorted(chosen, key=lambda pair: pair[0].lineage or pair[0].asset_id)


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
    """Write the movement out of the owner's accounts, in this order, as far as each goes; what is at its target already
    needs no entry.

    Of goods that were at the owner, its book is right that they have left. Where the first account has not got them
    all, and something is on its way to the card, that may be what has left: then nothing is written
    (`NegativeBalance`), and this is recorded when that is. Else they were others of the owner's: found damaged on their
    way out, say. What all together have not got came from outside.
    """
    if sources[0] not in HERE:
        await work.book(order, line, movement, owner_account(line, sources[0]), target, quantity, moved_before)
        return
    lineage = line.lineage or await lineage_of(work.connection, line.asset_id)
    is_known = await hold(work.connection, lineage)
    parts = {Custody.IN_STORE: quantity}
    missing = Decimal(0)
    if is_known:
        held = (await stock_of(work.connection, [line.asset_id])).get(line.asset_id, {})
        if held.get(sources[0], _NONE) < quantity and await repository.arrivals_under_way(
            work.connection, line.asset_id
        ):
            raise NegativeBalance(line.asset_id, "what came to it is not recorded yet")
        parts, missing = _parts(dict.fromkeys([*sources, *HERE]), held, quantity)
    for custody, part in parts.items():
        source = owner_account(line, custody)
        if source != target:
            learns = missing > 0 and custody is Custody.IN_STORE
            await work.book(order, line, movement, source, target, part, moved_before, learns=learns)
        moved_before += part


def _parts(
    accounts: Iterable[Custody], held: Mapping[Custody, Decimal], quantity: Decimal
) -> tuple[dict[Custody, Decimal], Decimal]:
    """What each gives, and how much no account has: that is added to what comes from the store."""
    parts: dict[Custody, Decimal] = {}
    for custody in accounts:
        if part := min(held.get(custody, _NONE), quantity):
            parts[custody] = part
            quantity -= part
    if quantity:
        parts[Custody.IN_STORE] = parts.get(Custody.IN_STORE, _NONE) + quantity
    return parts, quantity


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
    return _unfit((await stock_of(connection, [asset_id])).get(asset_id, {}))


async def refusals_of_unrecorded(work: Work, lines: Sequence[Line]) -> list[Problem]:
    """Nothing is done with the goods of a successor before the ledger has them: they may not be let go after all."""
    return [
        problem("GOODS_UNDER_WAY", "lines", str(line.position), id=line.asset_id)
        for line in lines
        if await is_awaited(work.connection, line.asset_id)
    ]


async def refusals_of_unfit(work: Work, chosen: Sequence[tuple[Line, Decimal]]) -> list[Problem]:
    """That goods are there to leave, their owner's book decides; but that some came back damaged only the ledger knows.
    Whether any did is looked up without a lock: damage that is recorded beside it is as if it were found afterwards."""
    connection = work.connection
    found = await stock_of(connection, [line.asset_id for line, _ in chosen])
    refusals: list[Problem] = []
    for line, quantity in by_lineage(chosen):
        path = ("lines", str(line.position))
        if not _unfit(found.get(line.asset_id, {})):
            continue
        # who dispatches the same goods waits here, and who records that they have left
        await hold(connection, line.lineage or await lineage_of(connection, line.asset_id))
        held = (await stock_of(connection, [line.asset_id])).get(line.asset_id, {})
        free = held.get(Custody.IN_STORE, _NONE) - await repository.dispatches_under_way(connection, line.asset_id)
        if quantity > free:
            refusals.append(goods_damaged(path, line.asset_id, _unfit(held), free))
    return refusals


def _unfit(held: Mapping[Custody, Decimal]) -> Decimal:
    return sum((held.get(custody, _NONE) for custody in UNFIT), _NONE)


async def refusals_of_short(work: Work, chosen: Sequence[tuple[Line, Decimal]]) -> list[Problem]:
    """Where some was lost or damaged, what is left is for whoever booked first, not for whoever comes first."""
    short = await shortages(work.connection, [line.asset_id for line, _ in chosen], work.today)
    return [
        short[line.id].told()
        for line, quantity in chosen
        if line.id in short and quantity > line.to_dispatch - short[line.id].short
    ]
