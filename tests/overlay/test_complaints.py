"""What users of such systems complain of most, one test a complaint: it cannot happen here."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from pathlib import Path

import pytest

from contract.identity import Role
from gwc.quality.sheet import open_sheet
from overlay.ledger.entries import verify
from overlay.orders.model import Command, State
from tests.overlay.city import BORROWING, CLERK, HEAD, KEEPER, LENDING, OTHER, RIVAL, City, days, someone
from tests.overlay.conftest import Api, Desk

APPLY = """
mutation($asset: ID!, $key: String!, $range: DateRangeInput!) {
  applyLoan(input: {idempotencyKey: $key, range: $range, purpose: "年会", lines: [{assetId: $asset}]}) {
    order { id } problems { code message remedy }
  }
}
"""


def codes(answer: object) -> list[str]:
    return [problem.code for problem in answer.problems]  # type: ignore[attr-defined]


async def approved(desk: Desk, asset: str, **line: str) -> str:
    order_id = (await desk.apply(asset, **line)).order_id
    await desk.approve_all(order_id)
    assert order_id is not None
    return order_id


async def lent(desk: Desk, asset: str, **line: str) -> str:
    order_id = await approved(desk, asset, **line)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == []
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == []
    return order_id


async def test_bookings_are_never_missing(desk: Desk, city: City) -> None:
    """An order that anybody has been told of stands with a hold in its owner's book, whose answer came or did not."""
    asset, other = city.add_asset("p1"), city.add_asset("p2")
    city.faults.extend(["lost_after", "lost_before"])
    told = [(await desk.apply(asset)).order_id, (await desk.apply(other)).order_id]
    await desk.circulation.resume()
    held = {hold.order_id for hold in city.holds.values() if city.in_force(hold)}
    assert {order.id for order in await desk.orders()} == held == set(told)


async def test_calendars_are_not_missing(desk: Desk, city: City) -> None:
    """A booking is for days: others may have the same thing before and after."""
    asset = city.add_asset("p1")
    assert codes(await desk.apply(asset, window=days(5, 3))) == []
    assert codes(await desk.apply(asset, by=RIVAL, window=days(1, 3))) == [], "before"
    assert codes(await desk.apply(asset, by=RIVAL, window=days(9, 3))) == [], "after"
    assert codes(await desk.apply(asset, by=RIVAL, window=days(7, 1))) == ["ASSET_BUSY"], "its last day"


async def test_nothing_is_double_booked(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="10")
    people = [someone(f"p{n}", Role.APPLICANT, unit=f"unit-{n}") for n in range(6)]
    answers = await asyncio.gather(*(desk.apply(asset, by=person, quantity="3") for person in people))
    assert sorted(codes(answer) == [] for answer in answers) == [False] * 3 + [True] * 3
    assert sum(hold.quantity for hold in city.holds.values() if city.in_force(hold)) == 9


async def test_nothing_is_double_booked_on_extension(desk: Desk, city: City) -> None:
    """Not when it is asked for, and not when somebody was promised the days while it waited for approval."""
    asked, waits = city.add_asset("p1"), city.add_asset("p2")
    early, late = await lent(desk, asked), await lent(desk, waits)
    longer = {"to": days(14, 1)["from"]}
    assert codes(await desk.apply(asked, by=RIVAL, window=days(10, 3))) == []
    assert codes(await desk.give(CLERK, Command.EXTEND, early, **longer)) == ["ASSET_BUSY"]
    assert codes(await desk.give(CLERK, Command.EXTEND, late, **longer)) == []
    assert codes(await desk.give(HEAD, Command.APPROVE, late)) == []
    assert codes(await desk.apply(waits, by=RIVAL, window=days(10, 3))) == []
    assert codes(await desk.give(LENDING, Command.APPROVE, late)) == ["ASSET_BUSY"]
    for order_id, state in ((early, State.LENT), (late, State.EXTENDING)):
        order = await desk.order(order_id)
        assert (order.state, order.to_day) == (state, date.fromisoformat(days(1, 7)["to"]))
        assert {hold.to_day for hold in city.holds.values() if hold.order_id == order_id} == {days(1, 7)["to"]}
    assert codes(await desk.give(CLERK, Command.WITHDRAW, late)) == []
    until = {"to": days(9, 1)["from"]}
    assert codes(await desk.give(CLERK, Command.EXTEND, late, **until)) == [], "up to a day before the other loan"
    for person in (HEAD, LENDING):
        assert codes(await desk.give(person, Command.APPROVE, late)) == []
    assert (await desk.order(late)).to_day == date.fromisoformat(until["to"])


async def test_approval_has_as_many_steps_as_it_needs(desk: Desk, city: City) -> None:
    """In their order, each by its own office, with the clause that asks for it."""
    order_id = (await desk.apply(city.add_asset("p1"))).order_id
    steps = (await desk.order(order_id)).approvals
    assert len(steps) > 1 and all(step.clause for step in steps)
    assert codes(await desk.give(LENDING, Command.APPROVE, order_id)) == ["FORBIDDEN"], "not before the unit's head"
    for person in (HEAD, LENDING, BORROWING):
        assert (await desk.order(order_id)).state is State.IN_APPROVAL
        assert codes(await desk.give(person, Command.APPROVE, order_id)) == []
    assert (await desk.order(order_id)).state is State.TO_DISPATCH


async def test_staff_of_other_organisations_are_kept_apart(desk: Desk, city: City) -> None:
    """Across organisations people work on one order, and nobody else's clerk sees or touches it."""
    order_id = (await desk.apply(city.add_asset("p1"))).order_id
    strangers = [
        RIVAL,
        someone("other-head", Role.UNIT_OFFICER, unit=OTHER, region="330109"),
        someone("other-officer", Role.REGION_OFFICER, region="330109"),
        someone("other-keeper", Role.KEEPER, region="330109"),
    ]
    for person in strangers:
        for command in (Command.APPROVE, Command.WITHDRAW, Command.DISPATCH):
            assert codes(await desk.give(person, command, order_id)) == ["NOT_FOUND"], person.person
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == []


async def test_reservations_of_other_organisations_do_not_leak(api: Api, city: City) -> None:
    """Whoever is refused learns that the days are taken, never by whom, for what or under which number."""
    asset = city.add_asset("p1")
    mine = await api.data(APPLY, CLERK, asset=asset, key="mine", range=days(1, 5))
    theirs = await api.data(APPLY, RIVAL, asset=asset, key="theirs", range=days(2, 2))
    payload = theirs["applyLoan"]
    assert (payload["order"], [one["code"] for one in payload["problems"]]) == (None, ["ASSET_BUSY"])
    secrets = [mine["applyLoan"]["order"]["id"], str(CLERK.person), str(CLERK.unit), "年会"]
    seen = await api.data(
        "query($id: ID!) { orders(first: 50) { nodes { id } } node(id: $id) { id ... on CirculationOrder { purpose } } }",
        RIVAL,
        id=mine["applyLoan"]["order"]["id"],
    )
    assert seen["orders"]["nodes"] == []
    assert not any(secret in str(payload) for secret in secrets)
    assert "年会" not in str(seen)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_in_csv_is_not_garbled(encoding: str, tmp_path: Path) -> None:
    """Excel opens a file with a mark as UTF-8, and one in its own code page as that: both give every character back."""
    words = ["投影仪", "杭州市临安区", "㙍𠮷", "“逗号,引号”"]
    path = tmp_path / "out.csv"
    with open_sheet(path, encoding) as sheet:
        sheet.writerow(words)
    text = path.read_bytes().decode(encoding)
    assert list(csv.reader(io.StringIO(text)))[-1] == words
    assert encoding != "utf-8-sig" or path.read_bytes().startswith(b"\xef\xbb\xbf")


async def test_a_request_is_closed_after_check_out(desk: Desk, city: City) -> None:
    """What left is no longer waiting to leave, and what came back is done: no open request stays behind."""
    asset = city.add_asset("p1")
    order_id = await approved(desk, asset)
    await desk.give(KEEPER, Command.DISPATCH, order_id)
    assert (await desk.order(order_id)).state is State.IN_TRANSIT
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == ["NOT_ALLOWED_IN_STATE"]
    await desk.give(CLERK, Command.RECEIVE, order_id)
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, order_id)).order_id
    line = (await desk.order(returned)).lines[0]
    await desk.give(KEEPER, Command.INSPECT, returned, lines=[{"lineId": line.id, "outcome": "PASSED"}])
    assert {order.state for order in await desk.orders()} == {State.DONE}
    assert not [hold for hold in city.holds.values() if city.in_force(hold)]


async def test_a_partial_return_does_not_close_the_whole_loan(desk: Desk, city: City) -> None:
    asset = city.add_asset("desks", quantity="30")
    order_id = await lent(desk, asset, quantity="10")
    line = (await desk.order(order_id)).lines[0]
    part = [{"lineId": line.id, "quantity": "4"}]
    returned = (await desk.give(CLERK, Command.RETURN_GOODS, order_id, lines=part)).order_id
    back = (await desk.order(returned)).lines[0]
    await desk.give(KEEPER, Command.INSPECT, returned, lines=[{"lineId": back.id, "outcome": "PASSED"}])
    loan = await desk.order(order_id)
    assert (loan.state, loan.lines[0].lent) == (State.LENT, 6)
    assert codes(await desk.apply(asset, by=RIVAL, quantity="25")) == ["ASSET_BUSY"], "six are still out"


async def test_a_transfer_has_a_step_in_transit(desk: Desk, city: City) -> None:
    """Between the two stores goods are in nobody's store: the order, the ledger and the owner's book say so."""
    asset = city.add_asset("p1")
    order_id = await approved(desk, asset)
    await desk.give(KEEPER, Command.DISPATCH, order_id)
    entries = await desk.ledger(asset)
    assert (await desk.order(order_id)).state is State.IN_TRANSIT
    assert [entry["custody"] for entry in entries[-2:]] == ["IN_STORE", "IN_TRANSIT"]
    assert city.assets[asset]["status"] == "IN_TRANSIT"
    await desk.give(CLERK, Command.RECEIVE, order_id)
    assert [entry["custody"] for entry in (await desk.ledger(asset))[-2:]] == ["IN_TRANSIT", "LENT"]
    verify(await desk.ledger(asset))


@pytest.mark.parametrize("changed", [{"status": "LOST"}, {"shareable": False}, {"condition": "BEYOND_REPAIR"}])
async def test_availability_is_checked_when_approved_and_dispatched_too(
    desk: Desk, city: City, changed: dict[str, object]
) -> None:
    asset, other = city.add_asset("p1"), city.add_asset("p2")
    applied, ready = (await desk.apply(asset)).order_id, await approved(desk, other)
    for one in (asset, other):
        city.assets[one] |= changed
    for person, command, order_id in ((HEAD, Command.APPROVE, applied), (KEEPER, Command.DISPATCH, ready)):
        before = (await desk.order(order_id)).state
        assert codes(await desk.give(person, command, order_id))[0] in ("ASSET_NOT_AVAILABLE", "ASSET_CHANGED")
        assert (await desk.order(order_id)).state is before
