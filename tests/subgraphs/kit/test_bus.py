"""The event bus: every subscriber gets what it asked for, a slow one is treated as it chose, a gap is never silent."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from subgraphs.kit.bus import (
    BusInterrupted,
    BusUnavailable,
    EventBus,
    MemoryBus,
    Overflow,
    SubscriberTooSlow,
    Subscription,
    open_bus,
)
from subgraphs.kit.redis_bus import RedisBus
from tests.services import Server


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[EventBus]:
    if request.param == "memory":
        opened = open_bus(None)
    else:
        server: Server = request.getfixturevalue("redis_server")
        opened = open_bus(server.url, _prefix())
    async with opened:
        yield opened


def _prefix() -> str:
    return f"gwc-test-{uuid.uuid4().hex[:8]}"


async def _take(subscription: Subscription, count: int) -> list[object]:
    async with asyncio.timeout(5):
        return [(await anext(subscription))["n"] for _ in range(count)]


async def test_events_arrive_in_order_and_only_on_topics_asked_for(bus: EventBus) -> None:
    async with bus.subscribe(["readings", "alarms"], capacity=10, overflow=Overflow.FAIL) as subscription:
        for n, topic in enumerate(["readings", "other", "alarms", "readings"]):
            await bus.publish(topic, {"n": n})
        assert await _take(subscription, 3) == [0, 2, 3]


async def test_every_subscriber_gets_every_event(bus: EventBus) -> None:
    async with (
        bus.subscribe(["a"], capacity=5, overflow=Overflow.FAIL) as one,
        bus.subscribe(["a"], capacity=5, overflow=Overflow.DROP_OLDEST) as two,
    ):
        await bus.publish("a", {"n": 1, "名": "公物仓"})
        async with asyncio.timeout(5):
            assert await anext(one) == {"n": 1, "名": "公物仓"}
            assert await anext(two) == {"n": 1, "名": "公物仓"}


async def test_who_leaves_is_forgotten(bus: EventBus) -> None:
    async with bus.subscribe(["a", "b"], capacity=5, overflow=Overflow.FAIL) as subscription:
        assert bus.subscribers == 1
    assert bus.subscribers == 0
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


async def test_a_slow_subscriber_misses_the_oldest_and_others_miss_nothing(bus: EventBus) -> None:
    async with (
        bus.subscribe(["a"], capacity=3, overflow=Overflow.DROP_OLDEST) as slow,
        bus.subscribe(["a"], capacity=100, overflow=Overflow.FAIL) as quick,
    ):
        for n in range(10):
            await bus.publish("a", {"n": n})
        assert await _take(quick, 10) == list(range(10))
        assert await _take(slow, 3) == [7, 8, 9]
        assert slow.dropped == 7


async def test_a_subscriber_that_must_not_miss_anything_fails_when_too_slow(bus: EventBus) -> None:
    async with (
        bus.subscribe(["a"], capacity=3, overflow=Overflow.FAIL) as slow,
        bus.subscribe(["a"], capacity=100, overflow=Overflow.FAIL) as quick,
    ):
        for n in range(4):
            await bus.publish("a", {"n": n})
        await _take(quick, 4)
        assert await _take(slow, 3) == [0, 1, 2]
        with pytest.raises(SubscriberTooSlow):
            await anext(slow)


async def test_events_that_are_not_wanted_push_nothing_out(bus: EventBus) -> None:
    wanted = bus.subscribe(["a"], capacity=2, overflow=Overflow.FAIL, where=lambda event: event["n"] % 5 == 0)
    async with wanted as subscription:
        for n in range(10):
            await bus.publish("a", {"n": n})
        assert await _take(subscription, 2) == [0, 5]


async def test_a_subscription_ends_when_the_bus_closes() -> None:
    async with MemoryBus() as bus:
        manager = bus.subscribe(["a"], capacity=1, overflow=Overflow.FAIL)
        subscription = await manager.__aenter__()
        waiting = asyncio.ensure_future(anext(subscription, None))
    assert await waiting is None
    await manager.__aexit__(None, None, None)


async def test_two_processes_share_events_over_redis(redis_server: Server) -> None:
    prefix = _prefix()
    async with (
        RedisBus(redis_server.url, prefix) as here,
        RedisBus(redis_server.url, prefix) as there,
        there.subscribe(["a"], capacity=5, overflow=Overflow.FAIL) as subscription,
    ):
        await here.publish("a", {"n": 1})
        assert await _take(subscription, 1) == [1]


async def test_another_prefix_is_another_bus(redis_server: Server) -> None:
    async with (
        RedisBus(redis_server.url, _prefix()) as here,
        RedisBus(redis_server.url, _prefix()) as there,
        there.subscribe(["a"], capacity=5, overflow=Overflow.FAIL) as subscription,
    ):
        await here.publish("a", {"n": 1})
        await there.publish("a", {"n": 2})
        assert await _take(subscription, 1) == [2]


async def test_a_lost_connection_is_told_to_those_who_must_not_miss_anything(redis_server: Server) -> None:
    prefix = _prefix()
    async with (
        RedisBus(redis_server.url, prefix) as bus,
        bus.subscribe(["a"], capacity=5, overflow=Overflow.FAIL) as strict,
        bus.subscribe(["a"], capacity=5, overflow=Overflow.DROP_OLDEST) as lenient,
    ):
        await _cut(redis_server.url, prefix)
        with pytest.raises(BusInterrupted):
            async with asyncio.timeout(5):
                await anext(strict)
        # A new subscription waits until the bus has joined again; the lenient one simply goes on.
        async with bus.subscribe(["a"], capacity=5, overflow=Overflow.FAIL) as again:
            await bus.publish("a", {"n": 1})
            assert await _take(again, 1) == [1]
            assert await _take(lenient, 1) == [1]


async def _cut(url: str, prefix: str) -> None:
    admin = Redis.from_url(url)
    try:
        for client in await admin.client_list():
            if client["name"] == prefix:
                await admin.client_kill_filter(_id=client["id"])
    finally:
        await admin.aclose()


async def test_a_bus_that_cannot_be_reached_says_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"
        async with RedisBus(url, connect_timeout_s=0.2) as bus:
            with pytest.raises(BusUnavailable):
                await bus.publish("a", {})
            with pytest.raises(BusUnavailable):
                async with bus.subscribe(["a"], capacity=1, overflow=Overflow.FAIL):
                    pass


def test_an_unknown_url_is_refused() -> None:
    with pytest.raises(ValueError, match="redis://"):
        open_bus("amqp://somewhere")
