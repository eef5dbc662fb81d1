"""Who may do what, and who may see what: pure functions of identity and order.

A role alone never suffices: it counts for the person's own unit, own region, or the office whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from contract.identity import Identity, Role
from overlay.approvals.delegations import Delegation
from overlay.approvals.offices import holds_office, office_conditions
from overlay.messages import Problem, problem
from overlay.orders.machine import Transition, commands_in
from overlay.orders.model import ApprovalState, Command, Order, Settlement
from overlay.store import tables

__all__ = ["allowed_commands", "check_rights", "inbox_condition", "lent_inbox", "may_see_person", "visible_orders"]

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


def allowed_commands(identity: Identity, order: Order) -> list[Command]:
    if identity.is_anonymous or order.settlement is not Settlement.SETTLED:
        return []
    rows = commands_in(order.flow, order.state)
    return [
        row.command for row in rows if check_rights(identity, order, row) is None and _has_work(identity, order, row)
    ]


def is_of_applicant(identity: Identity, order: Order) -> bool:
    """The applicant, or an officer of the applicant's unit."""
    if identity.person == order.applicant.person and identity.has(*_SEE_UNIT):
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
    orders, lines = tables.orders, tables.order_lines
    if identity.has(*_SEE_ALL):
        return true()
    if identity.is_anonymous:
        return false()
    ways: list[ColumnElement[bool]] = [orders.c.applicant_person == identity.person]
    if identity.region is not None and identity.has(*_SEE_REGION):
        lent = select(lines.c.order_id).where(lines.c.lending_region == identity.region)
        ways += [orders.c.applicant_region == identity.region, orders.c.id.in_(lent)]
    if identity.unit is not None and identity.has(*_SEE_UNIT):
        owned = select(lines.c.order_id).where(lines.c.owner_unit == identity.unit)
        ways += [orders.c.applicant_unit == identity.unit, orders.c.id.in_(owned)]
    return or_(*ways)


def inbox_condition(identity: Identity) -> ColumnElement[bool]:
    """Orders that wait for this person: a step of an office they hold, goods to move, a correction of their own."""
    orders, lines = tables.orders, tables.order_lines
    ways: list[ColumnElement[bool]] = [
        and_(orders.c.state == "RETURNED", orders.c.applicant_person == identity.person),
        and_(orders.c.state == "IN_TRANSIT", orders.c.applicant_person == identity.person),
    ]
    ways.append(_waiting_steps(identity, identity.person))
    if identity.has(Role.KEEPER) and identity.region is not None:
        lent = select(lines.c.order_id).where(lines.c.lending_region == identity.region)
        ways.append(and_(orders.c.state.in_(("TO_DISPATCH", "TO_INSPECT")), orders.c.id.in_(lent)))
    return or_(*ways)


def lent_inbox(lent: Delegation) -> ColumnElement[bool]:
    """Orders that wait for a lent office, but for those of the delegate and of the lender."""
    return and_(_waiting_steps(lent.acting(), lent.delegate), tables.orders.c.applicant_person != lent.person)


def _waiting_steps(identity: Identity, decider: str | None) -> ColumnElement[bool]:
    orders, steps = tables.orders, tables.approval_steps
    held = select(steps.c.order_id).where(steps.c.state == ApprovalState.CURRENT, or_(*office_conditions(identity)))
    return and_(orders.c.state == "IN_APPROVAL", orders.c.applicant_person != decider, orders.c.id.in_(held))


def _office(identity: Identity, order: Order) -> bool:
    step = order.current_step
    return step is not None and holds_office(identity, step)


_GUARDS: dict[str, Callable[[Identity, Order], bool]] = {
    "office": _office,
    "applicant": is_of_applicant,
    "borrower": is_borrower,
    "lending_region": keeps_a_line,
}


def _has_work(identity: Identity, order: Order, row: Transition) -> bool:
    """Whether the command would find something to do, so that `allowed` offers no empty button."""
    mine = [line for line in order.lines if line.lending_region == identity.region]
    match row.command:
        case Command.DISPATCH:
            return any(line.to_dispatch > 0 for line in mine)
        case Command.RECEIVE:
            return any(line.in_transit > 0 for line in order.lines)
        case Command.RETURN_GOODS:
            return any(line.lent > 0 for line in order.lines)
        case Command.INSPECT:
            return any(line.outcome is None for line in mine)
        case Command.WITHDRAW:
            return all(line.dispatched == 0 for line in order.lines)
        case _:
            return True
