"""What people do: `ACTS` are all of it. Here stands what all applications have in common, the way through approval."""

from __future__ import annotations

from collections.abc import Sequence

from overlay.orders.model import Command, Flow, Order, State
from tests.overlay.chaos.acting import Act, Call, Chooser, Lending, Plan, Scene, whole_or_part
from tests.overlay.chaos.acts_of_loans import ACTS_OF_LOANS
from tests.overlay.chaos.acts_of_owners import ACTS_OF_OWNERS
from tests.overlay.chaos.cast import BOSS, DEPUTY, KEEPERS, applicant_of, officer_of
from tests.overlay.city import days

__all__ = ["ACTS", "Act", "Call", "Chooser", "Plan", "Scene"]

LENT_DAYS_MAX = 6


def _approve_once(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    step = order.current_step
    return Plan([] if step is None else [scene.call(officer_of(step), Command.APPROVE, order)])


def _approve_to_the_end(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    first = 0 if order.current_step is None else order.current_step.position
    return Plan(
        [scene.call(officer_of(step), Command.APPROVE, order) for step in order.approvals if step.position >= first]
    )


def _two_approve_at_once(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    step = order.current_step
    if step is None:
        return Plan([])
    return Plan([scene.call(officer_of(step), Command.APPROVE, order) for _ in range(2)], together=True)


def _approve_own(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    return Plan([scene.call(BOSS, Command.APPROVE, choose.pick(found))])


def _lend_office(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    """To the deputy, for some days, of which today may be none."""
    step = choose.pick(found).current_step
    if step is None:
        return Plan([])
    body = {
        "delegate": str(DEPUTY.person),
        "range": days(choose.pick([0, 0, 2]), choose.number(1, LENT_DAYS_MAX), scene.today),
        "reason": "出差",
    }
    return Plan([scene.call(officer_of(step), Lending.LEND_OFFICE, None, **body)])


def _approve_in_a_lent_office(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    step = order.current_step
    lender = None if step is None else officer_of(step).person
    return Plan([] if lender is None else [scene.call(DEPUTY, Command.APPROVE, order, onBehalfOf=lender)])


def _decide_against(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, command = choose.pick(found), choose.pick([Command.REJECT, Command.RETURN_FOR_CORRECTION])
    step = order.current_step
    return Plan([] if step is None else [scene.call(officer_of(step), command, order, reason="否")])


def _correct(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(applicant_of(order), Command.RESUBMIT, order, purpose="更正")])


def _withdraw(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(applicant_of(order), Command.WITHDRAW, order)])


def _dispatch(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, calls = choose.pick(found), []
    for region in order.lending_regions:
        lines = [line for line in order.lines if line.lending_region == region]
        chosen = whole_or_part(choose, lines, lambda line: line.to_dispatch)
        if chosen:
            calls.append(scene.call(KEEPERS[region], Command.DISPATCH, order, lines=chosen))
    return Plan(calls)


def _of_boss(order: Order) -> bool:
    return order.applicant.person == BOSS.person


_ANY = tuple(Flow)
_DECIDED = (State.IN_APPROVAL, State.EXTENDING)
_NOT_MOVED = (
    State.PUBLIC_NOTICE,
    State.RETURNED,
    State.TO_DISPATCH,
    State.TO_APPRAISE,
    State.TO_DIAGNOSE,
    State.TO_EXECUTE,
)

ACTS: tuple[Act, ...] = (
    *ACTS_OF_LOANS,
    *ACTS_OF_OWNERS,
    Act("approve_once", _approve_once, _ANY, _DECIDED, weight=2),
    Act("approve_to_the_end", _approve_to_the_end, _ANY, _DECIDED, weight=8),
    Act("two_approve_at_once", _two_approve_at_once, _ANY, _DECIDED, weight=2),
    Act("approve_own", _approve_own, _ANY, _DECIDED, where=_of_boss),
    Act("lend_office", _lend_office, _ANY, _DECIDED),
    Act("approve_in_a_lent_office", _approve_in_a_lent_office, _ANY, _DECIDED, weight=2),
    Act("decide_against", _decide_against, _ANY, _DECIDED),
    Act("correct", _correct, _ANY, (State.RETURNED,), weight=2),
    Act("withdraw", _withdraw, _ANY, (*_DECIDED, *_NOT_MOVED)),
    Act("dispatch", _dispatch, (Flow.LOAN, Flow.REALLOCATION), (State.TO_DISPATCH,), weight=8),
)
