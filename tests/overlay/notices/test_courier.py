"""Notices reach their webhooks at least once each, in order for each subject, whatever fails on the way."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping, insert, select, update

from overlay.clock import text_of
from overlay.notices.courier import ATTEMPTS_MAX, DEAD, DELIVERED, Courier, delay_after
from overlay.notices.outbox import Audience, Topic, put
from overlay.notices.sender import Reply, SendFailed
from overlay.store.database import Database
from overlay.store.tables import deliveries, outbox, webhooks
from tests.overlay.city import ManualClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Post:
    """The network: each URL's answers are dealt in turn, 204 when there are none left."""

    def __init__(self) -> None:
        self.answers: dict[str, deque[Reply | SendFailed | asyncio.Event]] = defaultdict(deque)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[Mapping[str, str]] = []
        self.late = Reply(204)
        """What those answer that were waited for."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.sent.append((url, orjson.loads(body)))
        self.headers.append(headers)
        answer = self.answers[url].popleft() if self.answers[url] else Reply(204)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return self.late
        if isinstance(answer, SendFailed):
            raise answer
        return answer

    async def close(self) -> None:
        return None

    def told(self, url: str = "https://a/") -> list[str]:
        return [str(body["data"]["n"]) for where, body in self.sent if where == url]


def secret_of(_webhook: RowMapping) -> str:
    return SECRET


class Bureau:
    """A store, its courier, and shorthands."""

    def __init__(self, url: str, clock: ManualClock, post: Post) -> None:
        self.database, self.clock, self.post = Database(url), clock, post
        self.courier = self.another()

    def another(self) -> Courier:
        """One more process on the same store."""
        return Courier(self.database, self.post, secret_of, self.clock, jitter=lambda: 0.5)

    async def webhook(self, id_: str = "a", region: str | None = None, topics: tuple[str, ...] = ()) -> None:
        at = text_of(self.clock())
        row = {"id": id_, "url": f"https://{id_}/", "topics": list(topics), "region": region, "state": "ENABLED",
               "person": "city", "created_at": at, "updated_at": at}  # fmt: skip
        async with self.database.write() as connection:
            await connection.execute(insert(webhooks).values(row))

    async def put(
        self, n: str, subject: str = "order:1", topic: Topic = Topic.ORDER_CHANGED, audience: Audience | None = None
    ) -> None:
        async with self.database.write() as connection:
            await put(connection, text_of(self.clock()), topic, subject, audience or Audience(), {"n": n})

    async def turns(self, count: int = 1) -> None:
        for _ in range(count):
            await self.courier.turn()
            await self.courier.idle()

    async def states(self) -> list[tuple[str, str, int]]:
        query = select(outbox.c.data, deliveries.c.state, deliveries.c.attempts)
        query = query.join(outbox, outbox.c.id == deliveries.c.notice_id).order_by(deliveries.c.seq)
        async with self.database.read() as connection:
            return [(row.data["n"], row.state, row.attempts) for row in await connection.execute(query)]


@asynccontextmanager
async def opened(url: str, clock: ManualClock) -> AsyncIterator[Bureau]:
    bureau = Bureau(url, clock, Post())
    await bureau.database.open()
    try:
        yield bureau
    finally:
        await bureau.database.close()


@pytest.fixture
async def bureau(url: str, clock: ManualClock) -> AsyncIterator[Bureau]:
    async with opened(url, clock) as one:
        yield one


async def test_a_notice_is_sent_signed_and_once(bureau: Bureau) -> None:
    await bureau.webhook()
    await bureau.put("1", audience=Audience("330105", "unit", "clerk"))
    await bureau.turns(3)
    ((url, body),) = bureau.post.sent
    assert url == "https://a/"
    assert {name: body[name] for name in ("topic", "subject", "data")} == {
        "topic": "order.changed", "subject": "order:1", "data": {"n": "1"}
    }  # fmt: skip
    assert bureau.post.headers[0]["webhook-id"] == body["id"]
    assert bureau.post.headers[0]["webhook-signature"].startswith("v1,")
    assert await bureau.states() == [("1", DELIVERED, 1)]


async def test_each_webhook_hears_its_topics_and_its_region(bureau: Bureau) -> None:
    await bureau.webhook("city")
    await bureau.webhook("anchors", topics=("ledger.anchored",))
    await bureau.webhook("west", region="330106")
    await bureau.put("all", "s:1", Topic.LEDGER_ANCHORED)
    await bureau.put("here", "s:2", audience=Audience("330106"))
    await bureau.put("there", "s:3", audience=Audience("330105"))
    await bureau.put("both", "s:4", audience=Audience("330105", regions=("330106",)))
    await bureau.turns()
    heard = {name: sorted(bureau.post.told(f"https://{name}/")) for name in ("city", "anchors", "west")}
    assert heard == {"city": ["all", "both", "here", "there"], "anchors": ["all"], "west": ["all", "both", "here"]}


async def test_a_person_is_named_to_the_city_and_to_their_own_region(bureau: Bureau) -> None:
    for name, region in (("city", None), ("own", "330105"), ("other", "330106")):
        await bureau.webhook(name, region)
    await bureau.put("1", audience=Audience("330105", "unit", "clerk", regions=("330106",)))
    await bureau.turns()
    named = {url: body["audience"].get("person") for url, body in bureau.post.sent}
    assert named == {"https://city/": "clerk", "https://own/": "clerk", "https://other/": None}


@pytest.mark.parametrize("failure", [Reply(500), Reply(302), Reply(404), SendFailed("TIMEOUT")])
async def test_what_fails_is_sent_again_later_under_the_same_id(bureau: Bureau, failure: Reply | SendFailed) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].append(failure)
    await bureau.put("1")
    await bureau.turns()
    bureau.clock.advance(seconds=4)
    await bureau.turns()
    assert (len(bureau.post.sent), await bureau.states()) == (1, [("1", "PENDING", 1)])
    bureau.clock.advance(seconds=2)
    await bureau.turns()
    assert await bureau.states() == [("1", DELIVERED, 2)]
    assert len({body["id"] for _, body in bureau.post.sent}) == 1


async def test_an_endpoint_that_says_when_is_believed(bureau: Bureau) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].append(Reply(429, retry_after_s=120))
    await bureau.put("1")
    await bureau.turns()
    bureau.clock.advance(seconds=119)
    await bureau.turns()
    assert len(bureau.post.sent) == 1
    bureau.clock.advance(seconds=2)
    await bureau.turns()
    assert len(bureau.post.sent) == 2


@given(st.integers(1, ATTEMPTS_MAX), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_delays_grow_and_are_bounded(attempts: int, jitter: float, asked: float | None) -> None:
    delay = delay_after(attempts, asked, lambda: jitter)
    least = min(5 * 4 ** (attempts - 1), 43_200)
    assert delay >= 0.75 * least
    assert delay <= max(1.25 * least, min(asked or 0, 86_400))
    if asked is not None:
        assert delay >= min(asked, 86_400)


async def test_after_the_last_try_it_is_a_dead_letter_and_holds_up_nobody(bureau: Bureau) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].extend([Reply(500)] * ATTEMPTS_MAX)
    await bureau.put("1")
    await bureau.put("2")
    for _ in range(ATTEMPTS_MAX):
        await bureau.turns()
        bureau.clock.advance(hours=13)
    assert await bureau.states() == [("1", DEAD, ATTEMPTS_MAX), ("2", "PENDING", 0)]
    await bureau.turns()
    assert await bureau.states() == [("1", DEAD, ATTEMPTS_MAX), ("2", DELIVERED, 1)]


async def test_a_later_notice_of_a_subject_waits_for_the_earlier_one_and_others_do_not(bureau: Bureau) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].append(Reply(500))
    await bureau.put("1")
    await bureau.put("2")
    await bureau.put("3", "order:2")
    await bureau.turns(3)
    assert sorted(bureau.post.told()) == ["1", "3"], "two subjects go out side by side"
    bureau.clock.advance(seconds=6)
    await bureau.turns(2)
    assert bureau.post.told()[2:] == ["1", "2"]


async def test_an_endpoint_that_is_gone_is_disabled_with_all_that_waits(bureau: Bureau) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].append(Reply(410))
    for n in ("1", "2"):
        await bureau.put(n)
    await bureau.turns()
    await bureau.put("3")
    await bureau.turns()
    assert await bureau.states() == [("1", DEAD, 1), ("2", DEAD, 0)]
    async with bureau.database.read() as connection:
        row = (await connection.execute(select(webhooks))).mappings().one()
    assert (row["state"], row["reason"]) == ("DISABLED", "GONE")


async def test_a_slow_endpoint_fills_its_own_places_and_delays_no_other(bureau: Bureau) -> None:
    await bureau.webhook("slow")
    await bureau.webhook("quick")
    go = asyncio.Event()
    bureau.post.answers["https://slow/"].extend([go] * 100)
    for n in range(20):
        await bureau.put(str(n), f"order:{n}")
    quick: set[str] = set()
    while len(quick) < 20:
        await bureau.courier.turn()
        quick = set(bureau.post.told("https://quick/"))
    assert len(bureau.post.told("https://slow/")) == 4
    go.set()
    await bureau.courier.idle()


async def test_what_a_process_died_with_is_sent_again_by_another(bureau: Bureau) -> None:
    """The first dies after it has claimed: its lease runs out, and nothing else has to happen."""
    await bureau.webhook()
    late, bureau.post.late = asyncio.Event(), Reply(500)
    bureau.post.answers["https://a/"].append(late)
    await bureau.put("1")
    await bureau.put("2")
    assert await bureau.courier.turn() == 1
    second = bureau.another()
    assert await second.turn() == 0
    bureau.clock.advance(seconds=61)
    async with bureau.database.write() as connection:
        await connection.execute(update(deliveries).where(deliveries.c.lease_until.is_not(None)).values(attempts=8))
    assert await second.turn() == 1
    await second.idle()
    told = [("1", DELIVERED, 9), ("2", "PENDING", 0)]
    assert await bureau.states() == told
    late.set()
    await bureau.courier.idle()
    assert await bureau.states() == told, "what comes too late changes nothing"


async def test_a_courier_that_is_stopped_gives_back_what_it_holds(url: str, bureau: Bureau) -> None:
    await bureau.webhook()
    bureau.post.answers["https://a/"].append(asyncio.Event())
    await bureau.put("1")
    async with bureau.courier.running():
        while not bureau.post.sent:  # noqa: ASYNC110
            await asyncio.sleep(0)
    second = bureau.another()
    assert await second.turn() == 1
    await second.idle()
    assert await bureau.states() == [("1", DELIVERED, 1)]


async def test_several_processes_send_each_once_and_in_order(bureau: Bureau) -> None:
    await bureau.webhook("a")
    await bureau.webhook("b")
    couriers = [bureau.courier, *(bureau.another() for _ in range(3))]
    for n in range(30):
        await bureau.put(str(n), f"order:{n % 5}")
    for _ in range(60):
        await asyncio.gather(*(courier.turn() for courier in couriers))
        await asyncio.gather(*(courier.idle() for courier in couriers))
    for url in ("https://a/", "https://b/"):
        told = [int(n) for n in bureau.post.told(url)]
        assert sorted(told) == list(range(30))
        for subject in range(5):
            mine = [n for n in told if n % 5 == subject]
            assert mine == sorted(mine)


async def test_every_notice_arrives_whatever_the_network_does(bureau: Bureau) -> None:
    dice = random.Random(7)
    faults: list[Reply | SendFailed] = [Reply(500), Reply(429, 30.0), SendFailed("TIMEOUT"), Reply(204)]
    await bureau.webhook()
    bureau.post.answers["https://a/"].extend(dice.choice(faults) for _ in range(60))
    for n in range(25):
        await bureau.put(str(n), f"order:{n % 4}")
    for _ in range(400):
        await bureau.turns()
        bureau.clock.advance(minutes=10)
        states = {state for _, state, _ in await bureau.states()}
        if states == {DELIVERED}:
            break
    assert states == {DELIVERED}
    firsts = list(dict.fromkeys(int(n) for n in bureau.post.told()))
    for subject in range(4):
        mine = [n for n in firsts if n % 4 == subject]
        assert mine == sorted(mine)


async def test_a_webhook_whose_secret_is_missing_fails_like_one_that_does_not_answer(bureau: Bureau) -> None:
    def no_secret(_webhook: RowMapping) -> str:
        raise KeyError

    await bureau.webhook()
    await bureau.put("1")
    courier = Courier(bureau.database, bureau.post, no_secret, bureau.clock, jitter=lambda: 0.5)
    await courier.turn()
    await courier.idle()
    assert (bureau.post.sent, await bureau.states()) == ([], [("1", "PENDING", 1)])


async def test_what_was_delivered_long_ago_is_forgotten_and_dead_letters_are_not(bureau: Bureau) -> None:
    await bureau.webhook()
    for n in ("told", "dead"):
        await bureau.put(n, n)
    await bureau.turns()
    async with bureau.database.write() as connection:
        dead = select(outbox.c.id).where(outbox.c.subject == "dead")
        await connection.execute(update(deliveries).where(deliveries.c.notice_id.in_(dead)).values(state=DEAD))
    await bureau.courier.prune()
    assert len(await bureau.states()) == 2
    bureau.clock.advance(days=31)
    await bureau.put("new")
    await bureau.courier.prune()
    assert [n for n, _, _ in await bureau.states()] == ["dead"]
    async with bureau.database.read() as connection:
        left = [row.data["n"] for row in await connection.execute(select(outbox.c.data).order_by(outbox.c.seq))]
    assert left == ["dead", "new"]
