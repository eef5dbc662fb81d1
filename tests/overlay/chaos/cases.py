"""What people were told of one order: its goods by quantity, and what each answered command made of them.

One rule for each (flow, command); where an order stands then, `Case.standing` says. Written from what the flows mean to
people (`docs/flows.md`), not from how the overlay does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from overlay.orders.model import Command, Flow, State

__all__ = ["APPROVED", "NOTICED", "RULES", "Case", "Goods", "Rule"]

ZERO = Decimal(0)
OWED = ("COMPENSATION", "LOST")
DAMAGED = ("NEEDS_REPAIR", *OWED)
NOTICED = (Flow.DISPOSAL, Flow.DONATION)
APPROVED = {
    Flow.LOAN: State.TO_DISPATCH,
    Flow.REALLOCATION: State.TO_DISPATCH,
    Flow.SURRENDER: State.TO_APPRAISE,
    Flow.REPAIR: State.TO_DIAGNOSE,
    Flow.DISPOSAL: State.TO_EXECUTE,
    Flow.DONATION: State.TO_EXECUTE,
}


@dataclass(slots=True)
class Goods:
    quantity: Decimal
    region: str
    """Whose they are."""
    dispatched: Decimal = ZERO
    arrived: Decimal = ZERO
    received: Decimal = ZERO
    returning: Decimal = ZERO
    returned: Decimal = ZERO
    loan_line: str | None = None
    outcome: str | None = None
    is_named: bool = False
    """How much is to be paid for them is said."""
    is_agreed: bool = False
    is_paid: bool = False

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        return (self.quantity, self.dispatched, self.arrived, self.received, self.returning, self.returned)

    @property
    def lent(self) -> Decimal:
        return self.received - self.returning - self.returned

    @property
    def is_owed(self) -> bool:
        return self.outcome in OWED and not self.is_paid


@dataclass(slots=True)
class Case:
    flow: Flow
    state: State
    steps: int
    approved: int
    goods: dict[str, Goods]
    renewed_at: datetime
    loan: Case | None = None
    loan_id: str | None = None
    extension_steps: int = 0
    """Of the extension that is asked for; 0: none is."""
    extension_approved: int = 0

    def standing(self) -> State:
        """Once goods have begun to move: what lags most behind says where the order stands."""
        return _STANDING[self.flow](self)

    def some(self, holds: Callable[[Goods], object]) -> bool:
        return any(holds(one) for one in self.goods.values())

    def drop_extension(self) -> None:
        self.extension_steps = self.extension_approved = 0


def _loan(case: Case) -> State:
    if case.some(lambda one: one.dispatched < one.quantity):
        return State.TO_DISPATCH
    if case.some(lambda one: one.received < one.dispatched):
        return State.IN_TRANSIT
    if case.extension_steps and case.some(lambda one: one.lent):
        return State.EXTENDING
    if case.some(lambda one: one.returning):
        return State.RETURNING
    return State.LENT if case.some(lambda one: one.lent) else State.DONE


def _return(case: Case) -> State:
    return State.TO_COMPENSATE if case.some(lambda one: one.is_owed) else State.DONE


def _reallocation(case: Case) -> State:
    if case.some(lambda one: one.dispatched < one.quantity):
        return State.TO_DISPATCH
    if case.some(lambda one: one.arrived < one.dispatched):
        return State.IN_TRANSIT
    if case.some(lambda one: one.arrived > one.received + one.returning + one.returned):
        return State.TO_RECEIVE
    if case.some(lambda one: one.returning):
        return State.RETURNING
    return State.DONE if case.some(lambda one: one.received) else State.SENT_BACK


def _surrender(case: Case) -> State:
    if case.some(lambda one: one.quantity and one.outcome is None):
        return State.TO_APPRAISE
    if case.some(lambda one: one.received < one.dispatched):
        return State.TO_STORE
    return State.DONE if case.some(lambda one: one.received) else State.REJECTED


def _repair(case: Case) -> State:
    if case.some(lambda one: one.quantity and one.outcome is None):
        return State.TO_DIAGNOSE
    if case.some(lambda one: one.dispatched > one.returning + one.returned):
        return State.UNDER_REPAIR
    return State.TO_INSPECT if case.some(lambda one: one.returning) else State.DONE


def _disposal(case: Case) -> State:
    if case.some(lambda one: one.dispatched < one.quantity):
        return State.TO_EXECUTE
    return State.TO_WRITE_OFF if case.some(lambda one: one.received < one.dispatched) else State.DONE


_STANDING: Mapping[Flow, Callable[[Case], State]] = {
    Flow.LOAN: _loan,
    Flow.RETURN: _return,
    Flow.REALLOCATION: _reallocation,
    Flow.SURRENDER: _surrender,
    Flow.REPAIR: _repair,
    Flow.DISPOSAL: _disposal,
    Flow.DONATION: _disposal,
}

# --- the rules --------------------------------------------------------------------------------------------------------

Done = Mapping[str, str]
"""The lines that were done, and the quantity, outcome or amount that was given for each."""
Rule = Callable[[Case, Done, str | None], None]
"""Also the region of who gave the command."""


def _approve(case: Case, done: Done, _region: str | None) -> None:
    if case.state is not State.EXTENDING:
        case.approved += 1
        case.state = APPROVED[case.flow] if case.approved == case.steps else State.IN_APPROVAL
        return
    case.extension_approved += 1
    if case.extension_approved == case.extension_steps:
        case.drop_extension()
        case.state = case.standing()


def _end(state: State) -> Rule:
    def rule(case: Case, done: Done, _region: str | None) -> None:
        if case.state is State.EXTENDING:
            case.drop_extension()
            case.state = case.standing()
        else:
            case.state = state

    return rule


def _resubmit(case: Case, done: Done, _region: str | None) -> None:
    case.approved, case.state = 0, State.PUBLIC_NOTICE if case.flow in NOTICED else State.IN_APPROVAL


def _extend(case: Case, done: Done, _region: str | None) -> None:
    case.state = State.EXTENDING


def _moves(name: str) -> Rule:
    """So much more of a line."""

    def rule(case: Case, done: Done, _region: str | None) -> None:
        for line_id, quantity in done.items():
            one = case.goods[line_id]
            setattr(one, name, getattr(one, name) + Decimal(quantity))
        if not case.some(lambda one: one.lent):
            case.drop_extension()
        case.state = case.standing()

    return rule


def _send_back(case: Case, done: Done, _region: str | None) -> None:
    for line_id, quantity in done.items():
        one = case.goods[line_id]
        one.returning += Decimal(quantity)
        one.arrived = max(one.arrived, one.received + one.returning + one.returned)
    case.state = case.standing()


def _inspect_return(case: Case, done: Done, _region: str | None) -> None:
    loan = case.loan
    assert loan is not None
    for line_id, outcome in done.items():
        one = case.goods[line_id]
        of_loan = loan.goods[one.loan_line or ""]
        one.outcome = outcome
        one.returned = ZERO if outcome == "REFUSED" else one.quantity
        of_loan.returning -= one.quantity
        of_loan.returned += one.returned
    loan.state = loan.standing()
    if not case.some(lambda one: one.outcome is None):
        case.steps = len({one.region for one in case.goods.values() if one.outcome in DAMAGED})
        case.state = State.IN_APPROVAL if case.steps else State.DONE


def _confirm(case: Case, done: Done, _region: str | None) -> None:
    case.approved += 1
    case.state = case.standing() if case.approved == case.steps else State.IN_APPROVAL


def _name_amount(case: Case, done: Done, _region: str | None) -> None:
    for line_id in done:
        case.goods[line_id].is_named, case.goods[line_id].is_agreed = True, False


def _agree(case: Case, done: Done, _region: str | None) -> None:
    for one in case.goods.values():
        one.is_agreed = one.is_agreed or (one.is_owed and one.is_named)


def _pay(case: Case, done: Done, region: str | None) -> None:
    for one in case.goods.values():
        one.is_paid = one.is_paid or (one.is_agreed and one.region == region)
    case.state = case.standing()


def _appraise(case: Case, done: Done, _region: str | None) -> None:
    for line_id, outcome in done.items():
        one = case.goods[line_id]
        one.outcome = outcome
        if outcome == "PASSED":
            one.dispatched = one.quantity
        else:
            one.quantity = ZERO
    case.state = case.standing()


def _diagnose(case: Case, done: Done, _region: str | None) -> None:
    for line_id, outcome in done.items():
        one = case.goods[line_id]
        one.outcome = outcome
        one.dispatched = one.quantity if outcome == "NEEDS_REPAIR" else ZERO
    case.state = case.standing()


def _inspect(case: Case, done: Done, _region: str | None) -> None:
    """What is back from the workshop, or was sent back to its owner."""
    for line_id, outcome in done.items():
        one = case.goods[line_id]
        one.outcome = outcome
        if case.flow is Flow.REALLOCATION or outcome != "NEEDS_REPAIR":
            one.returned += one.returning
        one.returning = ZERO
    case.state = case.standing()


_OF_APPLICATIONS: Mapping[Command, Rule] = {
    Command.APPROVE: _approve,
    Command.REJECT: _end(State.REJECTED),
    Command.RETURN_FOR_CORRECTION: _end(State.RETURNED),
    Command.RESUBMIT: _resubmit,
    Command.WITHDRAW: _end(State.WITHDRAWN),
}
RULES: Mapping[tuple[Flow, Command], Rule] = {
    **{(flow, command): rule for flow in APPROVED for command, rule in _OF_APPLICATIONS.items()},
    (Flow.LOAN, Command.DISPATCH): _moves("dispatched"),
    (Flow.LOAN, Command.RECEIVE): _moves("received"),
    (Flow.LOAN, Command.RETURN_GOODS): _moves("returning"),
    (Flow.LOAN, Command.EXTEND): _extend,
    (Flow.RETURN, Command.INSPECT): _inspect_return,
    (Flow.RETURN, Command.APPROVE): _confirm,
    (Flow.RETURN, Command.PROPOSE_COMPENSATION): _name_amount,
    (Flow.RETURN, Command.AGREE_COMPENSATION): _agree,
    (Flow.RETURN, Command.SETTLE_COMPENSATION): _pay,
    (Flow.REALLOCATION, Command.DISPATCH): _moves("dispatched"),
    (Flow.REALLOCATION, Command.ARRIVE): _moves("arrived"),
    (Flow.REALLOCATION, Command.RECEIVE): _moves("received"),
    (Flow.REALLOCATION, Command.RETURN_TO_OWNER): _send_back,
    (Flow.REALLOCATION, Command.INSPECT): _inspect,
    (Flow.SURRENDER, Command.APPRAISE): _appraise,
    (Flow.SURRENDER, Command.STORE): _moves("received"),
    (Flow.REPAIR, Command.DIAGNOSE): _diagnose,
    (Flow.REPAIR, Command.FINISH_REPAIR): _moves("returning"),
    (Flow.REPAIR, Command.INSPECT): _inspect,
    **{(flow, Command.OBJECT): _end(State.RETURNED) for flow in NOTICED},
    **{(flow, Command.EXECUTE): _moves("dispatched") for flow in NOTICED},
    **{(flow, Command.WRITE_OFF): _moves("received") for flow in NOTICED},
}
