"""The state machines of all flows, as one table: nothing changes an order's state but through a row of it.

A row says: in this flow and state, this command may be given by these roles and leads to one of these states. What
the row cannot say (whose office, which region, how much is left) its guards say by name; they stand in
`overlay.orders.rights` and in the command's own module. SYSTEM rows are carried out by the overlay itself when a
command settles or a hold lapses.

A flow that is missing here is refused: its place is here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.identity import Role
from overlay.orders.model import Command, Flow, Order, State

__all__ = ["TRANSITIONS", "Transition", "commands_in", "loan_state", "transition_for"]

SYSTEM = Role.SERVICE
_APPLICANTS = frozenset({Role.APPLICANT, Role.UNIT_OFFICER})
_APPROVERS = frozenset({Role.UNIT_OFFICER, Role.REGION_OFFICER, Role.CITY_OFFICER})
_BORROWERS = frozenset({Role.APPLICANT, Role.UNIT_OFFICER, Role.KEEPER})
_KEEPERS = frozenset({Role.KEEPER})
_SYSTEM = frozenset({SYSTEM})


@dataclass(frozen=True, slots=True)
class Transition:
    flow: Flow
    state: State | None
    """None: the order does not exist yet."""
    command: Command
    roles: frozenset[Role]
    to: tuple[State, ...]
    guards: tuple[str, ...] = ()


def _row(
    flow: Flow, state: State | None, command: Command, roles: frozenset[Role], to: str, *guards: str
) -> Transition:
    return Transition(flow, state, command, roles, tuple(State(name) for name in to.split()), guards)


_LOAN, _RETURN = Flow.LOAN, Flow.RETURN
_S, _C = State, Command

TRANSITIONS: tuple[Transition, ...] = (
    # 借用: application and approval
    _row(_LOAN, None, _C.APPLY, _APPLICANTS, "DRAFT", "policy", "assets_borrowable"),
    _row(_LOAN, _S.DRAFT, _C.APPLY, _SYSTEM, "IN_APPROVAL REJECTED", "holds_placed"),
    _row(
        _LOAN, _S.IN_APPROVAL, _C.APPROVE, _APPROVERS, "IN_APPROVAL APPROVED", "office", "not_own", "assets_unchanged"
    ),
    _row(_LOAN, _S.APPROVED, _C.APPROVE, _SYSTEM, "TO_DISPATCH", "holds_renewed"),
    _row(_LOAN, _S.IN_APPROVAL, _C.REJECT, _APPROVERS, "REJECTED", "office", "not_own"),
    _row(_LOAN, _S.IN_APPROVAL, _C.RETURN_FOR_CORRECTION, _APPROVERS, "RETURNED", "office", "not_own"),
    _row(_LOAN, _S.RETURNED, _C.RESUBMIT, _APPLICANTS, "IN_APPROVAL", "applicant", "assets_borrowable"),
    _row(_LOAN, _S.IN_APPROVAL, _C.WITHDRAW, _APPLICANTS, "WITHDRAWN", "applicant"),
    _row(_LOAN, _S.RETURNED, _C.WITHDRAW, _APPLICANTS, "WITHDRAWN", "applicant"),
    _row(_LOAN, _S.TO_DISPATCH, _C.WITHDRAW, _APPLICANTS, "WITHDRAWN", "applicant", "nothing_moved"),
    _row(_LOAN, _S.IN_APPROVAL, _C.EXPIRE, _SYSTEM, "EXPIRED"),
    _row(_LOAN, _S.RETURNED, _C.EXPIRE, _SYSTEM, "EXPIRED"),
    _row(_LOAN, _S.TO_DISPATCH, _C.EXPIRE, _SYSTEM, "EXPIRED", "nothing_moved"),
    # 借用: the goods move, line by line and by quantity
    _row(_LOAN, _S.TO_DISPATCH, _C.DISPATCH, _KEEPERS, "TO_DISPATCH IN_TRANSIT", "lending_region", "assets_unchanged"),
    _row(_LOAN, _S.TO_DISPATCH, _C.RECEIVE, _BORROWERS, "TO_DISPATCH", "borrower"),
    _row(_LOAN, _S.IN_TRANSIT, _C.RECEIVE, _BORROWERS, "IN_TRANSIT LENT RETURNING", "borrower"),
    _row(_LOAN, _S.TO_DISPATCH, _C.RETURN_GOODS, _BORROWERS, "TO_DISPATCH", "borrower"),
    _row(_LOAN, _S.IN_TRANSIT, _C.RETURN_GOODS, _BORROWERS, "IN_TRANSIT", "borrower"),
    _row(_LOAN, _S.LENT, _C.RETURN_GOODS, _BORROWERS, "RETURNING", "borrower"),
    _row(_LOAN, _S.RETURNING, _C.RETURN_GOODS, _BORROWERS, "RETURNING", "borrower"),
    _row(_LOAN, _S.TO_DISPATCH, _C.INSPECT, _SYSTEM, "TO_DISPATCH"),
    _row(_LOAN, _S.IN_TRANSIT, _C.INSPECT, _SYSTEM, "IN_TRANSIT"),
    _row(_LOAN, _S.RETURNING, _C.INSPECT, _SYSTEM, "LENT RETURNING DONE"),
    # 归还
    _row(_RETURN, None, _C.RETURN_GOODS, _BORROWERS, "TO_INSPECT", "borrower", "quantity_out"),
    _row(_RETURN, _S.TO_INSPECT, _C.INSPECT, _KEEPERS, "TO_INSPECT IN_APPROVAL DONE", "lending_region"),
    _row(_RETURN, _S.IN_APPROVAL, _C.APPROVE, _APPROVERS, "IN_APPROVAL DONE", "office", "not_own"),
)

_BY_KEY = {(row.flow, row.state, row.command): row for row in TRANSITIONS}


def transition_for(flow: Flow, state: State | None, command: Command) -> Transition | None:
    return _BY_KEY.get((flow, state, command))


def commands_in(flow: Flow, state: State) -> tuple[Transition, ...]:
    return tuple(row for row in TRANSITIONS if row.flow is flow and row.state is state and row.roles != _SYSTEM)


def loan_state(order: Order) -> State:
    """Where a loan stands once goods have begun to move, read from its lines: the line that lags most decides."""
    lines = order.lines
    if any(line.to_dispatch > 0 for line in lines):
        return State.TO_DISPATCH
    if any(line.in_transit > 0 for line in lines):
        return State.IN_TRANSIT
    if any(line.returning > 0 for line in lines):
        return State.RETURNING
    if any(line.lent > 0 for line in lines):
        return State.LENT
    return State.DONE
