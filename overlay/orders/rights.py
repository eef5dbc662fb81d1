"""Who may do what, and who may see what: pure functions of identity and order.

A role alone never suffices: it counts for the person's own unit, own region, or the office whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, false, or_, select, true

from contract.identity import Identity, Role
from contract.regions import CITY_REGION
from overlay.approvals.delegations import Delegation, delegated_orders
from overlay.approvals.offices import holds_office, office_conditions
from overlay.messages import Problem, problem
from overlay.orders.machine import GOODS, SYSTEM, Transition, commands_in, transition_for
from overlay.orders.model import ApprovalState, Command, Flow, Line, Order, Settlement, State
from overlay.orders.policy import Policy
from overlay.orders.progress import (
    OWED,
    has_moved,
    to_diagnose,
    to_finish,
    to_give_up,
    to_inspect,
    to_store,
    to_write_off,
)
from overlay.orders.repository import select_orders
from overlay.orders.shortages import Shortage
from overlay.store import tables
from subgraphs.kit.prepared import kept

__all__ = [
    "allowed_commands",
    "check_command",
    "check_rights",
    "hangs_on_stock",
    "inbox_condition",
    "lent_inbox",
    "may_see_person",
    "rest_of",
    "visible_order",
    "visible_orders",
]

_SEE_ALL = (Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE)
_SEE_REGION = (Role.REGION_OFFICER, Role.KEEPER, Role.FINANCE)
_SEE_UNIT = (Role.APPLICANT, Role.UNIT_OFFICER)


def check_rights(identity: Identity, order: Order, transition: Transition) -> Problem | None:
    """Why this person may not give the command, or None when they may."""
    roles = identity.roles & transition.roles
    if not roles or not all(_GUARDS[guard](identity, order) for guard in transition.guards if guard in _GUARDS):
        return problem("FORBIDDEN", "orderId", command=transition.command, roles=", ".join(sorted(transition.roles)))
    if "not_own" in transition.guards and identity.person == order.applicant.person:
        return problem("OWN_ORDER", "orderId")
    return None


def check_command(identity: Identity, order: Order, command: Command) -> Problem | None:
    """Why the command may not be given now by this person, or None when it may: a cell of the table."""
    row = transition_for(order.flow, order.state, command)
    if row is None or (row.roles == {SYSTEM} and SYSTEM not in identity.roles):
        return problem("NOT_ALLOWED_IN_STATE", "orderId", state=order.state, command=command)
    return check_rights(identity, order, row)


def allowed_commands(
    identity: Identity, order: Order, policy: Policy, today: date, short: Mapping[str, Shortage]
) -> list[Command]:
    """What this person may do with the order, as far as it is known without asking an owner. `short`: by line, what is
    not there any more; needed where `hangs_on_stock`."""
    if identity.is_anonymous or order.settlement is not Settlement.SETTLED:
        return []
    rows = commands_in(order.flow, order.state)
    return [
        row.command
        for row in rows
        if check_rights(identity, order, row) is None
        and _has_work(identity, order, row, short)
        and (row.command is not Command.EXTEND or _has_days_left(order, policy, today))
    ]


def is_of_applicant(identity: Identity, order: Order) -> bool:
    """The applicant, or an officer of the applicant's unit."""
    if identity.person == order.applicant.person:
        return True
    same_unit = identity.unit is not None and identity.unit == order.applicant.unit
    return same_unit and identity.has(Role.UNIT_OFFICER)


def is_borrower(identity: Identity, order: Order) -> bool:
    """Somebody of the borrowing unit, or the keeper of the borrowing region's warehouse."""
    same_unit = identity.unit is not None and identity.unit == order.applicant.unit
    if same_unit and identity.has(*_SEE_UNIT):
        return True
    return is_of_applicant(identity, order) or (identity.has(Role.KEEPER) and identity.region == order.applicant.region)


def keeps_a_line(identity: Identity, order: Order) -> bool:
    return identity.has(Role.KEEPER) and identity.region in order.lending_regions


def keeps_accounts_of_a_line(identity: Identity, order: Order) -> bool:
    return identity.has(Role.FINANCE) and identity.region in order.lending_regions


def holds_lending_office(identity: Identity, order: Order) -> bool:
    """An office of a region whose goods are concerned; the city's officer for the city's own stock."""
    of_region = identity.has(Role.REGION_OFFICER, Role.FINANCE) and identity.region in order.lending_regions
    return of_region or (identity.has(Role.CITY_OFFICER) and CITY_REGION in order.lending_regions)


def is_of_borrowing_unit(identity: Identity, order: Order) -> bool:
    return identity.unit is not None and identity.unit == order.applicant.unit


def is_not_of_applicant(identity: Identity, order: Order) -> bool:
    return identity.unit is not None and identity.unit != order.applicant.unit


def hangs_on_stock(order: Order) -> bool:
    """Whether what may be done with the order hangs on goods that were lost or damaged since they were booked."""
    return order.state is GOODS.get(order.flow) and not has_moved(order)


def rest_of(identity: Identity, order: Order, short: Mapping[str, Shortage]) -> dict[str, Decimal]:
    """放弃剩余: how much this person may give up, by line. Of an order of which something has left, what has not; before
    that what is not there any more, unless it is all of the order: then the order is withdrawn."""
    mine = [line for line in order.live_lines if _may_give_up(identity, order, line)]
    rest = {line.id: to_give_up(order.flow, line) for line in mine}
    if has_moved(order):
        return rest
    missing = {id_: min(left, short[id_].short) if id_ in short else Decimal(0) for id_, left in rest.items()}
    is_all = sum(missing.values()) == sum(line.quantity for line in order.live_lines)
    return dict.fromkeys(missing, Decimal(0)) if is_all else missing


def _may_give_up(identity: Identity, order: Order, line: Line) -> bool:
    """The applicant does without any line, a keeper without those of the own region."""
    keeps = identity.has(Role.KEEPER) and line.lending_region == identity.region
    return keeps or is_of_applicant(identity, order)


def may_see_person(identity: Identity, unit: str | None, region: str | None) -> bool:
    """Personal data is for the own unit and region (and for who must audit the city)."""
    if identity.has(Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE):
        return True
    if identity.is_anonymous:
        return False
    same_unit = unit is not None and identity.unit == unit
    same_region = region is not None and identity.region == region
    return same_unit or (same_region and identity.has(*_SEE_REGION))


def visible_orders(identity: Identity) -> ColumnElement[bool]:
    """The condition on `orders` for what this person may see: the units and regions concerned, nobody else."""
    return _visible(_sees(identity), identity.person, identity.unit, identity.region)


def visible_order(identity: Identity, lent: tuple[Identity, ...] = ()) -> tuple[Select[Any], Mapping[str, Any]]:
    """One order, by `id`, if this person may see it, in their own right or in an office that they were lent: the
    question, and its values besides."""
    if not lent:
        return _one_visible(_sees(identity)), {"of_" + name: getattr(identity, name) for name in _WHO}
    ways = or_(visible_orders(identity), *(delegated_orders(acting) for acting in lent))
    return select_orders(tables.orders.c.id == bindparam("id"), ways), {}


class _Sees(NamedTuple):
    """How far somebody sees."""

    everything: bool
    nothing: bool
    region: bool
    unit: bool


_WHO = ("person", "unit", "region")


def _sees(identity: Identity) -> _Sees:
    return _Sees(
        everything=identity.has(*_SEE_ALL),
        nothing=identity.is_anonymous,
        region=identity.region is not None and identity.has(*_SEE_REGION),
        unit=identity.unit is not None and identity.has(*_SEE_UNIT),
    )


def _visible(sees: _Sees, person: Any, unit: Any, region: Any) -> ColumnElement[bool]:
    orders, lines = tables.orders, tables.order_lines
    if sees.everything:
        return true()
    if sees.nothing:
        return false()
    # a public notice is offered to everybody
    ways = [orders.c.applicant_person == person, orders.c.state == State.PUBLIC_NOTICE]
    if sees.region:
        lent = select(lines.c.order_id).where(lines.c.lending_region == region)
        ways += [orders.c.applicant_region == region, orders.c.id.in_(lent)]
    if sees.unit:
        owned = select(lines.c.order_id).where(lines.c.owner_unit == unit)
        ways += [orders.c.applicant_unit == unit, orders.c.id.in_(owned)]
    return or_(*ways)


@cache
def _one_visible(sees: _Sees) -> Select[Any]:
    ways = _visible(sees, *(bindparam("of_" + name, type_=Text()) for name in _WHO))
    return kept(select_orders(tables.orders.c.id == bindparam("id"), ways))


def inbox_condition(identity: Identity) -> ColumnElement[bool]:
    """Orders that wait for this person: a step of an office they hold, goods to move or overdue, a correction of their
    own."""
    orders, lines = tables.orders, tables.order_lines
    ways: list[ColumnElement[bool]] = [
        and_(orders.c.state == "RETURNED", orders.c.applicant_person == identity.person),
        and_(orders.c.state.in_((State.IN_TRANSIT, State.TO_RECEIVE)), orders.c.applicant_person == identity.person),
        and_(orders.c.state == State.LENT, orders.c.overdue_stage > 0, orders.c.applicant_person == identity.person),
    ]
    ways.append(_waiting_steps(identity, identity.person))
    if identity.has(Role.UNIT_OFFICER) and identity.unit is not None:
        ways.append(and_(orders.c.state == State.TO_COMPENSATE, orders.c.applicant_unit == identity.unit))
    for role, states in _WORKS_ON.items():
        if identity.has(role) and identity.region is not None:
            lent = select(lines.c.order_id).where(lines.c.lending_region == identity.region)
            ways.append(and_(orders.c.state.in_(states), orders.c.id.in_(lent)))
    return or_(*ways)


_WORKS_ON: Mapping[Role, tuple[State, ...]] = {
    Role.KEEPER: (
        State.TO_DISPATCH,
        State.TO_INSPECT,
        State.TO_APPRAISE,
        State.TO_STORE,
        State.TO_DIAGNOSE,
        State.UNDER_REPAIR,
        State.TO_EXECUTE,
    ),
    Role.FINANCE: (State.TO_WRITE_OFF, State.TO_COMPENSATE),
}
"""In which states an order waits for somebody of a region whose goods it is about."""


def lent_inbox(lent: Delegation) -> ColumnElement[bool]:
    """Orders that wait for a lent office, but for those of the delegate and of the lender."""
    return and_(_waiting_steps(lent.acting(), lent.delegate), tables.orders.c.applicant_person != lent.person)


def _waiting_steps(identity: Identity, decider: str | None) -> ColumnElement[bool]:
    orders, steps, decided = tables.orders, tables.approval_steps, (State.IN_APPROVAL, State.EXTENDING)
    held = select(steps.c.order_id).where(steps.c.state == ApprovalState.CURRENT, or_(*office_conditions(identity)))
    return and_(orders.c.state.in_(decided), orders.c.applicant_person != decider, orders.c.id.in_(held))


def _office(identity: Identity, order: Order) -> bool:
    step = order.current_step
    return step is not None and holds_office(identity, step)


_GUARDS: dict[str, Callable[[Identity, Order], bool]] = {
    "office": _office,
    "applicant": is_of_applicant,
    "borrower": is_borrower,
    "lending_region": keeps_a_line,
    "applicant_or_lending_region": lambda identity, order: any(
        _may_give_up(identity, order, line) for line in order.lines
    ),
    "lending_finance": keeps_accounts_of_a_line,
    "lending_office": holds_lending_office,
    "borrowing_unit": is_of_borrowing_unit,
    "not_of_applicant": is_not_of_applicant,
}


def _has_work(identity: Identity, order: Order, row: Transition, short: Mapping[str, Shortage]) -> bool:
    """Whether the command would find something to do, so that `allowed` offers no empty button."""
    if row.command is Command.AGREE_COMPENSATION and any(_lacks_amount(line) for line in order.lines):
        return False
    if row.command is Command.WITHDRAW and order.state is not State.EXTENDING:
        return not has_moved(order)
    if row.command is Command.GIVE_UP_REST:
        return any(rest_of(identity, order, short).values())
    finds = _WORK_OF_FLOW.get((row.flow, row.command)) or _WORK.get(row.command)
    if finds is None:
        return True
    only_own_region = row.guards[:1] in (("lending_region",), ("lending_finance",))
    return any(finds(line) for line in order.lines if not only_own_region or line.lending_region == identity.region)


def _has_days_left(order: Order, policy: Policy, today: date) -> bool:
    """Whether policy leaves an extension, and a day to ask for."""
    limits = policy.limits(order.flow, today)
    if order.from_day is None or order.to_day is None or order.extensions_granted >= limits.extensions_max:
        return False
    return max(order.to_day, today) < limits.latest_end(order.from_day)


def _lacks_amount(line: Line) -> bool:
    return line.outcome in OWED and line.compensation is None


def _to_agree(line: Line) -> bool:
    return line.compensation is not None and line.compensation.agreed_at is None


def _to_settle(line: Line) -> bool:
    paid = line.compensation
    return paid is not None and paid.agreed_at is not None and paid.settled_at is None


def _to_judge(line: Line) -> bool:
    return line.is_live and line.outcome is None


_WORK: Mapping[Command, Callable[[Line], bool]] = {
    Command.DISPATCH: lambda line: line.to_dispatch > 0,
    Command.EXECUTE: lambda line: line.to_dispatch > 0,
    Command.RETURN_GOODS: lambda line: line.lent > 0,
    Command.EXTEND: lambda line: line.lent > 0,
    Command.ARRIVE: lambda line: line.on_the_road > 0,
    Command.RETURN_TO_OWNER: lambda line: line.on_the_road + line.at_the_door > 0,
    Command.APPRAISE: _to_judge,
    Command.STORE: lambda line: to_store(line) > 0,
    Command.DIAGNOSE: lambda line: line.is_live and to_diagnose(line),
    Command.FINISH_REPAIR: lambda line: to_finish(line) > 0,
    Command.WRITE_OFF: lambda line: to_write_off(line) > 0,
    Command.AGREE_COMPENSATION: _to_agree,
    Command.SETTLE_COMPENSATION: _to_settle,
}
_WORK_OF_FLOW: Mapping[tuple[Flow, Command], Callable[[Line], bool]] = {
    (Flow.LOAN, Command.RECEIVE): lambda line: line.in_transit > 0,
    (Flow.REALLOCATION, Command.RECEIVE): lambda line: line.at_the_door > 0,
    (Flow.RETURN, Command.INSPECT): _to_judge,
    (Flow.REALLOCATION, Command.INSPECT): lambda line: to_inspect(line) > 0,
    (Flow.REPAIR, Command.INSPECT): lambda line: to_inspect(line) > 0,
}
