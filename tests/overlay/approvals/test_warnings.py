"""Who must act is told before a hold lapses: once, again after it was renewed, and never of what has ended. Whoever
looks at an order reads what threatens it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from overlay.approvals.warnings import warn_of_lapsing
from overlay.notices.outbox import Topic
from overlay.orders.model import Command, State
from overlay.store import tables
from tests.overlay.city import BORROWING, CLERK, HEAD, KEEPER, LENDING, City, ManualClock, days
from tests.overlay.conftest import Api, Desk
from tests.overlay.orders.steps import Counter


async def told(desk: Desk, topic: Topic = Topic.HOLD_LAPSING) -> list[dict[str, Any]]:
    table = tables.outbox
    async with desk.database.read() as connection:
        query = select(table.c.subject, table.c.audience).where(table.c.topic == topic).order_by(table.c.seq)
        return [{"order": row.subject, **row.audience} for row in await connection.execute(query)]


async def test_the_office_and_the_applicant_are_warned_once(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    assert await warn_of_lapsing(desk.database, clock()) == 0, "seven days are left"
    clock.advance(days=5.5)
    assert await warn_of_lapsing(desk.database, clock()) == 1
    assert await warn_of_lapsing(desk.database, clock()) == 0
    offices = [one.get("office") for one in await told(desk)]
    assert offices == ["UNIT_HEAD", None]
    assert {one["order"] for one in await told(desk)} == {order_id}


async def test_a_renewed_hold_is_warned_of_anew(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    clock.advance(days=6)
    await warn_of_lapsing(desk.database, clock())
    assert (await desk.give(HEAD, Command.APPROVE, order_id)).problems == ()
    assert await warn_of_lapsing(desk.database, clock()) == 0, "the approval renewed it"
    clock.advance(days=6)
    assert await warn_of_lapsing(desk.database, clock()) == 1


async def test_what_has_ended_is_not_warned_of(desk: Desk, city: City, clock: ManualClock) -> None:
    order_id = (await desk.apply(city.add_asset("p1"), window=days(20, 25))).order_id
    assert (await desk.give(CLERK, Command.WITHDRAW, order_id)).problems == ()
    assert (await desk.order(order_id)).state is State.WITHDRAWN
    clock.advance(days=6)
    assert await warn_of_lapsing(desk.database, clock()) == 0


async def test_each_turn_is_told_to_its_office(desk: Desk, city: City) -> None:
    order_id = (await desk.apply(city.add_asset("p1"))).order_id
    await desk.approve_all(order_id)
    turns = [one["office"] for one in await told(desk, Topic.STEP_WAITING)]
    assert turns == ["UNIT_HEAD", "LENDING_REGION", "BORROWING_REGION"]


WARNED = """query Q($id: ID!) {
  order(id: $id) { warnings { code path message } } inbox { nodes { id warnings { code } } } }"""

GIVEN_UP_TWICE = """mutation G($one: GiveUpRestInput!, $rest: GiveUpRestInput!) {
  one: giveUpRest(input: $one) { order { allowed } problems { code } }
  rest: giveUpRest(input: $rest) { order { allowed } problems { code } } }"""


async def test_a_hold_that_lapses_soon_is_seen_on_the_order(api: Api, city: City, clock: ManualClock) -> None:
    give = Counter(api)
    order = await give(CLERK, "applyLoan", range=days(20, 5), purpose="会议", lines=[{"assetId": city.add_asset("p1")}])
    seen = await api.data(WARNED, HEAD, id=order["id"])
    assert seen == {"order": {"warnings": []}, "inbox": {"nodes": [{"id": order["id"], "warnings": []}]}}
    clock.advance(days=6)
    seen = await api.data(WARNED, HEAD, "en", id=order["id"])
    (warning,) = seen["order"]["warnings"]
    assert (warning["code"], warning["path"]) == ("HOLD_LAPSING", ["holdsExpireAt"])
    assert "lapse at 2026-12-08 09:00 (Beijing time)" in warning["message"], "seven days after it was applied for"
    assert seen["inbox"]["nodes"][0]["warnings"] == [{"code": "HOLD_LAPSING"}]


async def test_goods_lost_meanwhile_are_seen_on_the_order_and_in_the_inboxes(api: Api, city: City) -> None:
    give, desks = Counter(api), city.add_asset("desks", quantity="10")
    lines = [{"assetId": desks, "quantity": "5"}]
    loan = await give(CLERK, "applyLoan", range=days(1, 5), purpose="会议", lines=lines)
    later = await give(
        CLERK, "applyLoan", range=days(20, 3), purpose="培训", lines=[{"assetId": desks, "quantity": "8"}]
    )
    for order in (loan, later):
        await give.approved(order, HEAD, LENDING, BORROWING)
    await give(KEEPER, "dispatchOrder", orderId=loan["id"])
    await give(CLERK, "receiveOrder", orderId=loan["id"])
    back = await give(CLERK, "returnGoods", orderId=loan["id"])
    found = [{"lineId": back["lines"][0]["id"], "outcome": "LOST"}]
    await give(KEEPER, "inspectReturn", orderId=back["id"], lines=found)
    for person in (CLERK, LENDING, KEEPER):
        (warning,) = (await api.data(WARNED, person, id=later["id"]))["order"]["warnings"]
        assert (warning["code"], warning["path"]) == ("STOCK_SHORT", ["lines", "0"])
        assert warning["message"] == f"资产“{desks}”后来有遗失或损坏：尚待出仓 8，其中 3 已无货可出。"
    for person in (CLERK, KEEPER):
        inbox = (await api.data(WARNED, person, id=later["id"]))["inbox"]["nodes"]
        assert {"id": later["id"], "warnings": [{"code": "STOCK_SHORT"}]} in inbox
    assert (await api.data(WARNED, CLERK, id=loan["id"]))["order"]["warnings"] == []
    seen = await api.data("{ orders(filter: {states: [TO_DISPATCH]}) { nodes { id allowed } } }", CLERK)
    assert seen["orders"]["nodes"] == [{"id": later["id"], "allowed": ["WITHDRAW", "GIVE_UP_REST"]}]
    line = {"lineId": later["lines"][0]["id"], "quantity": "1"}
    inputs = [
        {"idempotencyKey": f"rest-{n}", "orderId": later["id"], "reason": "库内已无", "lines": lines}
        for n, lines in enumerate(([line], None))
    ]
    seen = await api.data(GIVEN_UP_TWICE, CLERK, one=inputs[0], rest=inputs[1])
    assert seen == {
        "one": {"order": {"allowed": ["WITHDRAW", "GIVE_UP_REST"]}, "problems": []},
        "rest": {"order": {"allowed": ["WITHDRAW"]}, "problems": []},
    }
