"""Fan-out: one upstream for all who ask the same, bounded queues, nothing left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.subscriptions.hub import Delivered, Hub, HubFull


class Upstream:
    def __init__(self) -> None:
        self.items: asyncio.Queue[int | None] = asyncio.Queue()
        self.opened = 0
        self.closed = asyncio.Event()

    async def __call__(self) -> AsyncGenerator[int, None]:
        self.opened += 1
        try:
            while (item := await self.items.get()) is not None:
                yield item
        finally:
            self.closed.set()


async def test_listeners_of_one_key_share_an_upstream_and_the_last_one_closes_it() -> None:
    upstream = Upstream()
    hub: Hub[int] = Hub(queue_max=4, listeners_max=9)
    one, two = hub.listen("k", upstream), hub.listen("k", upstream)
    upstream.items.put_nowait(7)
    assert await anext(one) == await anext(two) == Delivered(7, 0)
    assert (upstream.opened, hub.upstreams, hub.listeners) == (1, 1, 2)
    one.close()
    assert not upstream.closed.is_set()
    two.close()
    await upstream.closed.wait()
    assert (hub.upstreams, hub.listeners) == (0, 0)
    three = hub.listen("k", upstream)
    upstream.items.put_nowait(8)
    assert await anext(three) == Delivered(8, 0)
    assert upstream.opened == 2
    await hub.close()


async def test_a_slow_listener_loses_the_oldest_and_is_told_how_many() -> None:
    upstream = Upstream()
    hub: Hub[int] = Hub(queue_max=3, listeners_max=9)
    slow, quick = hub.listen("k", upstream), hub.listen("k", upstream)
    for item in range(10):
        upstream.items.put_nowait(item)
        assert await anext(quick) == Delivered(item, 0)
    assert [await anext(slow) for _ in range(3)] == [Delivered(7, 7), Delivered(8, 0), Delivered(9, 0)]
    await hub.close()


async def test_the_end_and_a_fault_reach_everybody_after_what_came_before() -> None:
    upstream = Upstream()
    hub: Hub[int] = Hub(queue_max=3, listeners_max=9)
    listener = hub.listen("k", upstream)
    upstream.items.put_nowait(1)
    upstream.items.put_nowait(None)
    assert [one.item async for one in listener] == [1]

    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("broken")

    listener = hub.listen("b", broken)
    assert (await anext(listener)).item == 1
    with pytest.raises(RuntimeError):
        await anext(listener)
    assert (hub.upstreams, hub.listeners) == (0, 0)


async def test_no_more_listeners_than_the_bound() -> None:
    hub: Hub[int] = Hub(queue_max=3, listeners_max=1)
    hub.listen("k", Upstream())
    with pytest.raises(HubFull):
        hub.listen("k", Upstream())
    await hub.close()
