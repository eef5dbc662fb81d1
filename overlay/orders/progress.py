"""Where an order stands once its goods have begun to move, read from its lines: the line that lags most decides."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from overlay.orders.model import Flow, Line, Order, Outcome, State

__all__ = [
    "OWED",
    "goods_state",
    "has_moved",
    "to_appraise",
    "to_diagnose",
    "to_finish",
    "to_give_up",
    "to_inspect",
    "to_store",
    "to_write_off",
]


OWED = frozenset({Outcome.COMPENSATION, Outcome.LOST})
"""Outcomes for which the borrower pays."""


def goods_state(order: Order) -> State:
    return _STATES[order.flow](order)


def has_moved(order: Order) -> bool:
    return any(line.dispatched > 0 for line in order.lines)


def to_give_up(flow: Flow, line: Line) -> Decimal:
    """What was granted and has not left. What a diagnosis found to be scrap was not to leave."""
    if flow is Flow.REPAIR and not to_diagnose(line):
        return Decimal(0)
    return line.to_dispatch


def to_appraise(line: Line) -> bool:
    return line.outcome is None


def to_store(line: Line) -> Decimal:
    return line.dispatched - line.received


def to_diagnose(line: Line) -> bool:
    return line.outcome is None and line.dispatched == 0


def to_finish(line: Line) -> Decimal:
    """Of a repair: in the workshop, and not reported as repaired."""
    return line.out - line.returning


def to_inspect(line: Line) -> Decimal:
    return line.returning


def to_write_off(line: Line) -> Decimal:
    return line.dispatched - line.received


def _loan(order: Order) -> State:
    lines = order.lines
    if any(line.to_dispatch > 0 for line in lines):
        return State.TO_DISPATCH
    if any(line.in_transit > 0 for line in lines):
        return State.IN_TRANSIT
    if order.asked_extension is not None and any(line.lent > 0 for line in lines):
        return State.EXTENDING
    if any(line.returning > 0 for line in lines):
        return State.RETURNING
    if any(line.lent > 0 for line in lines):
        return State.LENT
    return State.DONE


def _reallocation(order: Order) -> State:
    lines = order.lines
    if any(line.to_dispatch > 0 for line in lines):
        return State.TO_DISPATCH
    if any(line.on_the_road > 0 for line in lines):
        return State.IN_TRANSIT
    if any(line.at_the_door > 0 for line in lines):
        return State.TO_RECEIVE
    if any(line.returning > 0 for line in lines):
        return State.RETURNING
    return State.DONE if any(line.received > 0 for line in lines) else State.SENT_BACK


def _surrender(order: Order) -> State:
    if any(to_appraise(line) for line in order.live_lines):
        return State.TO_APPRAISE
    if any(to_store(line) > 0 for line in order.lines):
        return State.TO_STORE
    return State.DONE if any(line.received > 0 for line in order.lines) else State.REJECTED


def _repair(order: Order) -> State:
    if any(to_diagnose(line) for line in order.live_lines):
        return State.TO_DIAGNOSE
    if any(to_finish(line) > 0 for line in order.lines):
        return State.UNDER_REPAIR
    if any(to_inspect(line) > 0 for line in order.lines):
        return State.TO_INSPECT
    return State.DONE


def _disposal(order: Order) -> State:
    if any(line.to_dispatch > 0 for line in order.lines):
        return State.TO_EXECUTE
    if any(to_write_off(line) > 0 for line in order.lines):
        return State.TO_WRITE_OFF
    return State.DONE


def _return(order: Order) -> State:
    """Before any damage is confirmed; afterwards until all of it is paid for."""
    lines = order.live_lines
    if any(line.outcome is None for line in lines):
        return State.TO_INSPECT
    owed = [line for line in lines if line.outcome in OWED]
    if any(line.compensation is None or line.compensation.settled_at is None for line in owed):
        return State.TO_COMPENSATE
    return State.DONE


_STATES: dict[Flow, Callable[[Order], State]] = {
    Flow.LOAN: _loan,
    Flow.RETURN: _return,
    Flow.REALLOCATION: _reallocation,
    Flow.SURRENDER: _surrender,
    Flow.REPAIR: _repair,
    Flow.DISPOSAL: _disposal,
    Flow.DONATION: _disposal,
}
