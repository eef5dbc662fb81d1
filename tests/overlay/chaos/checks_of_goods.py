"""Checks of goods: who holds them and for when, on which card they stand, and what the ledger says of both."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from overlay.clock import text_of
from overlay.ledger.entries import BrokenChain, verify
from overlay.orders.model import Flow, HoldState, Line, Order, State
from subgraphs.district.custody.decisions import Entry
from tests.overlay.chaos.reading import Reading

__all__ = [
    "ENDED",
    "books_say_what_orders_say",
    "cards_add_up_to_what_was_bought",
    "days_are_what_the_owner_granted",
    "holds_and_orders_stand_for_each_other",
    "ledger_sums_are_constant",
    "no_asset_in_two_hands",
    "no_overlap_beyond_quantity",
    "the_chain_is_whole",
    "the_ledger_says_what_orders_say",
]

ENDED = {State.DONE, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.STOPPED, State.SENT_BACK}
GONE = ("DISPOSED", "DONATED", "LOST")
"""Accounts of what nobody has any more."""


def no_asset_in_two_hands(reading: Reading) -> Iterator[str]:
    """Of no card more is out, or gone for good, than ever stood on it."""
    out: Counter[str] = Counter()
    for order, line in reading.goods:
        back = line.received if order.flow is Flow.SURRENDER else line.returned
        out[line.asset_id] += line.dispatched - back  # type: ignore[assignment]
        if not _is_in_order(order, line):
            yield f"{line.id}: more has come than went"
    lost = _sums(reading, by_card=True)
    for asset, n in out.items():
        # what was lost on a loan counts as back on its line
        if n + lost[(asset, "LOST")] > reading.quantities[asset]:
            yield f"{asset}: {n} out, {lost[(asset, 'LOST')]} lost"


def _is_in_order(order: Order, line: Line) -> bool:
    match order.flow:
        case Flow.LOAN:
            return 0 <= line.returning + line.returned <= line.received <= line.dispatched <= line.quantity
        case Flow.REALLOCATION:
            came = line.received + line.returning + line.returned
            return 0 <= came <= line.arrived <= line.dispatched <= line.quantity
        case Flow.REPAIR:
            return 0 <= line.returning + line.returned <= line.dispatched <= line.quantity
        case _:
            return 0 <= line.received <= line.dispatched <= line.quantity


def no_overlap_beyond_quantity(reading: Reading) -> Iterator[str]:
    """By the days that were booked, and the days between two loans: goods that are overdue may stand in the way of a
    later hold, but nobody booked so. Nor did anybody book what a borrower has lost since."""
    lost: Counter[str] = Counter()
    booked: defaultdict[str, list[tuple[str, str, Decimal]]] = defaultdict(list)
    for hold in reading.holds.values():
        if not hold.for_good:
            lost[hold.asset] += hold.gone  # type: ignore[assignment]
        if _in_force(hold, reading):
            booked[hold.asset].append((hold.from_day, _until(hold), hold.claimed))
    for asset, claims in booked.items():
        for day, _, _ in claims:
            n = sum(quantity for first, after, quantity in claims if first <= day < after)
            if n > reading.cards[asset] + lost[asset]:
                yield f"{asset} on {day}: {n}"


def _until(hold: Entry) -> str:
    if hold.for_good:
        return date.max.isoformat()
    return (date.fromisoformat(hold.to_day) + timedelta(days=hold.buffer_days)).isoformat()


def _in_force(hold: Entry, reading: Reading) -> bool:
    return hold.state in ("ACTIVE", "DISPATCHED") and not hold.has_lapsed(text_of(reading.now))


# --- the ledger -------------------------------------------------------------------------------------------------------


def the_chain_is_whole(reading: Reading) -> Iterator[str]:
    for lineage, entries in reading.ledgers.items():
        try:
            verify(entries)
        except BrokenChain as error:
            yield f"{lineage}: {error}"


def ledger_sums_are_constant(reading: Reading) -> Iterator[str]:
    """Each pair gives what it takes, nothing is given that is not there, and all accounts of all cards of a lineage
    together keep what was once bought, in quantity and in value."""
    for lineage, entries in reading.ledgers.items():
        balances: defaultdict[tuple[str, str, str | None, str], Decimal] = defaultdict(Decimal)
        pairs: defaultdict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for entry in entries:
            quantity = Decimal(entry["quantity"])
            account = (entry["asset_id"], entry["region"], entry["unit"], entry["custody"])
            balances[account] += quantity
            pairs[entry["pair"]].append((quantity, Decimal(entry["value"] or 0)))
            if balances[account] < 0 and entry["custody"] != "OPENING":
                yield f"{lineage}: {account} gives what it has not, entry {entry['sequence']}"
        for pair, both in pairs.items():
            if len(both) != 2 or any(sum(column) != 0 for column in zip(*both, strict=True)):
                yield f"{lineage}: the pair {pair} does not balance"
        inside = sum(n for (*_, custody), n in balances.items() if custody != "OPENING")
        if inside != reading.registered[lineage]:
            yield f"{lineage}: {inside} in all accounts, {reading.registered[lineage]} were bought"


def the_ledger_says_what_orders_say(reading: Reading) -> Iterator[str]:
    told: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order, line in reading.goods:
        for custody, quantity in _custodies(order, line).items():
            told[(line.asset_id, custody)] += quantity
    booked = _sums(reading, by_card=True)
    for asset, custody in told.keys() | booked.keys():
        if custody in _TOLD_BY_LINES and told[(asset, custody)] != booked[(asset, custody)]:
            yield (f"{asset} {custody}: orders say {told[(asset, custody)]}, the ledger {booked[(asset, custody)]}")


_TOLD_BY_LINES = ("IN_TRANSIT", "LENT", "RETURNING", "IN_REPAIR", "DISPOSING", "DISPOSED", "DONATED")


def _custodies(order: Order, line: Line) -> dict[str, Decimal]:
    match order.flow:
        case Flow.LOAN:
            return {"IN_TRANSIT": line.in_transit, "LENT": line.lent, "RETURNING": line.returning}
        case Flow.REALLOCATION:
            away = line.dispatched - line.received - line.returned
            return {"IN_TRANSIT": away - line.returning, "RETURNING": line.returning}
        case Flow.SURRENDER:
            return {"IN_TRANSIT": line.dispatched - line.received}
        case Flow.REPAIR:
            return {"IN_REPAIR": line.out}
        case _:
            ended = "DISPOSED" if order.flow is Flow.DISPOSAL else "DONATED"
            return {"DISPOSING": line.dispatched - line.received, ended: line.received}


def _sums(reading: Reading, *, by_card: bool) -> defaultdict[tuple[str, str], Decimal]:
    """What the ledger has in each custody, by card or by lineage."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for lineage, entries in reading.ledgers.items():
        for entry in entries:
            sums[(entry["asset_id"] if by_card else lineage, entry["custody"])] += Decimal(entry["quantity"])
    return sums


# --- at rest ----------------------------------------------------------------------------------------------------------


def cards_add_up_to_what_was_bought(reading: Reading) -> Iterator[str]:
    """Nothing stands on two cards: all cards of a lineage have what was bought, less what is gone for good; and on each
    card stands what the ledger has on it."""
    standing: Counter[str] = Counter()
    for id_, quantity in reading.cards.items():
        standing[reading.lineages[id_]] += quantity  # type: ignore[assignment]
    of_lineages, of_cards = _sums(reading, by_card=False), _sums(reading, by_card=True)
    for lineage, bought in reading.registered.items():
        gone = sum(of_lineages[(lineage, custody)] for custody in GONE)
        if standing[lineage] + gone != bought:
            yield f"{lineage}: {bought} were bought, {standing[lineage]} stand on cards, {gone} are gone"
    moved = {entry["asset_id"] for entries in reading.ledgers.values() for entry in entries}
    for id_ in moved:
        booked = sum(n for (card, custody), n in of_cards.items() if card == id_ and custody not in ("OPENING", *GONE))
        if booked != reading.cards[id_]:
            yield f"{id_}: {reading.cards[id_]} stand on the card, the ledger has {booked}"


def holds_and_orders_stand_for_each_other(reading: Reading) -> Iterator[str]:
    holding = (HoldState.ACTIVE, HoldState.DISPATCHED)
    wanted = {
        str(line.hold_id) for order, line in reading.goods if order.state not in ENDED and line.hold_state in holding
    }
    held = {hold.id for hold in reading.holds.values() if _in_force(hold, reading)}
    yield from (f"{id_} is held for no order" for id_ in held - wanted)
    lost = [id_ for id_ in wanted - held if not _has_lapsed(reading, id_)]
    yield from (f"{id_} is lost to its order" for id_ in lost)
    times = Counter((hold.order_id, hold.asset) for hold in reading.holds.values() if _in_force(hold, reading))
    yield from (f"{asset} is held {n} times for {order}" for (order, asset), n in times.items() if n > 1)


def _has_lapsed(reading: Reading, hold_id: str) -> bool:
    hold = reading.holds.get(hold_id)
    return hold is not None and hold.has_lapsed(text_of(reading.now))


def books_say_what_orders_say(reading: Reading) -> Iterator[str]:
    for order, line in reading.goods:
        hold = reading.holds.get(str(line.hold_id))
        told: Sequence[Decimal] = (Decimal(0),) * 3
        if hold is not None:
            told = (hold.dispatched, hold.received, hold.returned + hold.gone)
        is_loan = order.flow is Flow.LOAN
        over = line.returned if is_loan else line.returned + line.received
        if (line.dispatched, line.received if is_loan else told[1], over) != tuple(told):
            yield f"{line.id}: {line.dispatched}, {line.received}, {line.returned}; its owner's book: {told}"


def days_are_what_the_owner_granted(reading: Reading) -> Iterator[str]:
    for order, line in reading.goods:
        hold = reading.holds.get(str(line.hold_id))
        if order.flow is Flow.LOAN and line.out > 0 and hold is not None:
            due = order.due_day(line)
            if due is None or due.isoformat() != hold.to_day:
                yield f"{line.id} is due on {due}, its owner lent it until {hold.to_day}"
