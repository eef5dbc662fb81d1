"""Who holds what, as far as people were told: small, and knowing nothing of how the overlay keeps it.

It is told each command and its final answer. An order whose last command has no answer yet is in the balance: the
model says nothing of it until the same key was answered. A command that the model has no rule for ends what it says
of that order; the checks go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from overlay.clock import parse_instant
from overlay.messages import Problem
from overlay.orders.model import Command, Flow, Order, State
from tests.overlay.chaos.acts import Call
from tests.overlay.chaos.reading import Reading

__all__ = ["Answer", "Model"]

HOLD_LASTS = timedelta(days=7)
"""At least, from the last time it was placed or renewed."""
_NOT_MOVED = (State.IN_APPROVAL, State.RETURNED, State.TO_DISPATCH)


@dataclass(frozen=True, slots=True)
class Answer:
    order_id: str | None
    problems: tuple[Problem, ...]

    @property
    def codes(self) -> list[str]:
        return [item.code for item in self.problems]

    @property
    def is_final(self) -> bool:
        return "OUTCOME_UNKNOWN" not in self.codes

    @property
    def is_kept(self) -> bool:
        """Whether the same key gives the same answer for good."""
        return self.is_final and not any(item.transient for item in self.problems)


@dataclass(slots=True)
class Goods:
    quantity: Decimal
    region: str
    """Whose they are."""
    dispatched: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    returning: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    loan_line: str | None = None
    outcome: str | None = None

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        return (self.quantity, self.dispatched, self.received, self.returning, self.returned)


@dataclass(slots=True)
class Case:
    flow: Flow
    state: State
    steps: int
    approved: int
    goods: dict[str, Goods]
    renewed_at: datetime
    loan_id: str | None = None

    def standing(self) -> State:
        """Of a loan whose goods have begun to move: what lags most behind says where it stands."""
        lines = self.goods.values()
        if any(one.dispatched < one.quantity for one in lines):
            return State.TO_DISPATCH
        if any(one.received < one.dispatched for one in lines):
            return State.IN_TRANSIT
        if any(one.returning for one in lines):
            return State.RETURNING
        return State.LENT if any(one.returned < one.received for one in lines) else State.DONE


@dataclass(slots=True)
class Model:
    cases: dict[str, Case] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    """The orders that people were told of."""
    unanswered: dict[str, str] = field(default_factory=dict)
    """The order that a command is about, by the command's key."""
    given_at: dict[str, datetime] = field(default_factory=dict)
    """When a command was first given, by its key: a hold that it renewed may last from then on."""
    compared: int = 0

    def gave(self, call: Call, now: datetime) -> None:
        self.given_at.setdefault(call.key, now)

    def no_answer(self, call: Call) -> None:
        if call.order_id is not None:
            self.unanswered[call.key] = call.order_id

    def answered(self, call: Call, answer: Answer, reading: Reading) -> None:
        """A final answer."""
        order_id = call.order_id
        self.unanswered.pop(call.key, None)
        if call.command is Command.APPLY:
            if not answer.problems and answer.order_id is not None:
                self._open(reading.orders[answer.order_id])
            return
        case = self.cases.get(order_id or "")
        if case is None:
            return
        rule = _RULES.get((case.flow, call.command))
        if rule is None:
            del self.cases[order_id or ""]
            return
        lines = _lines_done(call, answer, reading)
        if answer.problems and not lines:
            return  # refused, and nothing was done
        case.renewed_at = self.given_at[call.key]
        rule(self, case, lines)
        if call.command is Command.RETURN_GOODS and answer.order_id is not None:
            self._open_return(answer.order_id, str(order_id), lines, reading)

    def differences(self, reading: Reading) -> Iterator[str]:
        """Where the store does not show what people were told."""
        unsure: set[str | None] = set(self.unanswered.values())
        unsure |= {self.cases[str(id_)].loan_id for id_ in unsure if id_ in self.cases} - {None}
        for order_id, case in self.cases.items():
            order = reading.orders[order_id]
            if order_id in unsure or case.loan_id in unsure or order.command_id is not None:
                continue
            if order.state is State.EXPIRED and self._may_have_expired(case, reading.now):
                case.state = State.EXPIRED
            self.compared += 1
            if order.state is not case.state:
                yield f"{order_id} is {order.state}, people were told {case.state}"
            told = {line_id: one.numbers for line_id, one in case.goods.items()}
            if order.flow is Flow.LOAN and told != _numbers(order):
                yield f"{order_id}: {_numbers(order)}, people were told {told}"

    def _may_have_expired(self, case: Case, now: datetime) -> bool:
        moved = any(one.dispatched for one in case.goods.values())
        return case.state in _NOT_MOVED and not moved and now >= case.renewed_at + HOLD_LASTS

    def _open(self, order: Order) -> None:
        if order.id not in self.known:  # a key that was repeated opens nothing
            goods = {line.id: Goods(line.quantity, line.lending_region) for line in order.lines}
            placed_at = parse_instant(order.created_at)
            self.cases[order.id] = Case(order.flow, State.IN_APPROVAL, len(order.approvals), 0, goods, placed_at)
            self.known.add(order.id)

    def _open_return(self, id_: str, loan_id: str, lines: Mapping[str, str], reading: Reading) -> None:
        if id_ in self.known:
            return
        loan = self.cases[loan_id]
        goods = {
            f"{id_.removeprefix('order:')}-{n}": Goods(Decimal(quantity), loan.goods[line_id].region, loan_line=line_id)
            for n, (line_id, quantity) in enumerate(lines.items(), start=1)
        }
        self.cases[id_] = Case(Flow.RETURN, State.TO_INSPECT, 0, 0, goods, reading.now, loan_id)
        self.known.add(id_)

    # --- the rules ----------------------------------------------------------------------------------------------------

    def approve_loan(self, case: Case, _: Mapping[str, str]) -> None:
        case.approved += 1
        case.state = State.TO_DISPATCH if case.approved == case.steps else State.IN_APPROVAL

    def resubmit(self, case: Case, _: Mapping[str, str]) -> None:
        case.approved, case.state = 0, State.IN_APPROVAL

    def dispatch(self, case: Case, lines: Mapping[str, str]) -> None:
        for line_id, quantity in lines.items():
            case.goods[line_id].dispatched += Decimal(quantity)
        case.state = case.standing()

    def receive(self, case: Case, lines: Mapping[str, str]) -> None:
        for line_id, quantity in lines.items():
            case.goods[line_id].received += Decimal(quantity)
        case.state = case.standing()

    def give_back(self, case: Case, lines: Mapping[str, str]) -> None:
        for line_id, quantity in lines.items():
            case.goods[line_id].returning += Decimal(quantity)
        case.state = case.standing()

    def inspect(self, case: Case, lines: Mapping[str, str]) -> None:
        loan = self.cases[case.loan_id or ""]
        for line_id, outcome in lines.items():
            one = case.goods[line_id]
            one.outcome = outcome
            of_loan = loan.goods[one.loan_line or ""]
            of_loan.returning -= one.quantity
            of_loan.returned += 0 if outcome == "REFUSED" else one.quantity
        loan.state = loan.standing()
        if all(one.outcome is not None for one in case.goods.values()):
            case.steps = len({one.region for one in case.goods.values() if one.outcome == "NEEDS_REPAIR"})
            case.state = State.IN_APPROVAL if case.steps else State.DONE

    def confirm(self, case: Case, _: Mapping[str, str]) -> None:
        case.approved += 1
        case.state = State.DONE if case.approved == case.steps else State.IN_APPROVAL


Rule = Callable[[Model, Case, Mapping[str, str]], None]


def _ends_in(state: State) -> Rule:
    def rule(_model: Model, case: Case, _lines: Mapping[str, str]) -> None:
        case.state = state

    return rule


_RULES: Mapping[tuple[Flow, Command], Rule] = {
    (Flow.LOAN, Command.APPROVE): Model.approve_loan,
    (Flow.LOAN, Command.REJECT): _ends_in(State.REJECTED),
    (Flow.LOAN, Command.RETURN_FOR_CORRECTION): _ends_in(State.RETURNED),
    (Flow.LOAN, Command.RESUBMIT): Model.resubmit,
    (Flow.LOAN, Command.WITHDRAW): _ends_in(State.WITHDRAWN),
    (Flow.LOAN, Command.DISPATCH): Model.dispatch,
    (Flow.LOAN, Command.RECEIVE): Model.receive,
    (Flow.LOAN, Command.RETURN_GOODS): Model.give_back,
    (Flow.RETURN, Command.INSPECT): Model.inspect,
    (Flow.RETURN, Command.APPROVE): Model.confirm,
}


def _lines_done(call: Call, answer: Answer, reading: Reading) -> dict[str, str]:
    """Of a command on lines: those that no owner refused. What was refused before it began has done none."""
    lines: Sequence[Mapping[str, str]] = call.body.get("lines") or ()
    begun = {step["command_id"] for step in reading.steps}
    mine = [row["id"] for row in reading.commands if (row["actor"], row["key"]) == (call.by.person, call.key)]
    if answer.problems and not begun.intersection(mine):
        return {}
    refused = {int(item.path[1]) for item in answer.problems if item.path[:1] == ("lines",)}
    return {line["lineId"]: line.get("quantity") or line["outcome"] for n, line in enumerate(lines) if n not in refused}


def _numbers(order: Order) -> dict[str, tuple[Decimal, ...]]:
    return {
        line.id: (line.quantity, line.dispatched, line.received, line.returning, line.returned) for line in order.lines
    }
