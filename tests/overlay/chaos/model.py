"""Who holds what, as far as people were told: small, and knowing nothing of how the overlay keeps it.

It is told each command and its final answer. An order whose last command has no answer yet is in the balance: the
model says nothing of it until the same key was answered. A command that the model has no rule for ends what it says
of that order; the checks go on.

What happens to an order without a command of its people, a hold that lapsed or a public notice that ended, the model
finds possible or not, and goes along with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from overlay.clock import parse_instant, shanghai_today
from overlay.messages import Problem
from overlay.orders.model import Command, Flow, Order, State
from tests.overlay.chaos.acting import Call, Lending
from tests.overlay.chaos.cases import APPROVED, NOTICED, RULES, Case, Goods
from tests.overlay.chaos.reading import Reading

__all__ = ["NOTICE_DAYS", "Answer", "Model"]

HOLD_LASTS = timedelta(days=7)
"""At least, from the last time it was placed or renewed."""
NOTICE_DAYS = 7
_RENEWS = (Command.APPROVE, Command.RESUBMIT)
_MAY_EXPIRE = (State.IN_APPROVAL, State.RETURNED, *APPROVED.values())


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

    def is_told_again_by(self, again: Answer) -> bool:
        """The same result. The order beside it is shown as it is now: who objected to a notice that has ended since sees
        it no more, until there is a notice again."""
        shown = {self.order_id, again.order_id} - {None}
        return again.codes == self.codes and len(shown) <= 1


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
        order_id = call.order_id or ""
        self.unanswered.pop(call.key, None)
        if call.command is Command.APPLY:
            if not answer.problems and answer.order_id is not None:
                self._open(reading.orders[answer.order_id])
            return
        case = self.cases.get(order_id)
        if case is None or isinstance(call.command, Lending):
            return
        rule = RULES.get((case.flow, call.command))
        if rule is None:
            del self.cases[order_id]
            return
        done = _lines_done(call, case, answer, reading)
        if answer.problems and not done:
            return  # refused, and nothing was done
        self._go_along(case, reading.orders[order_id], reading.now, has_command=True)
        if call.command in _RENEWS:
            case.renewed_at = self.given_at[call.key]
        rule(case, done, call.by.region)
        if call.command is Command.EXTEND:
            asked = len(reading.orders[order_id].extensions)
            case.extension_steps = sum(step.extension == asked for step in reading.orders[order_id].approvals)
        if call.command is Command.RETURN_GOODS and answer.order_id is not None:
            self._open_return(answer.order_id, order_id, done, reading)

    def differences(self, reading: Reading) -> Iterator[str]:
        """Where the store does not show what people were told."""
        unsure: set[str | None] = set(self.unanswered.values())
        unsure |= {self.cases[str(id_)].loan_id for id_ in unsure if id_ in self.cases} - {None}
        for order_id, case in self.cases.items():
            order = reading.orders[order_id]
            if order_id in unsure or case.loan_id in unsure or order.command_id is not None:
                continue
            self._go_along(case, order, reading.now)
            self.compared += 1
            if order.state is not case.state:
                yield f"{order_id} is {order.state}, people were told {case.state}"
            told = {line_id: one.numbers for line_id, one in case.goods.items()}
            if order.flow is not Flow.RETURN and told != _numbers(order):
                yield f"{order_id} {order.flow}: {_numbers(order)}, people were told {told}"

    # --- what happens by itself ---------------------------------------------------------------------------------------

    def _go_along(self, case: Case, order: Order, now: datetime, has_command: bool = False) -> None:
        if case.flow in NOTICED and case.state is State.PUBLIC_NOTICE:
            self._follow_notice(case, order, now)
        expired = order.state is State.EXPIRED and case.state in _MAY_EXPIRE and not has_command
        if expired and not case.some(lambda one: one.dispatched) and now >= case.renewed_at + HOLD_LASTS:
            case.state = State.EXPIRED

    def _follow_notice(self, case: Case, order: Order, now: datetime) -> None:
        """Somebody may have applied for what is offered; when the days are over, approval begins for what is left."""
        for line in order.lines:
            if line.quantity == 0 and line.refusal is not None:
                case.goods[line.id].quantity = Decimal(0)
        if not case.some(lambda one: one.quantity):
            case.state = State.STOPPED
        elif order.state is not State.PUBLIC_NOTICE and shanghai_today(now) >= shanghai_today(
            case.renewed_at
        ) + timedelta(days=NOTICE_DAYS):
            case.state, case.approved, case.steps = State.IN_APPROVAL, 0, len(order.approvals)
            case.renewed_at += timedelta(days=NOTICE_DAYS - 1)  # the earliest at which holds can have been placed

    # --- new orders ---------------------------------------------------------------------------------------------------

    def _open(self, order: Order) -> None:
        if order.id not in self.known:  # a key that was repeated opens nothing
            goods = {line.id: Goods(line.quantity, line.lending_region) for line in order.lines}
            placed_at = parse_instant(order.created_at)
            first = State.PUBLIC_NOTICE if order.flow in NOTICED else State.IN_APPROVAL
            self.cases[order.id] = Case(order.flow, first, len(order.approvals), 0, goods, placed_at)
            self.known.add(order.id)

    def _open_return(self, id_: str, loan_id: str, lines: Mapping[str, str], reading: Reading) -> None:
        if id_ in self.known:
            return
        loan = self.cases[loan_id]
        goods = {
            f"{id_.removeprefix('order:')}-{n}": Goods(Decimal(quantity), loan.goods[line_id].region, loan_line=line_id)
            for n, (line_id, quantity) in enumerate(lines.items(), start=1)
        }
        self.cases[id_] = Case(Flow.RETURN, State.TO_INSPECT, 0, 0, goods, reading.now, loan, loan_id)
        self.known.add(id_)


def _lines_done(call: Call, case: Case, answer: Answer, reading: Reading) -> dict[str, str]:
    """Of a command on lines: those that no owner refused. What was refused before it began has done none."""
    lines: Sequence[Mapping[str, str]] = call.body.get("lines") or ()
    begun = {step["command_id"] for step in reading.steps}
    mine = [row["id"] for row in reading.commands if (row["actor"], row["key"]) == (call.by.person, call.key)]
    if answer.problems and not begun.intersection(mine):
        return {}
    refused = {int(item.path[1]) for item in answer.problems if item.path[:1] == ("lines",)}
    if call.command is Command.APPROVE and case.state is State.EXTENDING:
        return {id_: "" for n, (id_, one) in enumerate(case.goods.items()) if n not in refused and one.lent}
    return {line["lineId"]: _told(line) for n, line in enumerate(lines) if n not in refused}


def _told(line: Mapping[str, str]) -> str:
    return line.get("quantity") or line.get("outcome") or line["amount"]


def _numbers(order: Order) -> dict[str, tuple[Decimal, ...]]:
    return {
        line.id: (line.quantity, line.dispatched, line.arrived, line.received, line.returning, line.returned)
        for line in order.lines
    }
