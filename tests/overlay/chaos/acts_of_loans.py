"""What people do with loans and returns: borrow, keep longer, give back, pay for what was damaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from contract.identity import Identity
from overlay.orders.model import Command, Flow, Order, State
from overlay.orders.progress import OWED
from tests.overlay.chaos.acting import Act, Call, Chooser, Item, Plan, Scene, whole_or_part
from tests.overlay.chaos.cast import (
    APPLICANTS,
    BOSS,
    DEPUTY,
    FINANCE,
    HEADS,
    KEEPERS,
    NEIGHBOUR,
    OFFICERS,
    applicant_of,
)
from tests.overlay.city import days

__all__ = ["ACTS_OF_LOANS", "lines_for", "some_items"]

WINDOW_DAYS = 9
"""How far ahead loans begin: few days and few assets, so that people want the same."""
LONGER_DAYS = 12
BORROWED_MAX = 6
OUTCOMES = ("PASSED", "PASSED", "PASSED", "NEEDS_REPAIR", "REFUSED", "COMPENSATION", "LOST")


def lines_for(choose: Chooser, items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {"assetId": item.id, "quantity": str(1 if item.quantity == 1 else choose.number(1, BORROWED_MAX))}
        for item in items
    ]


def some_items(choose: Chooser, items: Sequence[Item]) -> list[Item]:
    return list(dict.fromkeys(choose.pick(items) for _ in range(choose.pick([1, 1, 2, 3]))))


def _window(scene: Scene, choose: Chooser) -> Mapping[str, str]:
    return days(choose.number(0, WINDOW_DAYS), choose.number(1, 3), scene.today)


def _application(scene: Scene, choose: Chooser, by: Identity, items: Sequence[Item], window: Mapping[str, str]) -> Call:
    partial = {"acceptPartial": True} if choose.pick([True, False, False]) else {}
    return scene.application(by, Flow.LOAN, lines_for(choose, items), range=dict(window), **partial)


def _apply(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by = choose.pick([*APPLICANTS, BOSS, NEIGHBOUR, DEPUTY])
    return Plan([_application(scene, choose, by, some_items(choose, scene.items), _window(scene, choose))])


def _race(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    item, window = choose.pick(scene.items), _window(scene, choose)
    return Plan([_application(scene, choose, by, [item], window) for by in APPLICANTS], together=True)


def _same_key_at_once(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by = choose.pick(APPLICANTS)
    call = _application(scene, choose, by, [choose.pick(scene.items)], _window(scene, choose))
    return Plan([call, call], together=True)


def _nonsense(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    lines: list[dict[str, object]] = choose.pick(
        [
            [],
            [{"assetId": "asset:999999:x"}],
            [{"assetId": scene.items[0].id, "quantity": "99"}],
            [{"assetId": "asset:330106:none"}],
        ]
    )
    return Plan([scene.application(choose.pick(APPLICANTS), Flow.LOAN, lines, range=days(1, 2, scene.today))])


def _receive(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    lines = whole_or_part(choose, order.lines, lambda line: line.in_transit)
    return Plan([scene.call(applicant_of(order), Command.RECEIVE, order, lines=lines)])


def _extend(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    to_day = (order.to_day or scene.today) + timedelta(days=choose.number(0, LONGER_DAYS))
    return Plan([scene.call(applicant_of(order), Command.EXTEND, order, to=to_day.isoformat(), reason="会议延期")])


def _want_it_next(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    """Somebody else has need of what is lent, soon after it is due."""
    order, by = choose.pick(found), choose.pick([NEIGHBOUR, DEPUTY])
    after = max(order.to_day or scene.today, scene.today)
    lines = [{"assetId": line.asset_id, "quantity": str(line.card_quantity)} for line in order.lines if line.lent > 0]
    return Plan([scene.application(by, Flow.LOAN, lines, range=days(choose.number(1, 3), 2, after))])


def _give_back(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    lines = whole_or_part(choose, order.lines, lambda line: line.lent)
    return Plan([scene.call(applicant_of(order), Command.RETURN_GOODS, order, lines=lines)])


def _give_back_too_much(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    line = choose.pick(order.lines)
    lines = [{"lineId": line.id, "quantity": str(line.lent + 1)}]
    return Plan([scene.call(applicant_of(order), Command.RETURN_GOODS, order, lines=lines)])


def _inspect(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, calls = choose.pick(found), []
    for region in order.lending_regions:
        lines = [
            {"lineId": line.id, "outcome": choose.pick(OUTCOMES)}
            for line in order.lines
            if line.lending_region == region and line.outcome is None
        ]
        if lines:
            calls.append(scene.call(KEEPERS[region], Command.INSPECT, order, lines=lines))
    return Plan(calls)


def _name_amounts(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order, calls = choose.pick(found), []
    for region in order.lending_regions:
        lines = [
            {"lineId": line.id, "amount": str(choose.number(1, 500))}
            for line in order.lines
            if line.lending_region == region and line.outcome in OWED
        ]
        if lines:
            calls.append(scene.call(OFFICERS[region], Command.PROPOSE_COMPENSATION, order, lines=lines))
    return Plan(calls)


def _agree_to_pay(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(HEADS[order.applicant.unit or ""], Command.AGREE_COMPENSATION, order)])


def _pay(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    regions = choose.pick([order.lending_regions, order.lending_regions[:1]])
    return Plan(
        [scene.call(FINANCE[region], Command.SETTLE_COMPENSATION, order, reference="缴款书") for region in regions]
    )


_MOVING = (State.TO_DISPATCH, State.IN_TRANSIT, State.LENT, State.EXTENDING, State.RETURNING)
_RETURN, _OWED = (Flow.RETURN,), (State.TO_COMPENSATE,)


def _in_transit(order: Order) -> bool:
    return any(line.in_transit > 0 for line in order.lines)


def _lent(order: Order) -> bool:
    return any(line.lent > 0 for line in order.lines)


def _proposed(order: Order) -> bool:
    return all(line.compensation is not None for line in order.lines if line.outcome in OWED)


ACTS_OF_LOANS: tuple[Act, ...] = (
    Act("apply", _apply, weight=4),
    Act("race", _race, weight=2),
    Act("same_key_at_once", _same_key_at_once),
    Act("nonsense", _nonsense),
    Act("receive", _receive, states=_MOVING, where=_in_transit, weight=8),
    Act("want_it_next", _want_it_next, states=(State.LENT, State.EXTENDING), where=_lent, weight=3),
    Act("extend", _extend, states=(State.LENT,), weight=5),
    Act("give_back", _give_back, states=_MOVING, where=_lent, weight=6),
    Act("give_back_too_much", _give_back_too_much, states=_MOVING),
    Act("inspect", _inspect, flows=_RETURN, states=(State.TO_INSPECT,), weight=6),
    Act("name_amounts", _name_amounts, flows=_RETURN, states=_OWED, weight=2),
    Act("agree_to_pay", _agree_to_pay, flows=_RETURN, states=_OWED, where=_proposed, weight=4),
    Act("pay", _pay, flows=_RETURN, states=_OWED, weight=4),
)
