"""What people do, as data: an act says when it is possible and which commands it gives.

Both ways of running take every act from here. An act names all lines and quantities itself, so that what a command
meant does not depend on when it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from contract.identity import Identity
from overlay.orders.model import Command, Flow, Line, Order, State
from tests.overlay.chaos.cast import APPLICANTS, BOSS, applicant_of, keeper_of, officers_of
from tests.overlay.city import days

__all__ = ["ACTS", "Act", "Call", "Chooser", "Plan", "Scene"]

T = TypeVar("T")
WINDOW_DAYS = 9
"""How far ahead loans begin: few days and few assets, so that people want the same."""


class Chooser:
    """Choices, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def pick(self, options: Sequence[T], weights: Sequence[int] | None = None) -> T:
        return self._random.choices(options, weights)[0]

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


@dataclass(frozen=True, slots=True)
class Call:
    by: Identity
    command: Command
    order_id: str | None
    body: Mapping[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    calls: Sequence[Call]
    together: bool = False
    """At the same time, not one after the other."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What those who act see."""

    orders: Sequence[Order]
    assets: Sequence[str]
    today: date
    keys: Iterator[str]

    def those(self, flow: Flow, *states: State) -> list[Order]:
        return [order for order in self.orders if order.flow is flow and order.state in states]

    def call(self, by: Identity, command: Command, order: Order | None, **body: Any) -> Call:
        return Call(by, command, None if order is None else order.id, body, next(self.keys))


@dataclass(frozen=True, slots=True)
class Act:
    name: str
    plan: Callable[[Scene, Chooser, Sequence[Order]], Plan]
    flow: Flow = Flow.LOAN
    states: tuple[State, ...] = ()
    """The states of orders that the act is about; none: it is about no order yet."""
    weight: int = 1
    where: Callable[[Order], bool] = field(default=lambda order: True)

    def orders(self, scene: Scene) -> list[Order]:
        return [order for order in scene.those(self.flow, *self.states) if self.where(order)]

    def is_possible(self, scene: Scene) -> bool:
        return not self.states or bool(self.orders(scene))


def _application(scene: Scene, choose: Chooser, by: Identity, assets: Sequence[str], window: Mapping[str, str]) -> Call:
    lines = [
        {"assetId": asset, "quantity": str(choose.number(1, 6) if asset.endswith(("ten", "five")) else 1)}
        for asset in assets
    ]
    return scene.call(by, Command.APPLY, None, range=dict(window), purpose="会议", lines=lines)


def _window(scene: Scene, choose: Chooser) -> Mapping[str, str]:
    return days(choose.number(0, WINDOW_DAYS), choose.number(1, 3), scene.today)


def _assets(scene: Scene, choose: Chooser) -> list[str]:
    return list(dict.fromkeys(choose.pick(scene.assets) for _ in range(choose.pick([1, 1, 2, 3]))))


def _apply(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by = choose.pick([*APPLICANTS, BOSS])
    return Plan([_application(scene, choose, by, _assets(scene, choose), _window(scene, choose))])


def _race(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    asset, window = choose.pick(scene.assets), _window(scene, choose)
    return Plan([_application(scene, choose, by, [asset], window) for by in APPLICANTS], together=True)


def _same_key_at_once(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by = choose.pick(APPLICANTS)
    call = _application(scene, choose, by, [choose.pick(scene.assets)], _window(scene, choose))
    return Plan([call, call], together=True)


def _nonsense(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    lines: list[dict[str, str]] = choose.pick(
        [
            [],
            [{"assetId": "asset:999999:x"}],
            [{"assetId": scene.assets[0], "quantity": "99"}],
            [{"assetId": "asset:330106:none"}],
        ]
    )
    body = {"range": days(1, 2, scene.today), "purpose": "会议", "lines": lines}
    return Plan([scene.call(choose.pick(APPLICANTS), Command.APPLY, None, **body)])


def _approve_once(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    step = order.current_step
    return Plan([] if step is None else [scene.call(officers_of(step), Command.APPROVE, order)])


def _approve_to_the_end(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    first = 0 if order.current_step is None else order.current_step.position
    return Plan(
        [scene.call(officers_of(step), Command.APPROVE, order) for step in order.approvals if step.position >= first]
    )


def _two_approve_at_once(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    step = order.current_step
    if step is None:
        return Plan([])
    return Plan([scene.call(officers_of(step), Command.APPROVE, order) for _ in range(2)], together=True)


def _approve_own(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    return Plan([scene.call(BOSS, Command.APPROVE, choose.pick(found))])


def _decide_against(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, command = choose.pick(found), choose.pick([Command.REJECT, Command.RETURN_FOR_CORRECTION])
    step = order.current_step
    return Plan([] if step is None else [scene.call(officers_of(step), command, order, reason="否")])


def _correct(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(applicant_of(order), Command.RESUBMIT, order, purpose="更正")])


def _withdraw(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(applicant_of(order), Command.WITHDRAW, order)])


def _quantities(
    choose: Chooser, lines: Sequence[Line], left: Callable[[Line], Decimal], whole: bool
) -> list[dict[str, str]]:
    """All that is left of all lines, or a part of one."""
    there = [line for line in lines if left(line) > 0]
    if whole or not there:
        return [{"lineId": line.id, "quantity": str(left(line))} for line in there]
    line = choose.pick(there)
    return [{"lineId": line.id, "quantity": str(choose.number(1, int(left(line))))}]


def _dispatch(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, whole = choose.pick(found), choose.pick([True, True, False])
    calls = []
    for region in order.lending_regions:
        lines = [line for line in order.lines if line.lending_region == region]
        chosen = _quantities(choose, lines, lambda line: line.to_dispatch, whole)
        if chosen:
            calls.append(scene.call(keeper_of(region), Command.DISPATCH, order, lines=chosen))
    return Plan(calls)


def _receive(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    lines = _quantities(choose, order.lines, lambda line: line.in_transit, choose.pick([True, False]))
    return Plan([scene.call(applicant_of(order), Command.RECEIVE, order, lines=lines)] if lines else [])


def _give_back(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    lines = _quantities(choose, order.lines, lambda line: line.lent, choose.pick([True, False]))
    return Plan([scene.call(applicant_of(order), Command.RETURN_GOODS, order, lines=lines)] if lines else [])


def _give_back_too_much(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    line = choose.pick(order.lines)
    lines = [{"lineId": line.id, "quantity": str(line.lent + 1)}]
    return Plan([scene.call(applicant_of(order), Command.RETURN_GOODS, order, lines=lines)])


def _inspect(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    calls = []
    for region in order.lending_regions:
        lines = [
            {"lineId": line.id, "outcome": choose.pick(["PASSED", "PASSED", "PASSED", "NEEDS_REPAIR", "REFUSED"])}
            for line in order.lines
            if line.lending_region == region and line.outcome is None
        ]
        if lines:
            calls.append(scene.call(keeper_of(region), Command.INSPECT, order, lines=lines))
    return Plan(calls)


_MOVING = (State.TO_DISPATCH, State.IN_TRANSIT, State.LENT, State.RETURNING)


def _in_transit(order: Order) -> bool:
    return any(line.in_transit > 0 for line in order.lines)


def _lent(order: Order) -> bool:
    return any(line.lent > 0 for line in order.lines)


def _of_boss(order: Order) -> bool:
    return order.applicant.person == BOSS.person


ACTS: tuple[Act, ...] = (
    Act("apply", _apply, weight=4),
    Act("race", _race, weight=2),
    Act("same_key_at_once", _same_key_at_once),
    Act("nonsense", _nonsense),
    Act("approve_once", _approve_once, states=(State.IN_APPROVAL,), weight=2),
    Act("approve_to_the_end", _approve_to_the_end, states=(State.IN_APPROVAL,), weight=8),
    Act("two_approve_at_once", _two_approve_at_once, states=(State.IN_APPROVAL,), weight=2),
    Act("approve_own", _approve_own, states=(State.IN_APPROVAL,), where=_of_boss),
    Act("decide_against", _decide_against, states=(State.IN_APPROVAL,)),
    Act("correct", _correct, states=(State.RETURNED,)),
    Act("withdraw", _withdraw, states=(State.IN_APPROVAL, State.RETURNED, State.TO_DISPATCH)),
    Act("dispatch", _dispatch, states=(State.TO_DISPATCH,), weight=8),
    Act("receive", _receive, states=_MOVING, where=_in_transit, weight=8),
    Act("give_back", _give_back, states=_MOVING, where=_lent, weight=6),
    Act("give_back_too_much", _give_back_too_much, states=_MOVING),
    Act("inspect", _inspect, flow=Flow.RETURN, states=(State.TO_INSPECT,), weight=6),
    Act("confirm_damage", _approve_once, flow=Flow.RETURN, states=(State.IN_APPROVAL,), weight=2),
)
