"""What people do with goods that change hands for good, or that their owner has a use for: the five other flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract.identity import Identity
from overlay.orders.model import Command, Flow, Line, Order, Outcome, State
from overlay.orders.progress import to_finish, to_store, to_write_off
from tests.overlay.chaos.acting import Act, Chooser, Item, Left, Plan, Scene, whole_or_part
from tests.overlay.chaos.acts_of_loans import lines_for, some_items
from tests.overlay.chaos.cast import APPLICANTS, BOSS, FINANCE, KEEPERS, NEIGHBOUR, OWNERS, applicant_of

__all__ = ["ACTS_OF_OWNERS"]

ESTIMATE, COST = "400", "300"
"""Of a repair: within half of what each of the goods costs; the dearer ones are refused."""
UNCHECKED = ("PASSED", "PASSED", "REFUSED")
_REALLOCATION, _SURRENDER, _REPAIR = (Flow.REALLOCATION,), (Flow.SURRENDER,), (Flow.REPAIR,)
_NOTICED = (Flow.DISPOSAL, Flow.DONATION)

Plans = Callable[[Scene, Chooser, Sequence[Order]], Plan]


def _apply_for_good(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by = choose.pick([*APPLICANTS, BOSS, NEIGHBOUR, *OWNERS.values()])
    partial = {"acceptPartial": True} if choose.pick([True, False]) else {}
    lines = lines_for(choose, some_items(choose, scene.items))
    return Plan([scene.application(by, Flow.REALLOCATION, lines, **partial)])


def _race_for_good(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    item = choose.pick(scene.items)
    lines = [{"assetId": item.id, "quantity": str(item.quantity)}]
    people = (APPLICANTS[0], APPLICANTS[1], NEIGHBOUR)
    return Plan([scene.application(by, Flow.REALLOCATION, lines) for by in people], together=True)


def _own(scene: Scene, choose: Chooser) -> tuple[Identity, list[Item]]:
    """Somebody, and some of what their unit owns."""
    people = {by.unit: by for by in (*APPLICANTS, NEIGHBOUR, *OWNERS.values())}
    owned = [item for item in scene.items if item.unit in people]
    first = choose.pick(owned)
    return people[first.unit], some_items(choose, [first, *(one for one in owned if one.unit == first.unit)])


def _surrender(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by, items = _own(scene, choose)
    ground = {"ground": choose.pick(["OVER_STANDARD", "OVER_STANDARD", "IDLE"]), "titleClear": True}
    return Plan([scene.application(by, Flow.SURRENDER, lines_for(choose, items), **ground)])


def _ask_for_repair(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
    by, items = _own(scene, choose)
    keeps = choose.pick([True, False, False, False])
    lines = [{**line, "estimate": ESTIMATE} for line in lines_for(choose, items)]
    return Plan([scene.application(KEEPERS[items[0].region] if keeps else by, Flow.REPAIR, lines)])


def _repair_what_came_back(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    line = choose.pick([line for line in choose.pick(found).lines if line.outcome is Outcome.NEEDS_REPAIR])
    wanted = {"assetId": line.asset_id, "quantity": str(line.quantity), "estimate": ESTIMATE, "returnLineId": line.id}
    return Plan([scene.application(OWNERS[line.owner_unit or ""], Flow.REPAIR, [wanted])])


def _offer(flow: Flow) -> Plans:
    def plan(scene: Scene, choose: Chooser, _: Sequence[Order]) -> Plan:
        by, items = _own(scene, choose)
        chosen = items if flow is Flow.DONATION else [item for item in items if not item.works] or items
        whole = [{"assetId": item.id, "quantity": str(choose.pick([item.quantity, 1]))} for item in chosen]
        recipient = {"recipient": "市慈善总会"} if flow is Flow.DONATION else {}
        return Plan([scene.application(by, flow, whole, **recipient)])

    return plan


def _object(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
    order = choose.pick(found)
    return Plan([scene.call(APPLICANTS[0], Command.OBJECT, order, reason="本单位需用")])


def _borrower(command: Command, left: Left, **body: str) -> Plans:
    """The applicant's side, all or a part of it."""

    def plan(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
        order = choose.pick(found)
        lines = whole_or_part(choose, order.lines, left)
        return Plan([scene.call(applicant_of(order), command, order, lines=lines, **body)])

    return plan


def _of_regions(people: Mapping[str, Identity], command: Command, left: Left) -> Plans:
    """Somebody of each region whose goods they are, all or a part of it."""

    def plan(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
        order, calls = choose.pick(found), []
        for region in order.lending_regions:
            lines = whole_or_part(choose, [line for line in order.lines if line.lending_region == region], left)
            if lines:
                calls.append(scene.call(people[region], command, order, lines=lines))
        return Plan(calls)

    return plan


def _judge(command: Command, outcomes: Sequence[str], is_open: Callable[[Line], bool]) -> Plans:
    def plan(scene: Scene, choose: Chooser, found: Sequence[Order]) -> Plan:
        order, calls = choose.pick(found), []
        for region in order.lending_regions:
            lines = [line for line in order.lines if line.lending_region == region and is_open(line)]
            if lines:
                judged = [_judged(line, choose.pick(outcomes)) for line in choose.pick([lines, lines[:1]])]
                calls.append(scene.call(KEEPERS[region], command, order, lines=judged))
        return Plan(calls)

    return plan


def _judged(line: Line, outcome: str) -> dict[str, Any]:
    cost = {"cost": COST} if outcome == Outcome.NEEDS_REPAIR and line.estimate is not None else {}
    return {"lineId": line.id, "outcome": outcome, **cost}


def _is_unjudged(line: Line) -> bool:
    return line.is_live and line.outcome is None and line.dispatched == 0


def _is_due(left: Left) -> Callable[[Order], bool]:
    return lambda order: any(left(line) > 0 for line in order.lines)


def _on_the_way(line: Line) -> Any:
    return line.on_the_road + line.at_the_door


def _to_repair(order: Order) -> bool:
    return any(line.outcome is Outcome.NEEDS_REPAIR for line in order.lines)


_S = State
_MOVING = (_S.TO_DISPATCH, _S.IN_TRANSIT, _S.TO_RECEIVE, _S.RETURNING)
_REPAIRING = (_S.TO_DIAGNOSE, _S.UNDER_REPAIR, _S.TO_INSPECT)
_EXECUTING = (_S.TO_EXECUTE, _S.TO_WRITE_OFF)
_HANDLED = (_S.TO_APPRAISE, _S.TO_STORE)

ACTS_OF_OWNERS: tuple[Act, ...] = (
    # 调剂
    Act("apply_for_good", _apply_for_good, _REALLOCATION, weight=4),
    Act("race_for_good", _race_for_good, _REALLOCATION),
    Act(
        "arrive",
        _borrower(Command.ARRIVE, lambda line: line.on_the_road),
        _REALLOCATION,
        _MOVING,
        8,
        _is_due(lambda line: line.on_the_road),
    ),
    Act(
        "receive_for_good",
        _borrower(Command.RECEIVE, lambda line: line.at_the_door),
        _REALLOCATION,
        _MOVING,
        8,
        _is_due(lambda line: line.at_the_door),
    ),
    Act(
        "return_to_owner",
        _borrower(Command.RETURN_TO_OWNER, _on_the_way, reason="不符"),
        _REALLOCATION,
        _MOVING,
        2,
        _is_due(_on_the_way),
    ),
    Act(
        "inspect_sent_back",
        _judge(Command.INSPECT, ("PASSED", "PASSED", "NEEDS_REPAIR", "LOST"), lambda line: line.returning > 0),
        _REALLOCATION,
        _MOVING,
        4,
        _is_due(lambda line: line.returning),
    ),
    # 上缴
    Act("surrender", _surrender, _SURRENDER, weight=3),
    Act("appraise", _judge(Command.APPRAISE, UNCHECKED, _is_unjudged), _SURRENDER, (_S.TO_APPRAISE,), 8),
    Act("store", _of_regions(KEEPERS, Command.STORE, to_store), _SURRENDER, _HANDLED, 8, _is_due(to_store)),
    # 维修
    Act("ask_for_repair", _ask_for_repair, _REPAIR, weight=3),
    Act("repair_what_came_back", _repair_what_came_back, (Flow.RETURN,), (_S.DONE,), where=_to_repair),
    Act(
        "diagnose",
        _judge(Command.DIAGNOSE, ("NEEDS_REPAIR", "NEEDS_REPAIR", "SCRAP"), _is_unjudged),
        _REPAIR,
        (_S.TO_DIAGNOSE,),
        8,
    ),
    Act(
        "finish_repair",
        _of_regions(KEEPERS, Command.FINISH_REPAIR, to_finish),
        _REPAIR,
        _REPAIRING,
        8,
        _is_due(to_finish),
    ),
    Act(
        "inspect_repair",
        _judge(Command.INSPECT, ("PASSED", "PASSED", "NEEDS_REPAIR", "SCRAP"), lambda line: line.returning > 0),
        _REPAIR,
        _REPAIRING,
        6,
        _is_due(lambda line: line.returning),
    ),
    # 处置、捐赠
    Act("dispose", _offer(Flow.DISPOSAL), (Flow.DISPOSAL,), weight=3),
    Act("donate", _offer(Flow.DONATION), (Flow.DONATION,), weight=2),
    Act("object", _object, _NOTICED, (_S.PUBLIC_NOTICE,)),
    Act(
        "execute",
        _of_regions(KEEPERS, Command.EXECUTE, lambda line: line.to_dispatch),
        _NOTICED,
        _EXECUTING,
        8,
        _is_due(lambda line: line.to_dispatch),
    ),
    Act(
        "write_off",
        _of_regions(FINANCE, Command.WRITE_OFF, to_write_off),
        _NOTICED,
        _EXECUTING,
        8,
        _is_due(to_write_off),
    ),
)
