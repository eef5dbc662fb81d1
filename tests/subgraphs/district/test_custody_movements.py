"""What every movement makes of the hold and of the status that the store should show; days between, and extension."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.occupancy import Period, peak
from subgraphs.district.custody.claims import Claim, claim_of, spaced
from subgraphs.district.custody.model import AssetFacts, ExtendHold, PlaceHold
from tests.subgraphs.district.book_desk import TODAY, Desk

ONE = AssetFacts(Decimal(1), "v1", "IDLE", True, None)
PRIVATE = AssetFacts(Decimal(1), "v1", "IN_USE", False, None)
BROKEN = AssetFacts(Decimal(1), "v1", "IN_REPAIR", True, None)
TWO = AssetFacts(Decimal(2), "v1", "IDLE", True, None)


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    desk = Desk(url, "330106", fault=None)
    await desk.book.open()
    try:
        yield desk
    finally:
        await desk.book.close()


@pytest.mark.parametrize(
    ("facts", "kinds", "statuses"),
    [
        (ONE, ("DISPATCH", "RECEIVE", "RETURN"), ["IN_TRANSIT", "LENT", "IDLE"]),
        (PRIVATE, ("DISPATCH", "STORE"), ["IN_TRANSIT", "IN_STORE"]),
        (ONE, ("REPAIR_OUT", "REPAIR_IN"), ["IN_REPAIR", "IDLE"]),
        (BROKEN, ("REPAIR_OUT", "REPAIR_IN"), ["IN_REPAIR", "IN_STORE"]),
        (ONE, ("REPAIR_OUT", "WRITE_OFF"), ["IN_REPAIR", "DISPOSED"]),
        (PRIVATE, ("WRITE_OFF",), ["DISPOSED"]),
        (ONE, ("DISPATCH", "RECEIVE", "WRITE_OFF"), ["IN_TRANSIT", "LENT", "DISPOSED"]),
    ],
)
async def test_each_says_what_the_store_should_show(
    desk: Desk, facts: AssetFacts, kinds: tuple[str, ...], statuses: list[str]
) -> None:
    hold = await desk.hold("a", facts, own_use=True)
    for kind in kinds:
        assert (await desk.move("a", hold, kind, facts)).refusals == (), kind
    assert desk.written == statuses
    again = await desk.move("a", hold, kinds[-1], facts)
    assert [one.code for one in again.refusals] == ["HOLD_RELEASED"], "the hold is over"


async def test_what_is_written_off_is_nobodys_though_the_store_was_not_written(desk: Desk) -> None:
    desk.fault = "NOT_GRANTED"
    await desk.write_off("a", ONE)
    (owed,) = await desk.book.instructions.open(10)
    assert (owed.kind, owed.status) == ("WRITE_OFF", "DISPOSED")
    (refusal,) = (await desk.book.place(_place("k", "2026-12-20", "2026-12-21"), ONE, TODAY)).refusals
    assert refusal.code == "NOT_AVAILABLE"


async def test_what_others_hold_is_not_written_off_where_it_stands(desk: Desk) -> None:
    await desk.book.place(_place("k", "2027-02-01", "2027-02-03"), ONE, TODAY)
    hold = await desk.hold("a", ONE)
    (refusal,) = (await desk.move("a", hold, "WRITE_OFF", ONE)).refusals
    assert refusal.code == "ASSET_BUSY"


async def test_what_is_to_go_for_good_is_not_promised_to_anybody_later(desk: Desk) -> None:
    await desk.hold("a", ONE, for_good=True)
    (refusal,) = (await desk.book.place(_place("k", "2028-02-01", "2028-02-03"), ONE, TODAY)).refusals
    assert refusal.code == "ASSET_BUSY"
    await desk.book.place(_place("k2", "2027-02-01", "2027-02-03", asset="b"), ONE, TODAY)
    (refusal,) = (
        await desk.book.place(_place("k3", "2026-12-01", "2026-12-03", "b", for_good=True), ONE, TODAY)
    ).refusals
    assert refusal.code == "ASSET_BUSY"


async def test_the_owner_need_not_share_what_he_repairs(desk: Desk) -> None:
    (refusal,) = (await desk.book.place(_place("k", "2026-12-01", "2026-12-03"), PRIVATE, TODAY)).refusals
    assert refusal.code == "NOT_SHAREABLE"
    owned = _place("k2", "2026-12-01", "2026-12-03", own_use=True)
    assert (await desk.book.place(owned, PRIVATE, TODAY)).refusals == ()
    closed = AssetFacts(Decimal(1), "v1", "IDLE", True, None, holdable=False)
    (refusal,) = (await desk.book.place(_place("k3", "2027-12-01", "2027-12-03", own_use=True), closed, TODAY)).refusals
    assert refusal.code == "NOT_SHAREABLE", "the mapping lets nobody hold it"


@pytest.mark.parametrize(
    ("mine", "theirs", "from_day", "to_day", "fits"),
    [
        (3, 3, "2026-12-23", "2026-12-25", True),
        (3, 3, "2026-12-22", "2026-12-25", False),
        (3, 0, "2026-12-22", "2026-12-25", False),
        (0, 3, "2026-12-22", "2026-12-25", False),
        (0, 0, "2026-12-20", "2026-12-25", True),
        (3, 3, "2026-12-05", "2026-12-07", True),
        (3, 3, "2026-12-05", "2026-12-08", False),
        (0, 3, "2026-12-05", "2026-12-08", False),
        (3, 0, "2026-12-05", "2026-12-08", False),
        (0, 0, "2026-12-05", "2026-12-10", True),
    ],
)
async def test_days_lie_between_before_and_behind(
    desk: Desk, mine: int, theirs: int, from_day: str, to_day: str, fits: bool
) -> None:
    """Somebody has the 10th to the 19th; whoever asks more days between, before or behind, has them."""
    first = _place("theirs", "2026-12-10", "2026-12-20", buffer_days=theirs)
    assert (await desk.book.place(first, ONE, TODAY)).refusals == ()
    asked = await desk.book.place(_place("mine", from_day, to_day, buffer_days=mine), ONE, TODAY)
    assert [one.code for one in asked.refusals] == ([] if fits else ["ASSET_BUSY"])


async def test_the_calendar_shows_the_days_behind_as_busy(desk: Desk) -> None:
    await desk.book.place(_place("k", "2026-12-10", "2026-12-12", buffer_days=2), ONE, TODAY)
    assert await desk.book.busy(["a"], "2026-12-01", "2027-01-01", TODAY) == {
        "a": [Period("2026-12-10", "2026-12-14", Decimal(1))]
    }
    assert await desk.book.held("2026-12-13", "2026-12-14", TODAY) == {"a": Decimal(1)}
    assert await desk.book.held("2026-12-14", "2026-12-15", TODAY) == {}


async def test_a_hold_is_extended_as_far_as_the_next_one_lets_it(desk: Desk) -> None:
    hold = await desk.hold("a", TWO, "1", buffer_days=1)
    await desk.book.place(_place("later", "2026-12-20", "2026-12-22", quantity="2"), TWO, TODAY)
    assert (await desk.move("a", hold, "DISPATCH", TWO)).refusals == ()
    assert await _extended(desk, hold, "2026-12-20", TWO) == ["ASSET_BUSY"]
    assert await _extended(desk, hold, "2026-12-19", TWO) == []
    assert await _extended(desk, hold, "2026-12-19", TWO) == ["NOT_LATER"]
    busy = await desk.book.busy(["a"], "2026-12-01", "2026-12-20", TODAY)
    assert busy == {"a": [Period("2026-12-01", "2026-12-20", Decimal(1))]}


async def test_an_extension_looks_at_the_asset_anew(desk: Desk) -> None:
    hold = await desk.hold("a", ONE)
    assert await _extended(desk, hold, "2026-12-19", ONE, expected_version="v0") == ["VERSION_CHANGED"]
    until = AssetFacts(Decimal(1), "v1", "IDLE", True, "2026-12-12")
    assert await _extended(desk, hold, "2026-12-19", until) == ["NOT_SHAREABLE"]
    assert await _extended(desk, hold, "2026-12-12", until) == []
    assert await _extended(desk, "none", "2026-12-19", ONE) == ["UNKNOWN_HOLD"]
    desk.moment = desk.moment.replace(month=12, day=5)
    assert await _extended(desk, hold, "2026-12-19", ONE) == ["HOLD_EXPIRED"]


def _place(key: str, from_day: str, to_day: str, asset: str = "a", quantity: str = "1", **more: Any) -> PlaceHold:
    return PlaceHold(
        key=key, asset=asset, order_id="order:2", from_day=from_day, to_day=to_day, quantity=Decimal(quantity),
        life_s=86_400, **more,
    )  # fmt: skip


async def _extended(desk: Desk, hold: str, to_day: str, facts: AssetFacts, **more: Any) -> list[str]:
    command = ExtendHold(key=desk.key(), asset="a", hold_id=hold, to_day=to_day, **more)
    return [one.code for one in (await desk.book.extend(command, facts, TODAY)).refusals]


def day(number: int) -> str:
    return date.fromordinal(date(2027, 1, 1).toordinal() + number).isoformat()


ranges = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(ranges, max_size=8), st.integers(0, 4))
def test_as_many_things_serve_as_the_claims_with_their_buffer_need(asked: list[tuple[int, int]], buffer: int) -> None:
    """Each accepted in turn while the book finds one of two things free: two things really are enough."""
    accepted: list[Claim] = []
    for first, end in asked:
        behind = day(end + buffer)
        if peak(spaced(accepted, buffer), day(first), behind) < 2:
            accepted.append(claim_of(day(first), day(end), Decimal(1), False, TODAY, buffer))
    free_from = ["", ""]
    for claim in sorted(accepted, key=lambda one: one.from_day):
        thing = min(range(2), key=lambda at: free_from[at])
        assert free_from[thing] <= claim.from_day, "nobody waits for a thing that is not back for long enough"
        free_from[thing] = date.fromordinal(date.fromisoformat(claim.to_day).toordinal() + buffer).isoformat()
