"""Standing queries: told once, of what is new, to whoever may know; a silent region is no news."""

from __future__ import annotations

import asyncio

import pytest

from overlay.store import tables
from overlay.warehouses import matches
from overlay.warehouses.views import ViewId
from subgraphs.kit.errors import BadInput, CodedError
from tests.overlay.city import AUDITOR, BORROWER, CITY, CLERK, RIVAL, ManualClock
from tests.overlay.warehouses.conftest import Follower, Office, opened
from tests.overlay.warehouses.views import Views

A, B, C = (f"asset:330106:{key}" for key in "abc")
FAR = "asset:330109:far"
EVERYTHING = ViewId("vw:lendable-equipment", None)


def follow(office: Office, by: object = CLERK, view: ViewId = EVERYTHING, after: str | None = None) -> Follower:
    return Follower(office, office.watching.follow(by, view, after))  # type: ignore[arg-type]


async def test_what_is_there_is_no_news_and_what_comes_is_told_once(office: Office, views: Views) -> None:
    views.show(A, B)
    follower = follow(office)
    assert await follower.next() == [], "the first event only gives a cursor"
    views.show(C)
    await office.later()
    assert await follower.next() == [C]
    assert await follower.is_quiet()
    await follower.stop()


async def test_what_left_and_came_back_is_told_again(office: Office, views: Views) -> None:
    views.show(A, B)
    follower = follow(office)
    await follower.next()
    views.hide(A)
    assert await follower.is_quiet()
    views.show(A)
    await office.later()
    assert await follower.next() == [A]
    await follower.stop()


async def test_a_dead_region_is_no_disappearance_and_its_return_no_news(office: Office, views: Views) -> None:
    views.show(A, FAR)
    follower = follow(office)
    await follower.next()
    views.down.add("330106")
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ("330106",)), "it stands, and says who is silent"
    assert await follower.is_quiet(), "that is said once"
    views.down.clear()
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ())
    views.is_away = True
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ("330106", "330109")), "no answer at all"
    views.is_away = False
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ())
    views.show(B)
    await office.later()
    assert await follower.next() == [B]
    await follower.stop()


async def test_what_came_to_match_in_a_silent_region_is_told_once_when_it_is_back(office: Office, views: Views) -> None:
    views.show(A, FAR)
    follower = follow(office)
    await follower.next()
    views.down.add("330106")
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ("330106",))
    views.show(B, "asset:330109:near")
    await office.later()
    assert (await follower.next(), follower.silent) == (["asset:330109:near"], ("330106",)), "the others go on"
    late = follow(office)
    assert (await late.next(), late.silent) == ([], ("330106",)), "who comes now hears it at once"
    views.down.clear()
    await office.later()
    for one in (follower, late):
        assert (await one.next(), one.silent) == ([B], ())
        assert await one.is_quiet()
        await one.stop()


async def test_what_matched_and_left_while_its_region_was_silent_is_no_news(office: Office, views: Views) -> None:
    views.show(A, FAR)
    follower = follow(office)
    await follower.next()
    views.down.add("330106")
    await office.later()
    await follower.next()
    views.show(B)
    await office.later()
    views.hide(B)
    views.down.clear()
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ())
    assert await follower.is_quiet()
    await follower.stop()


async def test_a_region_that_falls_silent_between_two_pages_loses_nothing(office: Office, views: Views) -> None:
    views.show(A, B, C, FAR)
    follower = follow(office)
    await follower.next()
    views.show("asset:330106:aa")
    views.down_after = (1, "330106")
    await office.later()
    told = [(await follower.next(), follower.silent)]
    assert told == [([], ("330106",))], "half an answer is none"
    views.down.clear()
    await office.later()
    assert (await follower.next(), follower.silent) == (["asset:330106:aa"], ())
    assert await follower.is_quiet()
    await follower.stop()


async def test_a_region_that_answers_for_the_first_time_is_no_news(office: Office, views: Views) -> None:
    views.show(A, FAR)
    views.down.add("330109")
    follower = follow(office)
    assert (await follower.next(), follower.silent) == ([], ("330109",))
    views.down.clear()
    await office.later()
    assert (await follower.next(), follower.silent) == ([], ())
    assert await follower.is_quiet()
    await follower.stop()


async def test_it_goes_on_after_a_cursor_and_tells_what_came_in_between(office: Office, views: Views) -> None:
    views.show(A)
    follower = follow(office)
    await follower.next()
    views.show(B)
    await office.later()
    assert await follower.next() == [B]
    cursor = follower.cursor
    await follower.stop()
    views.show(C)
    office.clock.advance(seconds=600)  # nobody follows, so nobody looks
    again = follow(office, after=cursor)
    assert await again.next() == [C]
    assert not again.gap
    assert await again.is_quiet()
    await again.stop()


async def test_it_goes_on_after_a_restart(url: str, views: Views, clock: ManualClock) -> None:
    views.show(A)
    async with opened(url, views, clock) as office:
        follower = follow(office)
        await follower.next()
        cursor = follower.cursor
        await follower.stop()
    views.show(B)
    async with opened(url, views, clock) as office:
        clock.advance(seconds=600)
        follower = follow(office, after=cursor)
        assert await follower.next() == [B]
        await follower.stop()


async def test_whoever_was_away_too_long_is_told_of_the_gap(office: Office, views: Views) -> None:
    views.show(A)
    follower = follow(office)
    await follower.next()
    cursor = follower.cursor
    await follower.stop()
    office.clock.advance(days=3)
    await office.watching.round()
    assert await office.rows(tables.warehouse_watches) == []
    assert await office.rows(tables.watched_assets) == []
    views.show(B)
    late = follow(office, after=cursor)
    assert (await late.next(), late.gap) == ([], True)
    views.show(C)
    await office.later()
    assert (await late.next(), late.gap) == ([C], False)
    await late.stop()


async def test_a_slow_subscriber_misses_the_oldest_and_is_told(
    office: Office, views: Views, monkeypatch: object
) -> None:
    views.show(A)
    follower = follow(office)
    await follower.next()
    many = [f"asset:330106:m{number:04}" for number in range(matches.BACKLOG_MAX + 7)]
    views.show(*many)
    await office.later()
    told = await follower.next()
    assert (told, follower.gap) == (many[7 : 7 + matches.BATCH_MAX], True)
    rest = []
    while len(rest) < matches.BACKLOG_MAX - matches.BATCH_MAX:
        rest += await follower.next()
        assert not follower.gap
    assert told + rest == many[7:]
    await follower.stop()


async def test_many_subscribers_of_one_sight_cost_one_evaluation(office: Office, views: Views) -> None:
    views.show(A)
    views.own = {BORROWER: {"asset:330106:own"}}
    followers = [follow(office, by) for by in (CLERK, CLERK, CLERK, RIVAL)]
    for one in followers:
        one.start()
    await asyncio.sleep(0)
    for one in followers:
        await one.next()
    assert views.reads == 2, "one for each unit"
    views.show(B)
    await office.later()
    assert [await one.next() for one in followers] == [[B]] * 4
    assert views.reads == 4
    for one in followers:
        await one.stop()


async def test_each_sight_is_told_what_it_may_see(office: Office, views: Views) -> None:
    views.show(A)
    clerk, rival = follow(office, CLERK), follow(office, RIVAL)
    await clerk.next()
    await rival.next()
    views.own = {BORROWER: {"asset:330106:own"}}
    await office.later()
    assert await clerk.next() == ["asset:330106:own"]
    assert await rival.is_quiet()
    await clerk.stop()
    await rival.stop()


async def test_a_changed_rule_starts_anew(office: Office, views: Views) -> None:
    id_ = await office.create()
    views.show(A)
    follower = follow(office, CITY, ViewId(id_, None))
    await follower.next()
    await office.change(id_, filter={"status": {"eq": "IN_STORE"}})
    views.show(B)
    assert await follower.is_quiet(), "what another rule finds at first is no news"
    views.show(C)
    await office.later()
    assert await follower.next() == [C]
    await follower.stop()


async def test_it_ends_for_whom_the_warehouse_is_no_longer_shared(office: Office, views: Views) -> None:
    id_ = await office.create(CITY, "ALL")
    views.show(A)
    follower = follow(office, RIVAL, ViewId(id_, None))
    await follower.next()
    await office.change(id_, scope="REGION")
    views.show(B)
    await office.later()
    with pytest.raises(CodedError) as ended:
        await follower.next()
    assert ended.value.code == "WAREHOUSE_NOT_FOUND"


async def test_it_ends_when_the_warehouse_is_retired(office: Office, views: Views) -> None:
    id_ = await office.create()
    views.show(A)
    follower = follow(office, AUDITOR, ViewId(id_, None))
    await follower.next()
    await office.retire(id_)
    await office.later()
    with pytest.raises(CodedError) as ended:
        await follower.next()
    assert ended.value.code == "WAREHOUSE_NOT_FOUND"


async def test_what_is_refused_at_once(office: Office) -> None:
    hidden = await office.create(CLERK, "UNIT")
    with pytest.raises(CodedError) as refused:
        await follow(office, RIVAL, ViewId(hidden, None)).next()
    assert refused.value.code == "WAREHOUSE_NOT_FOUND"
    with pytest.raises(BadInput, match="cursor"):
        await follow(office, after="bm9uZQ==").next()


async def test_two_processes_share_the_work_and_tell_nothing_twice(url: str, views: Views, clock: ManualClock) -> None:
    views.show(A)
    async with opened(url, views, clock) as one, opened(url, views, clock) as other:
        here, there = follow(one), follow(other)
        await here.next()
        await there.next()
        views.show(B)
        reads = views.reads
        clock.advance(seconds=31)
        await asyncio.gather(one.watching.round(), other.watching.round())
        assert (await here.next(), await there.next()) == ([B], [B])
        assert views.reads == reads + 1
        await here.stop()
        await there.stop()


async def test_a_warehouse_that_asks_for_notices_sends_them(office: Office, views: Views) -> None:
    id_ = await office.create(CLERK, "UNIT", name="投影仪", notify=True)
    silent = await office.create(CLERK, "UNIT")
    views.show(A)
    await office.later()
    await office.later()
    assert await office.outbox() == []
    views.show(B, C)
    await office.later()
    (notice,) = await office.outbox()
    assert (notice["topic"], notice["subject"]) == ("warehouse.asset_matched", id_)
    assert notice["data"] == {"name": "投影仪", "count": 2, "assetIds": [B, C]}
    assert notice["audience"] == {"region": "330105", "unit": BORROWER}
    await office.change(id_, by=CLERK, notify=False)
    await office.change(silent, by=CLERK, name="静")
    views.show("asset:330106:d")
    await office.later()
    assert len(await office.outbox()) == 1
