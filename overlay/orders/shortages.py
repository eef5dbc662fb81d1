"""缺口: bookings that no longer fit, because goods that they were to have were lost or damaged after they were made.

An owner's custody book promises no more than there is; but what there is may become less. Whoever booked first keeps
what is left, so the newest booking yields first: bookings are seated in the order in which they were made, each on
what those before it leave of its days, and what one lacks is its shortage. Goods that have left stay where they are
and are seated before all others. Buffer days count here no more than when goods leave: they are for planning.

How much there is: the card as the latest applicant saw it, less what has left it for good since. Of that, what lies
damaged or given up is for the owner's own business, to be repaired, appraised or disposed of: bookings for that are
served from there first.

A booking counts from when its order has all its holds and goes on to approval: until then it may come to nothing. Goods
may be lost between; so whoever records that holds count looks for who lacks more now, as does who records a loss.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from contract.identity import Identity
from contract.occupancy import peak
from overlay.ledger.model import HERE, OUTSIDE, Custody, Movement
from overlay.messages import Problem, problem
from overlay.orders.model import Flow, HoldState, State, order_number
from overlay.orders.traits import TRAITS
from overlay.store.statements import ByValue
from overlay.store.tables import commands, ledger_balances, ledger_entries, order_lines, orders, steps
from subgraphs.kit.prepared import one_of

__all__ = ["UNFIT", "USELESS", "Booking", "Shortage", "short_orders", "shortages", "shortages_of"]

UNFIT = tuple(custody for custody in HERE if custody is not Custody.IN_STORE)
"""Where goods are at their owner, but not to be lent."""
USELESS = frozenset({*UNFIT, Custody.LOST})
"""Where goods are no longer there for those who booked them."""
_FROM_OUTSIDE = (Movement.OPENING, Movement.ADJUST)
"""The ledger learns of goods that the card had already."""
_LESSENS = ("WRITE_OFF", "TRANSFER_OUT")
"""Steps by which goods leave a card for good."""
_STANDS = (HoldState.ACTIVE, HoldState.DISPATCHED)
_NOT_YET = (State.DRAFT, State.PUBLIC_NOTICE)
"""States of an order whose holds are still being placed."""
_NONE = Decimal(0)
_BALANCES = ledger_balances.c
_USELESS_OF = ByValue(
    lambda is_one: select(_BALANCES.asset_id, _BALANCES.custody, _BALANCES.quantity).where(
        is_one(_BALANCES.asset_id), one_of(_BALANCES.custody, sorted(USELESS))
    )
)


@dataclass(frozen=True, slots=True)
class Booking:
    """An order's line whose hold stands."""

    line_id: str
    order_id: str
    number: str
    position: int
    asset_id: str
    lending_region: str
    applicant: Identity
    flow: Flow
    from_day: date
    to_day: date
    card_quantity: Decimal
    created_at: str
    booked_at: str
    """The hold of what is publicly announced is placed when the notice ends."""
    to_leave: Decimal
    away: Decimal
    """What has left and is neither back nor gone for good."""


@dataclass(frozen=True, slots=True)
class Shortage:
    booking: Booking
    short: Decimal
    """How much of what is still to leave is not there any more."""

    def told(self) -> Problem:
        numbers = {"quantity": format_decimal(self.booking.to_leave), "short": format_decimal(self.short)}
        return problem("STOCK_SHORT", "lines", str(self.booking.position), id=self.booking.asset_id, **numbers)


@dataclass(frozen=True, slots=True)
class _Seat:
    from_day: date
    to_day: date
    quantity: Decimal


async def shortages(
    connection: AsyncConnection, asset_ids: Iterable[str], today: date, *, without: str | None = None
) -> dict[str, Shortage]:
    """The bookings of these assets that no longer fit, by line. One query where no asset has lost anything.

    `without`: an order, as if it had booked nothing."""
    lessened = await _lessened(connection, sorted(set(asset_ids)))
    if not lessened:
        return {}
    bookings: dict[str, list[Booking]] = defaultdict(list)
    for booking in await _bookings(connection, sorted(lessened)):
        if booking.order_id != without:
            bookings[booking.asset_id].append(booking)
    found: dict[str, Shortage] = {}
    for asset_id, of_asset in bookings.items():
        there = await _there(connection, max(of_asset, key=lambda one: one.created_at))
        for shortage in shortages_of(of_asset, there, lessened[asset_id], today):
            found[shortage.booking.line_id] = shortage
    return found


async def short_orders(connection: AsyncConnection, applicant: Identity, today: date) -> set[str]:
    """The ids of a person's own orders that no longer fit."""
    own = (
        orders.c.applicant_region == applicant.region,
        orders.c.applicant_unit == applicant.unit,
        orders.c.applicant_person == applicant.person,
    )
    booked = (
        select(order_lines.c.asset_id)
        .join(orders, orders.c.id == order_lines.c.order_id)
        .where(*own, order_lines.c.hold_state.in_(_STANDS))
        .distinct()
    )
    found = await shortages(connection, (await connection.execute(booked)).scalars(), today)
    return {one.booking.order_id for one in found.values() if one.booking.applicant.person == applicant.person}


def shortages_of(bookings: Sequence[Booking], there: Decimal, unfit: Decimal, today: date) -> list[Shortage]:
    """Of one asset: `there` with what is `unfit`. Bookings stand in the order in which they were made."""
    fit = there - unfit
    seats = [_seat(one, one.away, today, is_away=True) for one in bookings if one.away]
    found = []
    for one in bookings:
        wanted = one.to_leave
        if TRAITS[one.flow].own_use:
            served = min(unfit, wanted)
            unfit, wanted = unfit - served, wanted - served
        seat = _seat(one, wanted, today, is_away=False)
        had = min(wanted, max(fit - peak(seats, seat.from_day, seat.to_day), _NONE))
        seats.append(_Seat(seat.from_day, seat.to_day, had))
        if had < wanted:
            found.append(Shortage(one, wanted - had))
    return found


def _seat(one: Booking, quantity: Decimal, today: date, *, is_away: bool) -> _Seat:
    """What is away is claimed from today, and until tomorrow at least."""
    until = date.max if TRAITS[one.flow].for_good else max(one.to_day, today + timedelta(days=1))
    return _Seat(min(one.from_day, today) if is_away else one.from_day, until, quantity)


# --- reading ----------------------------------------------------------------------------------------------------------


async def _lessened(connection: AsyncConnection, asset_ids: Sequence[str]) -> dict[str, Decimal]:
    """The assets of which something was lost, damaged or given up, and how much of that still lies at the owner."""
    unfit: dict[str, Decimal] = {}
    for row in await _USELESS_OF.rows(connection, asset_ids):
        here = Decimal(row["quantity"]) if row["custody"] in UNFIT else _NONE
        unfit[row["asset_id"]] = unfit.get(row["asset_id"], _NONE) + here
    return unfit


async def _bookings(connection: AsyncConnection, asset_ids: Sequence[str]) -> list[Booking]:
    lines = order_lines
    query = (
        select(
            lines,
            *(orders.c[name] for name in ("seq", "flow", "from_day", "to_day", "created_at", "notice_until")),
            *(orders.c[f"applicant_{name}"] for name in ("person", "unit", "region")),
        )
        .join(orders, orders.c.id == lines.c.order_id)
        .where(
            lines.c.asset_id.in_(asset_ids),
            lines.c.hold_state.in_(_STANDS),
            orders.c.state.not_in(_NOT_YET),
        )
        .order_by(orders.c.seq, lines.c.position)
    )
    rows = (await connection.execute(query)).mappings()
    return sorted(map(_booking, rows), key=lambda one: one.booked_at)


def _booking(row: RowMapping) -> Booking:
    flow = Flow(row["flow"])
    quantity, dispatched, returned = (Decimal(row[name]) for name in ("quantity", "dispatched", "returned"))
    stays = Decimal(row["received"]) if flow not in (Flow.LOAN, Flow.REPAIR) else _NONE
    return Booking(
        line_id=row["id"],
        order_id=row["order_id"],
        number=order_number(row["created_at"], row["seq"]),
        position=row["position"],
        asset_id=row["asset_id"],
        lending_region=row["lending_region"],
        applicant=Identity(row["applicant_person"], row["applicant_unit"], row["applicant_region"]),
        flow=flow,
        from_day=date.fromisoformat(row["from_day"]),
        to_day=date.fromisoformat(row["due_day"] or row["to_day"]),
        card_quantity=Decimal(row["card_quantity"]),
        created_at=row["created_at"],
        booked_at=row["notice_until"] or row["created_at"],
        to_leave=quantity - dispatched,
        away=dispatched - returned - stays,
    )


async def _there(connection: AsyncConnection, latest: Booking) -> Decimal:
    """How much the card has now, as far as orders know: what it said when it was last applied for, and what has moved
    since. What was under way then, and is recorded now, the card had said already."""
    table = ledger_entries
    query = select(table.c.quantity).where(
        table.c.asset_id == latest.asset_id,
        table.c.at > latest.created_at,
        table.c.at.not_in(_recorded_late(latest)),
        table.c.custody.not_in(OUTSIDE),
        table.c.movement.not_in(_FROM_OUTSIDE),
        ~((table.c.movement == Movement.TRANSFER) & table.c.quantity.not_like("-%")),  # which made it a card
    )
    since = (await connection.execute(query)).scalars()
    return latest.card_quantity + sum(map(Decimal, since), _NONE)


def _recorded_late(latest: Booking) -> Select[tuple[str]]:
    """When that was recorded by which goods left the card for good, of what had been begun before it was applied for."""
    return (
        select(steps.c.updated_at)
        .join(commands, commands.c.id == steps.c.command_id)
        .where(
            steps.c.asset_id == latest.asset_id,
            steps.c.action.in_(_LESSENS),
            steps.c.state == "DONE",
            commands.c.created_at < latest.created_at,
        )
    )
