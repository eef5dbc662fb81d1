"""The state machines of all flows, as one table: nothing changes an order's state but through a row of it.

A row says: in this flow and state, this command may be given by these roles and leads to one of these states. What
the row cannot say (whose office, which region, how much is left) its guards say by name; they stand in
`overlay.orders.rights` and in the command's own module. SYSTEM rows are carried out by the overlay itself when a
command settles, a notice ends or a hold lapses. `overlay.orders.diagrams` draws `docs/flows.md` from this table.

All applications have the same beginning (`_application`): draft, approval step by step, and the ways to end before
the goods move. Then each flow has its own middle, in which lines move apart from each other: `overlay.orders.progress` reads
from the lines where the order stands, and the line that lags most decides. So a command of a later stage may be
given while another line is still at an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.identity import Role
from overlay.orders.model import Command, Flow, State

__all__ = ["GOODS", "SYSTEM", "TRANSITIONS", "Transition", "commands_in", "transition_for"]

SYSTEM = Role.SERVICE
_PEOPLE_OF_A_UNIT = frozenset({Role.APPLICANT, Role.UNIT_OFFICER})
_BORROWERS = _PEOPLE_OF_A_UNIT | {Role.KEEPER}
_KEEPERS = frozenset({Role.KEEPER})
_FINANCE = frozenset({Role.FINANCE})
_SYSTEM = frozenset({SYSTEM})
_REGIONS = frozenset({Role.REGION_OFFICER, Role.CITY_OFFICER})


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


def _rows(flow: Flow, states: str, command: Command, roles: frozenset[Role], to: str, *guards: str) -> list[Transition]:
    """The same command in several states, each of which it may also leave as it is."""
    targets = to.split()
    return [
        _row(flow, State(state), command, roles, " ".join(dict.fromkeys([state, *targets])), *guards)
        for state in states.split()
    ]


_S, _C = State, Command

GOODS: dict[Flow, State] = {
    Flow.LOAN: _S.TO_DISPATCH,
    Flow.REALLOCATION: _S.TO_DISPATCH,
    Flow.SURRENDER: _S.TO_APPRAISE,
    Flow.REPAIR: _S.TO_DIAGNOSE,
    Flow.DISPOSAL: _S.TO_EXECUTE,
    Flow.DONATION: _S.TO_EXECUTE,
}
"""Where an approved order waits for its goods to move."""


def _application(
    flow: Flow, applicants: frozenset[Role], approvers: frozenset[Role], *guards: str, first: str = "IN_APPROVAL"
) -> list[Transition]:
    goods = GOODS[flow].value
    return [
        _row(flow, None, _C.APPLY, applicants, "DRAFT", "policy", *guards),
        _row(flow, _S.DRAFT, _C.APPLY, _SYSTEM, f"{first} REJECTED"),
        _row(
            flow, _S.IN_APPROVAL, _C.APPROVE, approvers, "IN_APPROVAL APPROVED", "office", "not_own", "assets_unchanged"
        ),
        _row(flow, _S.APPROVED, _C.APPROVE, _SYSTEM, goods, "holds_renewed"),
        _row(flow, _S.IN_APPROVAL, _C.REJECT, approvers, "REJECTED", "office", "not_own"),
        _row(flow, _S.IN_APPROVAL, _C.RETURN_FOR_CORRECTION, approvers, "RETURNED", "office", "not_own"),
        _row(flow, _S.RETURNED, _C.RESUBMIT, applicants, first, "applicant", *guards),
        _row(flow, _S.IN_APPROVAL, _C.WITHDRAW, applicants, "WITHDRAWN", "applicant"),
        _row(flow, _S.RETURNED, _C.WITHDRAW, applicants, "WITHDRAWN", "applicant"),
        _row(flow, GOODS[flow], _C.WITHDRAW, applicants, "WITHDRAWN", "applicant", "nothing_moved"),
        _row(flow, _S.IN_APPROVAL, _C.EXPIRE, _SYSTEM, "EXPIRED"),
        _row(flow, _S.RETURNED, _C.EXPIRE, _SYSTEM, "EXPIRED"),
        _row(flow, GOODS[flow], _C.EXPIRE, _SYSTEM, "EXPIRED", "nothing_moved"),
    ]


def _give_up(flow: Flow, to: str) -> list[Transition]:
    """放弃剩余: of an order of which something has left, or of what was lost since; otherwise it is withdrawn."""
    guards = ("applicant_or_lending_region", "something_moved_or_missing")
    return _rows(flow, GOODS[flow].value, _C.GIVE_UP_REST, _BORROWERS, to, *guards)


def _loan() -> list[Transition]:
    flow, officers = Flow.LOAN, _REGIONS | {Role.UNIT_OFFICER}
    return [
        *_application(flow, _PEOPLE_OF_A_UNIT, officers, "assets_borrowable"),
        # 借出: the goods move, line by line and by quantity
        *_rows(flow, "TO_DISPATCH", _C.DISPATCH, _KEEPERS, "IN_TRANSIT", "lending_region", "assets_unchanged"),
        _row(flow, _S.TO_DISPATCH, _C.RECEIVE, _BORROWERS, "TO_DISPATCH", "borrower"),
        _row(flow, _S.IN_TRANSIT, _C.RECEIVE, _BORROWERS, "IN_TRANSIT LENT RETURNING", "borrower"),
        _row(flow, _S.TO_DISPATCH, _C.RETURN_GOODS, _BORROWERS, "TO_DISPATCH", "borrower"),
        _row(flow, _S.IN_TRANSIT, _C.RETURN_GOODS, _BORROWERS, "IN_TRANSIT", "borrower"),
        _row(flow, _S.LENT, _C.RETURN_GOODS, _BORROWERS, "RETURNING", "borrower"),
        _row(flow, _S.EXTENDING, _C.RETURN_GOODS, _BORROWERS, "EXTENDING RETURNING", "borrower"),
        _row(flow, _S.RETURNING, _C.RETURN_GOODS, _BORROWERS, "RETURNING", "borrower"),
        _row(flow, _S.TO_DISPATCH, _C.INSPECT, _SYSTEM, "TO_DISPATCH"),
        _row(flow, _S.IN_TRANSIT, _C.INSPECT, _SYSTEM, "IN_TRANSIT"),
        _row(flow, _S.EXTENDING, _C.INSPECT, _SYSTEM, "EXTENDING"),
        _row(flow, _S.RETURNING, _C.INSPECT, _SYSTEM, "LENT RETURNING DONE"),
        *_give_up(flow, "IN_TRANSIT LENT RETURNING DONE"),
        # 续借
        _row(flow, _S.LENT, _C.EXTEND, _PEOPLE_OF_A_UNIT, "EXTENDING", "applicant", "policy", "assets_free"),
        _row(flow, _S.EXTENDING, _C.APPROVE, officers, "EXTENDING LENT RETURNING", "office", "not_own", "assets_free"),
        _row(flow, _S.EXTENDING, _C.REJECT, officers, "LENT RETURNING", "office", "not_own"),
        _row(flow, _S.EXTENDING, _C.WITHDRAW, _PEOPLE_OF_A_UNIT, "LENT RETURNING", "applicant"),
    ]


def _return() -> list[Transition]:
    flow = Flow.RETURN
    return [
        _row(flow, None, _C.RETURN_GOODS, _BORROWERS, "TO_INSPECT", "borrower", "quantity_out"),
        _row(flow, _S.TO_INSPECT, _C.INSPECT, _KEEPERS, "TO_INSPECT IN_APPROVAL DONE", "lending_region"),
        _row(flow, _S.IN_APPROVAL, _C.APPROVE, _REGIONS, "IN_APPROVAL TO_COMPENSATE DONE", "office", "not_own"),
        # 赔偿: proposed by the owner's region, agreed by the borrower's unit, settled by the owner's region
        _row(flow, _S.TO_COMPENSATE, _C.PROPOSE_COMPENSATION, _REGIONS, "TO_COMPENSATE", "lending_office"),
        _row(
            flow,
            _S.TO_COMPENSATE,
            _C.AGREE_COMPENSATION,
            frozenset({Role.UNIT_OFFICER}),
            "TO_COMPENSATE",
            "borrowing_unit",
            "all_proposed",
        ),
        _row(
            flow,
            _S.TO_COMPENSATE,
            _C.SETTLE_COMPENSATION,
            _FINANCE | _REGIONS,
            "TO_COMPENSATE DONE",
            "lending_office",
            "all_agreed",
        ),
    ]


def _reallocation() -> list[Transition]:
    flow, approvers = Flow.REALLOCATION, _REGIONS | _FINANCE | {Role.UNIT_OFFICER}
    moving = "TO_DISPATCH IN_TRANSIT TO_RECEIVE"
    return [
        *_application(flow, _PEOPLE_OF_A_UNIT, approvers, "assets_borrowable", "receiver_not_owner", "quota"),
        *_rows(flow, "TO_DISPATCH", _C.DISPATCH, _KEEPERS, "IN_TRANSIT", "lending_region", "assets_unchanged"),
        _row(flow, _S.TO_DISPATCH, _C.ARRIVE, _BORROWERS, "TO_DISPATCH", "borrower"),
        _row(flow, _S.IN_TRANSIT, _C.ARRIVE, _BORROWERS, "IN_TRANSIT TO_RECEIVE", "borrower"),
        _row(flow, _S.TO_DISPATCH, _C.RECEIVE, _BORROWERS, "TO_DISPATCH", "borrower", "arrived"),
        _row(flow, _S.IN_TRANSIT, _C.RECEIVE, _BORROWERS, "IN_TRANSIT", "borrower", "arrived"),
        _row(flow, _S.TO_RECEIVE, _C.RECEIVE, _BORROWERS, "TO_RECEIVE RETURNING DONE", "borrower", "arrived"),
        _row(flow, _S.TO_DISPATCH, _C.RETURN_TO_OWNER, _BORROWERS, "TO_DISPATCH", "borrower"),
        _row(flow, _S.IN_TRANSIT, _C.RETURN_TO_OWNER, _BORROWERS, "IN_TRANSIT TO_RECEIVE RETURNING", "borrower"),
        _row(flow, _S.TO_RECEIVE, _C.RETURN_TO_OWNER, _BORROWERS, "TO_RECEIVE RETURNING", "borrower"),
        *_rows(flow, moving, _C.INSPECT, _KEEPERS, "", "lending_region"),
        *_rows(flow, "RETURNING", _C.INSPECT, _KEEPERS, "DONE SENT_BACK", "lending_region"),
        *_give_up(flow, "IN_TRANSIT TO_RECEIVE RETURNING DONE SENT_BACK"),
    ]


def _surrender() -> list[Transition]:
    flow, approvers = Flow.SURRENDER, _REGIONS | {Role.UNIT_OFFICER, Role.KEEPER}
    return [
        *_application(flow, _PEOPLE_OF_A_UNIT, approvers, "own_assets", "ground", "title_clear"),
        *_rows(flow, "TO_APPRAISE", _C.APPRAISE, _KEEPERS, "TO_STORE REJECTED", "lending_region", "assets_unchanged"),
        _row(flow, _S.TO_APPRAISE, _C.STORE, _KEEPERS, "TO_APPRAISE", "lending_region"),
        *_rows(flow, "TO_STORE", _C.STORE, _KEEPERS, "DONE", "lending_region"),
        *_give_up(flow, "TO_STORE DONE"),
    ]


def _repair() -> list[Transition]:
    flow, approvers = Flow.REPAIR, _REGIONS | {Role.KEEPER}
    return [
        *_application(flow, _BORROWERS, approvers, "own_assets", "worth_repairing"),
        *_rows(
            flow, "TO_DIAGNOSE", _C.DIAGNOSE, _KEEPERS, "UNDER_REPAIR TO_INSPECT DONE", "lending_region", "cost_limit"
        ),
        _row(flow, _S.TO_DIAGNOSE, _C.FINISH_REPAIR, _KEEPERS, "TO_DIAGNOSE", "lending_region"),
        *_rows(flow, "UNDER_REPAIR", _C.FINISH_REPAIR, _KEEPERS, "TO_INSPECT", "lending_region"),
        _row(flow, _S.TO_DIAGNOSE, _C.INSPECT, _KEEPERS, "TO_DIAGNOSE", "lending_region"),
        _row(flow, _S.UNDER_REPAIR, _C.INSPECT, _KEEPERS, "UNDER_REPAIR", "lending_region"),
        *_rows(flow, "TO_INSPECT", _C.INSPECT, _KEEPERS, "UNDER_REPAIR DONE", "lending_region"),
        *_give_up(flow, "UNDER_REPAIR TO_INSPECT DONE"),
    ]


def _disposal(flow: Flow) -> list[Transition]:
    approvers = _REGIONS | _FINANCE | {Role.UNIT_OFFICER}
    guards = ("own_assets", "life_reached_or_appraised", *(["works_no_more"] if flow is Flow.DISPOSAL else []))
    return [
        *_application(flow, _PEOPLE_OF_A_UNIT, approvers, *guards, first="PUBLIC_NOTICE"),
        # 公示: offered to all, before any approval and without a hold, so that anybody may still apply for it
        _row(flow, _S.PUBLIC_NOTICE, _C.OBJECT, _PEOPLE_OF_A_UNIT, "RETURNED", "not_of_applicant"),
        _row(flow, _S.PUBLIC_NOTICE, _C.WITHDRAW, _PEOPLE_OF_A_UNIT, "WITHDRAWN", "applicant"),
        _row(flow, _S.PUBLIC_NOTICE, _C.STOP, _SYSTEM, "PUBLIC_NOTICE STOPPED", "applied_for"),
        _row(flow, _S.PUBLIC_NOTICE, _C.CLOSE_NOTICE, _SYSTEM, "IN_APPROVAL STOPPED", "notice_over"),
        *_rows(flow, "TO_EXECUTE", _C.EXECUTE, _KEEPERS, "TO_WRITE_OFF", "lending_region", "assets_unchanged"),
        _row(flow, _S.TO_EXECUTE, _C.WRITE_OFF, _FINANCE, "TO_EXECUTE", "lending_finance"),
        *_rows(flow, "TO_WRITE_OFF", _C.WRITE_OFF, _FINANCE, "DONE", "lending_finance"),
        *_give_up(flow, "TO_WRITE_OFF DONE"),
    ]


TRANSITIONS: tuple[Transition, ...] = (
    *_loan(),
    *_return(),
    *_reallocation(),
    *_surrender(),
    *_repair(),
    *_disposal(Flow.DISPOSAL),
    *_disposal(Flow.DONATION),
)

_BY_KEY = {(row.flow, row.state, row.command): row for row in TRANSITIONS}


def transition_for(flow: Flow, state: State | None, command: Command) -> Transition | None:
    return _BY_KEY.get((flow, state, command))


def commands_in(flow: Flow, state: State) -> Sequence[Transition]:
    return [row for row in TRANSITIONS if row.flow is flow and row.state is state and row.roles != _SYSTEM]
