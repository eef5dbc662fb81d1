"""What is too long, too many or too far away is refused by a clear code, and nothing is changed or held."""

from __future__ import annotations

from typing import Any

import pytest

from overlay.orders.model import Command, Flow
from tests.overlay.city import BORROWING_KEEPER, CLERK, HEAD, KEEPER, OWNER_CLERK, City, ManualClock, days
from tests.overlay.conftest import Desk
from tests.overlay.orders.steps import approved, codes, done, lent, repair, surrender

LONG = "长" * 1001
LINES_MAX = 50


def application(flow: Flow, asset: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A line, and what the flow asks for beside it."""
    line = repair(asset) if flow is Flow.REPAIR else {"assetId": asset}
    match flow:
        case Flow.LOAN:
            return line, {"range": days(1, 7)}
        case Flow.SURRENDER:
            return line, surrender()
        case Flow.DONATION:
            return line, {"recipient": "小学"}
    return line, {}


@pytest.mark.parametrize("flow", [flow for flow in Flow if flow is not Flow.RETURN])
async def test_an_application_has_a_purpose_and_some_lines(desk: Desk, flow: Flow) -> None:
    by = CLERK if flow in (Flow.LOAN, Flow.REALLOCATION) else OWNER_CLERK
    for purpose in ("", " ", LONG):
        line, body = application(flow, "asset:330106:p1")
        refused = await desk.hand_in(flow, by, line, **body | {"purpose": purpose})
        assert [(one.code, one.path) for one in refused.problems if one.path == ("purpose",)] == [
            ("INVALID_TEXT", ("purpose",))
        ]
    for count in (0, LINES_MAX + 1, 5000):
        lines = [application(flow, f"asset:330106:p{number}")[0] for number in range(count)]
        assert codes(await desk.hand_in(flow, by, *lines, **application(flow, "")[1])) == ["TOO_MANY_LINES"]
    assert await desk.orders() == []


async def test_what_is_said_beside_a_command_is_not_too_long(desk: Desk, city: City, clock: ManualClock) -> None:
    """Whatever the command, and whether or not its text must be given."""
    loan = await lent(desk, city.add_asset("lent"))
    moved = await approved(desk, Flow.REALLOCATION, CLERK, {"assetId": city.add_asset("moved")})
    await done(desk, KEEPER, Command.DISPATCH, moved)
    repaired = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(city.add_asset("broken")))
    gone = await desk.hand_in(Flow.DISPOSAL, OWNER_CLERK, {"assetId": city.add_asset("old", condition="BEYOND_REPAIR")})
    clock.advance(days=7)
    await desk.circulation.close_notices()
    await desk.approve_all(gone.order_id)
    applied = (await desk.apply(city.add_asset("applied"), window=days(20, 3))).order_id
    seen = await desk.orders()
    first = {order.id: order.lines[0].id for order in seen}
    for by, command, order_id, name, body in (
        (CLERK, Command.RETURN_GOODS, loan, "comment", {}),
        (CLERK, Command.EXTEND, loan, "reason", {"to": days(1, 20)["to"]}),
        (HEAD, Command.APPROVE, applied, "comment", {}),
        (HEAD, Command.REJECT, applied, "reason", {}),
        (CLERK, Command.WITHDRAW, applied, "reason", {}),
        (BORROWING_KEEPER, Command.ARRIVE, moved, "comment", {}),
        (CLERK, Command.RETURN_TO_OWNER, moved, "reason", {}),
        (KEEPER, Command.DIAGNOSE, repaired, "comment", {"lines": [{"lineId": first[repaired], "outcome": "SCRAP"}]}),
        (KEEPER, Command.EXECUTE, gone.order_id, "comment", {}),
    ):
        refused = await desk.give(by, command, order_id, **body, **{name: LONG})
        assert [(one.code, one.path) for one in refused.problems] == [("INVALID_TEXT", (name,))], command
    assert await desk.orders() == seen
    await done(desk, HEAD, Command.APPROVE, applied, comment=LONG[:1000])


async def test_a_command_names_no_more_lines_than_there_are(desk: Desk, city: City) -> None:
    loan = await approved(desk, Flow.LOAN, CLERK, {"assetId": city.add_asset("a")}, range=days(1, 7))
    line = (await desk.order(loan)).lines[0].id
    many = [{"lineId": line}] * 5000
    assert codes(await desk.give(KEEPER, Command.DISPATCH, loan, lines=many)) == ["DUPLICATE_LINE"]
    repaired = await approved(desk, Flow.REPAIR, OWNER_CLERK, repair(city.add_asset("b")))
    line = (await desk.order(repaired)).lines[0].id
    found = [{"lineId": line, "outcome": "SCRAP"}] * 5000
    assert codes(await desk.give(KEEPER, Command.DIAGNOSE, repaired, lines=found)) == ["UNKNOWN_LINE"]


async def test_a_loan_begins_before_its_hold_could_lapse(desk: Desk, city: City) -> None:
    asset = city.add_asset("a")
    assert codes(await desk.apply(asset, window=days(351, 7))) == ["LOAN_TOO_FAR_AHEAD"]
    last = {"from": "9999-12-30", "to": "9999-12-31"}
    assert codes(await desk.apply(asset, window=last)) == ["LOAN_TOO_FAR_AHEAD"]
    order_id = await approved(desk, Flow.LOAN, CLERK, {"assetId": asset}, range=days(350, 180))
    assert await desk.allowed(KEEPER, order_id) == [Command.DISPATCH]
