"""What must hold of a reading: each check is a function that yields what is wrong, in words.

`ALWAYS` hold at any moment, between the steps of a saga too; `AT_REST` once nothing is under way. A check says what
the world must be like, never how the code makes it so; a new one joins by standing in one of the two tuples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from overlay.clock import text_of
from overlay.ledger.entries import BrokenChain, verify
from overlay.orders.model import ApprovalState, HoldState, Settlement, State
from subgraphs.district.custody.decisions import Entry
from tests.overlay.chaos.cast import may_decide
from tests.overlay.chaos.reading import Reading

__all__ = ["ALWAYS", "AT_REST", "Check", "Violated", "held_against"]

Check = Callable[[Reading], Iterator[str]]
ENDED = {State.DONE, State.REJECTED, State.WITHDRAWN, State.EXPIRED}


class Violated(AssertionError):
    """Something that must hold does not."""


def held_against(checks: Iterable[Check], reading: Reading) -> int:
    """Raises `Violated` with all that is wrong; gives how many checks were made."""
    made, wrong = 0, []
    for check in checks:
        made += 1
        wrong += [f"{check.__name__}: {words}" for words in check(reading)]
    if wrong:
        raise Violated("\n".join(wrong))
    return made


# --- goods ------------------------------------------------------------------------------------------------------------


def no_asset_in_two_hands(reading: Reading) -> Iterator[str]:
    out: Counter[str] = Counter()
    for _, line in reading.loan_lines:
        out[line.asset_id] += line.dispatched - line.returned  # type: ignore[assignment]
        if not 0 <= line.returning + line.returned <= line.received <= line.dispatched <= line.quantity:
            yield f"{line.id}: more has come than went"
    yield from (f"{asset}: {n} out" for asset, n in out.items() if n > reading.quantities[asset])


def no_overlap_beyond_quantity(reading: Reading) -> Iterator[str]:
    """By the days that were booked: goods that are overdue may stand in the way of a later hold, but nobody booked so."""
    taken: Counter[tuple[str, str]] = Counter()
    for hold in reading.holds.values():
        if _in_force(hold, reading):
            for day in _days(hold.from_day, hold.to_day):
                taken[(hold.asset, day)] += hold.claimed  # type: ignore[assignment]
    yield from (f"{asset} on {day}: {n}" for (asset, day), n in taken.items() if n > reading.quantities[asset])


def _days(first: str, after: str) -> Iterator[str]:
    day = date.fromisoformat(first)
    while day < date.fromisoformat(after):
        yield day.isoformat()
        day += timedelta(days=1)


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
    """Each pair gives what it takes, nothing is given that is not there, and all accounts together keep the card's quantity."""
    for lineage, entries in reading.ledgers.items():
        balances: defaultdict[tuple[str, str | None, str], Decimal] = defaultdict(Decimal)
        pairs: defaultdict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for entry in entries:
            quantity, account = Decimal(entry["quantity"]), (entry["region"], entry["unit"], entry["custody"])
            balances[account] += quantity
            pairs[entry["pair"]].append((quantity, Decimal(entry["value"] or 0)))
            if balances[account] < 0 and entry["custody"] != "OPENING":
                yield f"{lineage}: {account} gives what it has not, entry {entry['sequence']}"
        for pair, both in pairs.items():
            if len(both) != 2 or any(sum(column) != 0 for column in zip(*both, strict=True)):
                yield f"{lineage}: the pair {pair} does not balance"
        inside = sum(n for (_, _, custody), n in balances.items() if custody != "OPENING")
        if inside != reading.quantities[lineage]:
            yield f"{lineage}: {inside} in all accounts"


def the_ledger_says_what_orders_say(reading: Reading) -> Iterator[str]:
    told: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for _, line in reading.loan_lines:
        told[(line.asset_id, "IN_TRANSIT")] += line.in_transit
        told[(line.asset_id, "LENT")] += line.lent
        told[(line.asset_id, "RETURNING")] += line.returning
    booked: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for lineage, entries in reading.ledgers.items():
        for entry in entries:
            booked[(lineage, entry["custody"])] += Decimal(entry["quantity"])
    for asset in reading.quantities:
        for custody in ("IN_TRANSIT", "LENT", "RETURNING"):
            key = (asset, custody)
            if told[key] != booked[key]:
                yield f"{asset} {custody}: orders say {told[key]}, the ledger {booked[key]}"


# --- orders -----------------------------------------------------------------------------------------------------------


def a_timeline_leads_to_the_state(reading: Reading) -> Iterator[str]:
    for order in reading.orders.values():
        at: str | None = None
        for entry in reading.timelines.get(order.id, ()):
            if entry["from_state"] != at:
                yield f"{order.id}: from {at} to {entry['to_state']} without a step between"
            at = entry["to_state"]
        if at != order.state:
            yield f"{order.id} is {order.state}, its timeline ends in {at}"


def steps_are_decided_by_who_may(reading: Reading) -> Iterator[str]:
    for order in reading.orders.values():
        current = [step for step in order.approvals if step.state is ApprovalState.CURRENT]
        if len(current) != (1 if order.state is State.IN_APPROVAL else 0) and order.state not in ENDED:
            yield f"{order.id} is {order.state} with {len(current)} current steps"
        for step in order.approvals:
            if step.decided_by is None:
                continue
            if step.decided_by == order.applicant.person:
                yield f"{order.id}: {step.decided_by} decided their own"
            if step.decided_by not in may_decide(step):
                yield f"{order.id}: step {step.position} was decided by {step.decided_by}"


def goods_move_only_when_approved(reading: Reading) -> Iterator[str]:
    for order, line in reading.loan_lines:
        if line.dispatched > 0 and any(step.state is not ApprovalState.APPROVED for step in order.approvals):
            yield f"{order.id}: goods left before every step was approved"


def an_order_has_one_open_command(reading: Reading) -> Iterator[str]:
    still_open: defaultdict[str, list[str]] = defaultdict(list)
    for command in reading.commands:
        if command["state"] != "FINISHED":
            still_open[command["order_id"]].append(command["id"])
    for order in reading.orders.values():
        expected = [] if order.command_id is None else [order.command_id]
        if still_open[order.id] != expected:
            yield f"{order.id} is taken by {expected}, open are {still_open[order.id]}"


# --- what was sent to the owners --------------------------------------------------------------------------------------


def nothing_was_sent_unwritten(reading: Reading) -> Iterator[str]:
    written = {step["id"] for step in reading.steps}
    yield from (f"an owner knows {key}, which no step stands for" for key in reading.answers.keys() - written)


def a_step_says_what_the_owner_said(reading: Reading) -> Iterator[str]:
    for step in reading.steps:
        answer = reading.answers.get(step["id"])
        accepted = answer is not None and not answer["problems"]
        if step["state"] == "DONE" and not accepted:
            yield f"{step['action']} {step['id']} is done, but not at the owner's"
        if step["state"] in ("REFUSED", "CANCELLED") and accepted:
            yield f"{step['action']} {step['id']} is {step['state']}, but the owner has done it"


# --- at rest ----------------------------------------------------------------------------------------------------------


def nothing_is_under_way(reading: Reading) -> Iterator[str]:
    yield from (f"command {row['id']} is open" for row in reading.commands if row["state"] != "FINISHED")
    yield from (
        f"step {row['id']} is {row['state']}" for row in reading.steps if row["state"] in ("PENDING", "UNKNOWN")
    )
    for order in reading.orders.values():
        if order.settlement is not Settlement.SETTLED or order.command_id is not None:
            yield f"{order.id} is not settled"
        if order.state is State.DRAFT and order.id not in reading.unlisted:
            yield f"{order.id} is shown as a draft"


def holds_and_orders_stand_for_each_other(reading: Reading) -> Iterator[str]:
    holding = (HoldState.ACTIVE, HoldState.DISPATCHED)
    wanted = {
        str(line.hold_id)
        for order, line in reading.loan_lines
        if order.state not in ENDED and line.hold_state in holding
    }
    held = {hold.id for hold in reading.holds.values() if _in_force(hold, reading)}
    yield from (f"{id_} is held for no order" for id_ in held - wanted)
    lost = [id_ for id_ in wanted - held if not _has_lapsed(reading, id_)]
    yield from (f"{id_} is lost to its order" for id_ in lost)
    times = Counter((hold.order_id, hold.asset) for hold in reading.holds.values())
    yield from (f"{asset} is held {n} times for {order}" for (order, asset), n in times.items() if n > 1)


def _has_lapsed(reading: Reading, hold_id: str) -> bool:
    hold = reading.holds.get(hold_id)
    return hold is not None and hold.has_lapsed(text_of(reading.now))


def books_say_what_orders_say(reading: Reading) -> Iterator[str]:
    for _, line in reading.loan_lines:
        hold = reading.holds.get(str(line.hold_id))
        told: Sequence[object] = (0, 0, 0) if hold is None else (hold.dispatched, hold.received, hold.returned)
        if (line.dispatched, line.received, line.returned) != tuple(told):
            yield f"{line.id}: {line.dispatched}, {line.received}, {line.returned}; its owner's book: {told}"


ALWAYS: tuple[Check, ...] = (
    no_asset_in_two_hands,
    no_overlap_beyond_quantity,
    the_chain_is_whole,
    ledger_sums_are_constant,
    the_ledger_says_what_orders_say,
    a_timeline_leads_to_the_state,
    steps_are_decided_by_who_may,
    goods_move_only_when_approved,
    an_order_has_one_open_command,
    nothing_was_sent_unwritten,
    a_step_says_what_the_owner_said,
)
AT_REST: tuple[Check, ...] = (
    *ALWAYS,
    nothing_is_under_way,
    holds_and_orders_stand_for_each_other,
    books_say_what_orders_say,
)
