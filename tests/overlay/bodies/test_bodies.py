"""A temporary body borrows by its host unit, for as long as it lasts; its end calls back what it has."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contract.identity import Identity
from overlay.bodies.service import Bodies
from overlay.notices.outbox import Topic
from overlay.orders.model import Command, Flow, State
from tests.overlay.approvals.test_warnings import told
from tests.overlay.city import CLERK, HEAD, KEEPER, RIVAL, City, ManualClock, days
from tests.overlay.conftest import Api, Desk
from tests.overlay.orders.steps import lent

REGISTER = """mutation ($key: String!, $last: Date!) {
  registerTemporaryBody(input: { idempotencyKey: $key, name: "人口普查办公室", document: "杭政办〔2026〕12号", lastDay: $last }) {
    temporaryBody { id lastDay unit } problems { code } } }"""


@pytest.fixture
def bodies(desk: Desk, clock: ManualClock) -> Bodies:
    return Bodies(desk.database, desk.circulation, clock)


async def registered(bodies: Bodies, last: str, by: Identity = HEAD, key: str = "body") -> str:
    body = {"name": "人口普查办公室", "document": "杭政办〔2026〕12号", "lastDay": last}
    answer = await bodies.register(by, key, body)
    assert answer.problems == () and answer.id is not None
    return answer.id


async def borrow(desk: Desk, body: str, *assets: str, by: Identity = CLERK, window: Any = None) -> Any:
    lines = [{"assetId": asset} for asset in assets]
    return await desk.hand_in(Flow.LOAN, by, *lines, range=window or days(1, 7), temporaryBody=body)


def codes(answer: Any) -> list[str]:
    return [problem.code for problem in answer.problems]


async def test_it_borrows_by_its_host_unit_and_no_longer_than_it_lasts(desk: Desk, bodies: Bodies, city: City) -> None:
    body = await registered(bodies, "2026-12-10")
    asset = city.add_asset("p1")
    assert codes(await borrow(desk, body, asset, window=days(1, 10))) == ["BODY_ENDS_BEFORE"]
    assert codes(await borrow(desk, body, asset, by=RIVAL)) == ["BODY_NOT_FOUND"]
    assert codes(await borrow(desk, "body:none", asset)) == ["BODY_NOT_FOUND"]
    answer = await borrow(desk, body, asset, window=days(1, 9))
    assert answer.problems == ()
    assert (await desk.order(answer.order_id)).details["temporaryBody"]["name"] == "人口普查办公室"


async def test_its_loan_is_not_extended_beyond_it(desk: Desk, bodies: Bodies, city: City) -> None:
    body = await registered(bodies, "2026-12-20")
    order_id = await _lent(desk, body, city.add_asset("p1"))
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to="2026-12-25")) == ["BODY_ENDS_BEFORE"]
    assert codes(await desk.give(CLERK, Command.EXTEND, order_id, to="2026-12-15")) == []


async def test_ending_it_early_calls_back_what_it_has(
    desk: Desk, bodies: Bodies, city: City, clock: ManualClock
) -> None:
    body = await registered(bodies, "2026-12-20")
    out = await _lent(desk, body, city.add_asset("p1"))
    waiting = (await borrow(desk, body, city.add_asset("p2"), window=days(8, 5))).order_id
    other = await lent(desk, city.add_asset("p3"))
    clock.advance(days=2)
    assert codes(await bodies.end(HEAD, "end", {"id": body, "lastDay": "2026-12-04"})) == []
    assert await bodies.tend() == 0, "its last day is not over"
    clock.advance(days=2)
    assert await bodies.tend() == 1
    assert await bodies.tend() == 0, "once is enough"
    order = await desk.order(out)
    assert order.state is State.LENT and order.to_day == date(2026, 12, 5) and order.is_overdue(date(2026, 12, 5))
    assert (await desk.order(waiting)).state is State.EXPIRED
    assert (await desk.order(other)).to_day == date(2026, 12, 9), "the unit's own loan is none of its"
    assert {one["order"] for one in await told(desk, Topic.BODY_ENDED)} == {out}


async def test_a_body_is_settled_only_when_every_owner_has_answered(
    desk: Desk, bodies: Bodies, city: City, clock: ManualClock
) -> None:
    body = await registered(bodies, "2026-12-08")
    order_id = (await borrow(desk, body, city.add_asset("p1"), window=days(1, 7))).order_id
    city.faults.append("lost_before")
    assert codes(await desk.give(HEAD, Command.APPROVE, order_id)) == ["OUTCOME_UNKNOWN"]
    clock.advance(days=8)
    assert await bodies.tend() == 0
    await desk.circulation.resume()
    await bodies.tend()
    assert (await desk.order(order_id)).state is State.EXPIRED


async def test_who_registers_and_ends_one(bodies: Bodies) -> None:
    words = {"name": "x", "document": "y", "lastDay": "2026-12-20"}
    assert codes(await bodies.register(CLERK, "a", words)) == ["FORBIDDEN"]
    assert codes(await bodies.register(KEEPER, "a", words)) == ["FORBIDDEN"]
    body = await registered(bodies, "2026-12-20")
    assert codes(await bodies.end(CLERK, "e", {"id": body, "lastDay": "2026-12-05"})) == ["FORBIDDEN"]
    assert codes(await bodies.end(HEAD, "later", {"id": body, "lastDay": "2026-12-21"})) == ["INVALID_LAST_DAY"]
    assert codes(await bodies.end(HEAD, "past", {"id": body, "lastDay": "2026-11-20"})) == ["INVALID_LAST_DAY"]
    assert codes(await bodies.register(HEAD, "long", {**words, "lastDay": "2036-01-01"})) == ["INVALID_LAST_DAY"]
    assert codes(await bodies.register(HEAD, "empty", {**words, "name": " "})) == ["INVALID_TEXT"]


async def test_over_graphql(api: Api, city: City) -> None:
    made = (await api.data(REGISTER, HEAD, key="k", last="2026-12-31"))["registerTemporaryBody"]
    assert made["problems"] == [] and made["temporaryBody"]["lastDay"] == "2026-12-31"
    seen = await api.data("{ temporaryBodies { nodes { id name } } }", CLERK)
    assert [one["id"] for one in seen["temporaryBodies"]["nodes"]] == [made["temporaryBody"]["id"]]
    assert (await api.data("{ temporaryBodies { nodes { id } } }", RIVAL))["temporaryBodies"]["nodes"] == []
    apply = "mutation ($input: ApplyLoanInput!) { applyLoan(input: $input) { order { temporaryBody { name } } problems { code } } }"
    fields = {
        "idempotencyKey": "a",
        "range": days(1, 7),
        "purpose": "普查",
        "lines": [{"assetId": city.add_asset("p1")}],
    }
    order = await api.data(apply, CLERK, input={**fields, "temporaryBody": made["temporaryBody"]["id"]})
    assert order["applyLoan"] == {"order": {"temporaryBody": {"name": "人口普查办公室"}}, "problems": []}


async def _lent(desk: Desk, body: str, asset: str) -> str:
    order_id = (await borrow(desk, body, asset, window=days(1, 7))).order_id
    await desk.approve_all(order_id)
    assert codes(await desk.give(KEEPER, Command.DISPATCH, order_id)) == []
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == []
    return str(order_id)
