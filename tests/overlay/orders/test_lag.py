"""Owners know of a movement before the ledger does: what the ledger makes of goods that it did not see come."""

from __future__ import annotations

from overlay.orders.model import Command, Flow, State
from tests.overlay.city import BORROWING, BORROWING_KEEPER, CLERK, KEEPER, LENDING, OWNER_CLERK, OWNER_HEAD, City, days
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import approved, balances, codes, done, lent, state


async def settled(desk: Desk) -> None:
    """The one that waits for another may be asked first."""
    await desk.circulation.resume()
    await desk.circulation.resume()


async def return_that_is_not_recorded(desk: Desk, city: City, loan: str) -> None:
    """Goods are back, and the owner knows; its answer is lost."""
    returned = await done(desk, CLERK, Command.RETURN_GOODS, loan)
    line = {"lineId": (await desk.order(returned)).lines[0].id, "outcome": "PASSED"}
    city.faults.append("lost_after")
    assert codes(await desk.give(KEEPER, Command.INSPECT, returned, lines=[line])) == ["OUTCOME_UNKNOWN"]


async def test_what_left_a_card_for_good_does_not_come_to_it_again(desk: Desk, city: City) -> None:
    """The later loan was applied for when there were ten. That the ledger has too little when its goods leave is no
    sign that the card has grown."""
    asset = city.add_asset("desks", quantity="10")
    later = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "4"}, range=days(20, 3))
    moved = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset, "quantity": "4"})
    for by, command in ((KEEPER, Command.DISPATCH), (BORROWING_KEEPER, Command.ARRIVE), (CLERK, Command.RECEIVE)):
        await done(desk, by, command, moved)
    await return_that_is_not_recorded(desk, city, await lent(desk, asset, quantity="6"))
    assert codes(await desk.give(KEEPER, Command.DISPATCH, later)) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await state(desk, later) is State.IN_TRANSIT
    assert await balances(desk, asset) == {
        ("330105", "IN_STORE"): 4, ("330106", "IN_STORE"): 2, ("330106", "IN_TRANSIT"): 4,
    }  # fmt: skip


async def test_a_successor_lends_its_goods_before_it_is_recorded_that_they_are_its_own(desk: Desk, city: City) -> None:
    asset = city.add_asset("p1")
    order_id = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": asset})
    await done(desk, KEEPER, Command.DISPATCH, order_id)
    await done(desk, BORROWING_KEEPER, Command.ARRIVE, order_id)
    city.faults += ["ok", "lost_after"]
    assert codes(await desk.give(CLERK, Command.RECEIVE, order_id)) == ["OUTCOME_UNKNOWN"]
    successor = (await desk.order(order_id)).lines[0].successors[0]
    city.assets[successor] |= {"status": "IDLE", "shareable": True}
    loan = (await desk.apply(successor, by=OWNER_CLERK)).order_id
    for officer in (OWNER_HEAD, BORROWING, LENDING):
        await done(desk, officer, Command.APPROVE, loan)
    assert codes(await desk.give(BORROWING_KEEPER, Command.DISPATCH, loan)) == ["OUTCOME_UNKNOWN"]
    await settled(desk)
    assert await state(desk, loan) is State.IN_TRANSIT
    assert await balances(desk, asset) == {("330105", "IN_TRANSIT"): 1}


async def test_goods_that_came_to_the_card_since_it_was_applied_for_are_learnt_as_they_leave(
    desk: Desk, city: City
) -> None:
    """Those who applied first leave last, when the ten that they applied for have left."""
    asset = city.add_asset("desks", quantity="10")
    first, second = [
        await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": quantity}, range=days(1, 7))
        for quantity in ("4", "6")
    ]
    await done(desk, KEEPER, Command.DISPATCH, first)
    city.assets[asset] |= {"quantity": "15", "originalValue": "7498.50"}
    third = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset, "quantity": "5"}, range=days(1, 7))
    for order_id in (third, second):
        await done(desk, KEEPER, Command.DISPATCH, order_id)
    assert await balances(desk, asset) == {("330106", "IN_TRANSIT"): 15}
    adjusted = [entry["quantity"] for entry in await desk.ledger(asset) if entry["movement"] == "ADJUST"]
    assert adjusted == ["-5", "5"]
