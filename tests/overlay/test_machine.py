"""The table of transitions is sound: one row per cell, no dead ends, and every state of rest is meant."""

from __future__ import annotations

import itertools

import pytest

from contract.identity import ANONYMOUS, Identity, Role
from overlay.orders.commands import HANDLERS
from overlay.orders.machine import TRANSITIONS, transition_for
from overlay.orders.model import Command, Flow, State
from overlay.orders.rights import check_rights
from tests.overlay.city import City
from tests.overlay.conftest import Desk

REST = {State.DONE, State.REJECTED, State.WITHDRAWN, State.EXPIRED}


def test_a_cell_has_one_row() -> None:
    cells = [(row.flow, row.state, row.command) for row in TRANSITIONS]
    assert len(cells) == len(set(cells))


@pytest.mark.parametrize("flow", [Flow.LOAN, Flow.RETURN])
def test_every_state_that_is_reached_can_be_left_or_is_an_end(flow: Flow) -> None:
    reached = {state for row in TRANSITIONS if row.flow is flow for state in row.to}
    left = {row.state for row in TRANSITIONS if row.flow is flow}
    assert reached - left <= REST
    assert not reached & left & REST


def test_every_command_of_the_table_is_carried_out_by_somebody() -> None:
    for row in TRANSITIONS:
        if row.state is not None and row.roles != {Role.SERVICE}:
            assert (row.flow, row.command) in HANDLERS


async def test_what_no_row_allows_is_refused_and_changes_nothing(desk: Desk, city: City) -> None:
    """Every role, every command, on an order in approval: allowed by the table's row and rights, or refused."""
    order_id = (await desk.apply(city.add_asset("p1"))).order_id
    before = await desk.order(order_id)
    commands = [
        Command.DISPATCH,
        Command.RECEIVE,
        Command.RETURN_GOODS,
        Command.RESUBMIT,
        Command.INSPECT,
        Command.EXPIRE,
    ]
    for command, role in itertools.product(commands, set(Role) - {Role.SERVICE}):
        person = Identity(f"x-{role}", before.applicant.unit, "330106", frozenset({role}))
        answer = await desk.give(person, command, order_id, lines=[])
        assert answer.problems[0].code in {"NOT_ALLOWED_IN_STATE", "NOT_FOUND"}
    assert await desk.order(order_id) == before
    row = transition_for(Flow.LOAN, State.IN_APPROVAL, Command.APPROVE)
    assert row is not None
    for role in set(Role):
        stranger = Identity("stranger", "another", "330182", frozenset({role}))
        refusal = check_rights(stranger, before, row)
        assert refusal is not None and refusal.code == "FORBIDDEN"
    assert check_rights(ANONYMOUS, before, row) is not None
