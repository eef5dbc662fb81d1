"""Every cell of (flow, state, command, role): allowed, or refused with its code.

What is expected is spelled here from the rules of the flows, command by command: where it may be given, and by whom.
The table in `overlay.orders.machine` is spelled the other way round, state by state.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from contract.identity import Identity, Role
from overlay.orders.machine import transition_for
from overlay.orders.model import (
    ApprovalState,
    ApprovalStep,
    Command,
    Flow,
    HoldState,
    Line,
    Office,
    Order,
    Settlement,
    State,
)
from overlay.orders.rights import check_command
from tests.overlay.city import (
    BORROWER,
    CLERK,
    KEEPER,
    LENDING_FINANCE,
    OTHER,
    OWNER_CLERK,
    City,
    ManualClock,
    someone,
)
from tests.overlay.conftest import OFFICERS, Desk
from tests.overlay.orders.steps import approved, codes, done, lent, repair, surrender

ROLES = {
    "A": Role.APPLICANT,
    "U": Role.UNIT_OFFICER,
    "R": Role.REGION_OFFICER,
    "K": Role.KEEPER,
    "C": Role.CITY_OFFICER,
    "F": Role.FINANCE,
    "S": Role.SERVICE,
}
APPLICATIONS = "LOAN REALLOCATION SURRENDER REPAIR DISPOSAL DONATION"
NOTICED = "DISPOSAL DONATION"
BEFORE_GOODS = {
    "LOAN": "TO_DISPATCH",
    "REALLOCATION": "TO_DISPATCH",
    "SURRENDER": "TO_APPRAISE",
    "REPAIR": "TO_DIAGNOSE",
    "DISPOSAL": "TO_EXECUTE",
    "DONATION": "TO_EXECUTE",
}
APPLICANTS = dict.fromkeys(APPLICATIONS.split(), "AU") | {"REPAIR": "AUK"}
APPROVERS = {
    "LOAN": "URC",
    "REALLOCATION": "URCF",
    "SURRENDER": "URCK",
    "REPAIR": "RCK",
    "DISPOSAL": "URCF",
    "DONATION": "URCF",
}

RULES: list[tuple[str, str, str, str]] = [
    # flows, command, states (- : no order yet), roles
    ("LOAN", "DISPATCH", "TO_DISPATCH", "K"),
    ("LOAN", "RECEIVE", "TO_DISPATCH IN_TRANSIT", "AUK"),
    ("LOAN", "RETURN_GOODS", "TO_DISPATCH IN_TRANSIT LENT EXTENDING RETURNING", "AUK"),
    ("LOAN", "INSPECT", "TO_DISPATCH IN_TRANSIT EXTENDING RETURNING", "S"),
    ("LOAN", "EXTEND", "LENT", "AU"),
    ("LOAN", "APPROVE REJECT", "EXTENDING", "URC"),
    ("LOAN", "WITHDRAW", "EXTENDING", "AU"),
    ("RETURN", "RETURN_GOODS", "-", "AUK"),
    ("RETURN", "INSPECT", "TO_INSPECT", "K"),
    ("RETURN", "APPROVE", "IN_APPROVAL", "RC"),
    ("RETURN", "PROPOSE_COMPENSATION", "TO_COMPENSATE", "RC"),
    ("RETURN", "AGREE_COMPENSATION", "TO_COMPENSATE", "U"),
    ("RETURN", "SETTLE_COMPENSATION", "TO_COMPENSATE", "RCF"),
    ("REALLOCATION", "DISPATCH", "TO_DISPATCH", "K"),
    ("REALLOCATION", "ARRIVE", "TO_DISPATCH IN_TRANSIT", "AUK"),
    ("REALLOCATION", "RECEIVE RETURN_TO_OWNER", "TO_DISPATCH IN_TRANSIT TO_RECEIVE", "AUK"),
    ("REALLOCATION", "INSPECT", "TO_DISPATCH IN_TRANSIT TO_RECEIVE RETURNING", "K"),
    ("SURRENDER", "APPRAISE", "TO_APPRAISE", "K"),
    ("SURRENDER", "STORE", "TO_APPRAISE TO_STORE", "K"),
    ("REPAIR", "DIAGNOSE", "TO_DIAGNOSE", "K"),
    ("REPAIR", "FINISH_REPAIR", "TO_DIAGNOSE UNDER_REPAIR", "K"),
    ("REPAIR", "INSPECT", "TO_DIAGNOSE UNDER_REPAIR TO_INSPECT", "K"),
    (NOTICED, "OBJECT WITHDRAW", "PUBLIC_NOTICE", "AU"),
    (NOTICED, "STOP CLOSE_NOTICE", "PUBLIC_NOTICE", "S"),
    (NOTICED, "EXECUTE", "TO_EXECUTE", "K"),
    (NOTICED, "WRITE_OFF", "TO_EXECUTE TO_WRITE_OFF", "F"),
]
for flow in APPLICATIONS.split():
    who, officers, goods = APPLICANTS[flow], APPROVERS[flow], BEFORE_GOODS[flow]
    RULES += [
        (flow, "APPLY", "-", who),
        (flow, "APPLY", "DRAFT", "S"),
        (flow, "APPROVE REJECT RETURN_FOR_CORRECTION", "IN_APPROVAL", officers),
        (flow, "APPROVE", "APPROVED", "S"),
        (flow, "RESUBMIT", "RETURNED", who),
        (flow, "WITHDRAW", f"IN_APPROVAL RETURNED {goods}", who),
        (flow, "EXPIRE", f"IN_APPROVAL RETURNED {goods}", "S"),
        (flow, "GIVE_UP_REST", goods, "AUK"),
    ]


def expected() -> dict[tuple[Flow, State | None, Command], frozenset[Role]]:
    cells: dict[tuple[Flow, State | None, Command], frozenset[Role]] = {}
    for flows, commands, states, roles in RULES:
        for flow, command, state in itertools.product(flows.split(), commands.split(), states.split()):
            cell = (Flow(flow), None if state == "-" else State(state), Command(command))
            assert cell not in cells, f"{cell} is spelled twice"
            cells[cell] = frozenset(ROLES[letter] for letter in roles)
    return cells


CELLS = expected()
OF_THE_APPLICANT = {Command.RESUBMIT, Command.WITHDRAW, Command.EXTEND, Command.GIVE_UP_REST}
"""Commands for whoever applied, and for an officer of the applicant's unit."""
OFFICE_OF = {
    Role.UNIT_OFFICER: Office.UNIT_HEAD,
    Role.REGION_OFFICER: Office.LENDING_REGION,
    Role.KEEPER: Office.WAREHOUSE,
    Role.FINANCE: Office.LENDING_FINANCE,
    Role.CITY_OFFICER: Office.CITY,
}


def an_order(flow: Flow, state: State, office: Office | None, region: str) -> Order:
    """Of the borrower's unit, its goods in the same region, so that one person may stand on every side of it."""
    one, zero = Decimal(1), Decimal(0)
    line = Line(
        id="l", order_id="order:1", position=0, asset_id=f"asset:{region}:a", asset_name=None, lending_region=region,
        owner_unit=BORROWER, unit_of_measure=None, card_quantity=one, card_value=None, facts="", lineage=None,
        asked=one, refusal=None, accepts_partial=False, quantity=one, dispatched=zero, arrived=zero,
        received=zero, returning=zero, returned=zero, hold_id=None, hold_state=HoldState.NONE, loan_line_id=None,
        outcome=None, due_day=None, estimate=None, cost=None, appraisal=None, quota=None, successors=(),
        compensation=None,
    )  # fmt: skip
    step = ApprovalStep(
        order_id="order:1", position=1, office=office or Office.UNIT_HEAD, region=region, unit=BORROWER, clause="",
        extension=None, state=ApprovalState.CURRENT, comment=None, decided_by=None, decided_unit=None,
        decided_region=None, decided_at=None,
    )  # fmt: skip
    return Order(
        seq=1, id="order:1", flow=flow, state=state, applicant=Identity("applicant", BORROWER, region), from_day=None,
        to_day=None, purpose=None, loan_id=None, accepts_partial=False, notice_until=None, overdue_stage=0, details={},
        command_id=None, settlement=Settlement.SETTLED, holds_expire_at=None, version=1, created_at="2026",
        updated_at="2026", lines=(line,), approvals=(step,), extensions=(),
    )  # fmt: skip


@pytest.mark.parametrize("flow", Flow)
def test_every_cell(flow: Flow) -> None:
    for state, command, role in itertools.product(State, Command, Role):
        wanted = CELLS.get((flow, state, command), frozenset())
        row = transition_for(flow, state, command)
        assert (frozenset() if row is None else row.roles) == wanted, (flow, state, command)
        region = "330100" if role is Role.CITY_OFFICER else "330105"
        unit = OTHER if command is Command.OBJECT else BORROWER
        name = "applicant" if command in OF_THE_APPLICANT else "somebody"
        person = Identity(name, unit, region, frozenset({role}))
        office = OFFICE_OF.get(role)
        order = an_order(flow, state, office, region)
        refusal = check_command(person, order, command)
        code = None if refusal is None else refusal.code
        if role in wanted:
            right = None
        else:
            is_for_people = bool(wanted) and wanted != {Role.SERVICE}
            right = "FORBIDDEN" if is_for_people else "NOT_ALLOWED_IN_STATE"
        assert code == right, (flow, state, command, role)


@pytest.mark.parametrize("flow", Flow)
def test_a_role_counts_for_the_own_unit_and_region_only(flow: Flow) -> None:
    """Somebody who has every role, elsewhere, may do nothing but object, and hold the city's offices."""
    everything = frozenset(Role) - {Role.SERVICE, Role.CITY_OFFICER}
    stranger = Identity("stranger", OTHER, "330182", everything)
    for state, command in itertools.product(State, Command):
        refusal = check_command(stranger, an_order(flow, state, None, "330105"), command)
        if command is Command.OBJECT and state is State.PUBLIC_NOTICE and flow in (Flow.DISPOSAL, Flow.DONATION):
            assert refusal is None
        else:
            assert refusal is not None, (flow, state, command)


@pytest.mark.parametrize("flow", Flow)
def test_nobody_decides_on_their_own_order(flow: Flow) -> None:
    for state in (State.IN_APPROVAL, State.EXTENDING):
        for command in (Command.APPROVE, Command.REJECT, Command.RETURN_FOR_CORRECTION):
            if transition_for(flow, state, command) is None:
                continue
            order = an_order(flow, state, Office.LENDING_REGION, "330105")
            own = Identity("applicant", BORROWER, "330105", frozenset(Role) - {Role.SERVICE})
            refusal = check_command(own, order, command)
            assert refusal is not None and refusal.code == "OWN_ORDER"
            assert check_command(replace(own, person="another"), order, command) is None


def test_who_may_begin_an_order() -> None:
    begun = {cell: roles for cell, roles in CELLS.items() if cell[1] is None}
    assert len(begun) == len(Flow)
    for flow, command in itertools.product(Flow, Command):
        row = transition_for(flow, None, command)
        assert (frozenset() if row is None else row.roles) == begun.get((flow, None, command), frozenset())


async def samples(desk: Desk, city: City, clock: ManualClock) -> list[str]:
    """An order of each flow, in the middle of its way."""
    returned = await done(desk, CLERK, Command.RETURN_GOODS, await lent(desk, city.add_asset("loan")))
    await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": city.add_asset("moves")})
    idle = city.add_asset("idle", status="IDLE")
    await approved(desk, Flow.SURRENDER, OWNER_CLERK, {"assetId": idle}, **surrender())
    await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(city.add_asset("broken")))
    old = {"condition": "BEYOND_REPAIR"}
    assert codes(await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": city.add_asset("old", **old)})) == []
    gift = await desk.hand_in(Flow.DONATION, OWNER_CLERK, {"assetId": city.add_asset("gift")}, recipient="小学")
    clock.advance(days=7)
    await desk.circulation.close_notices()
    await desk.approve_all(gift.order_id)
    return [returned, *(order.id for order in await desk.orders())]


async def test_the_counter_refuses_by_the_same_cells(desk: Desk, city: City, clock: ManualClock) -> None:
    await samples(desk, city, clock)
    people = {
        Role.APPLICANT: OWNER_CLERK,
        Role.KEEPER: KEEPER,
        Role.FINANCE: LENDING_FINANCE,
        Role.REGION_OFFICER: OFFICERS["LENDING_REGION"],
        Role.CITY_OFFICER: OFFICERS["CITY"],
        Role.AUDITOR: someone("auditor", Role.AUDITOR),
    }
    orders = await desk.orders()
    assert {order.flow for order in orders} == set(Flow)
    for order, command, (role, person) in itertools.product(orders, Command, people.items()):
        if role in CELLS.get((order.flow, order.state, command), frozenset()):
            continue
        wanted = CELLS.get((order.flow, order.state, command), frozenset())
        code = "FORBIDDEN" if wanted and wanted != {Role.SERVICE} else "NOT_ALLOWED_IN_STATE"
        answer = await desk.give(person, command, order.id, lines=[], reason="x", to="2027-01-01", reference="x")
        assert codes(answer) in ([code], ["NOT_FOUND"]), (order.flow, order.state, command, role)
    assert await desk.orders() == orders, "what is refused changes nothing"
