"""Last good answers on a real Redis: shared, bounded by age; and a Redis that is dead or slow costs nothing else."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.execution.stale import MemoryStale, StaleStore
from gateway.pipeline.answer import PipelineOptions
from gateway.supergraph.model import Wish
from gwc.parts.stale import stale_store
from gwc.settings import Settings
from gwc.stale_redis import RedisStale
from tests.gateway.support.gateway import Gateway, codes
from tests.gateway.support.library import ROWS, Library
from tests.gateway.support.serving import crash
from tests.services import Server, free_port

AGE_MAX_S = 60.0
LATENESS_S = 5.0
"""What a busy machine may add."""
PAGE = "{ books(first: 50) { nodes { id } totalIsExact } }"


@asynccontextmanager
async def opened(url: str, prefix: str, now: Callable[[], float] = time.time) -> AsyncIterator[RedisStale]:
    store = RedisStale(url, AGE_MAX_S, prefix, now)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def prefix() -> str:
    return f"gwc-test-{uuid.uuid4().hex[:8]}:"


async def test_a_gateway_gives_what_another_one_kept(redis_server: Server, prefix: str) -> None:
    async with opened(redis_server.url, prefix) as one, opened(redis_server.url, prefix) as two, Library() as library:
        first = Gateway(library, PipelineOptions(stale=one))
        second = Gateway(library, PipelineOptions(stale=two))
        assert (await first.ask(PAGE)).errors == ()
        await one.written()
        library.members["n"].fault = crash
        answered = await second.ask(PAGE, wish=Wish.STALE)
        assert [each["id"] for each in answered.data["books"]["nodes"]] == [row.id for row in ROWS]
        assert answered.data["books"]["totalIsExact"] is False
        assert codes(answered) == ["PARTITION_STALE"]


async def test_age_is_told_and_bounded(redis_server: Server, prefix: str) -> None:
    clock = [1000.0]
    async with opened(redis_server.url, prefix, lambda: clock[0]) as store:
        store.put("a", b"{}")
        await store.written()
        clock[0] += AGE_MAX_S
        found = await store.get("a")
        assert found is not None
        assert (found.body, found.at, found.age_s) == (b"{}", 1000.0, AGE_MAX_S)
        clock[0] += 1
        assert await store.get("a") is None
        async with Redis.from_url(redis_server.url) as redis:
            assert 0 < await redis.pttl(f"{prefix}a") <= AGE_MAX_S * 1000, "Redis forgets it by itself"


async def test_the_last_of_many_answers_is_kept(redis_server: Server, prefix: str) -> None:
    async with opened(redis_server.url, prefix) as store:
        for n in range(200):
            store.put(f"k{n % 100}", str(n).encode())
        await store.written()
        found = [await store.get(f"k{n}") for n in range(100)]
        assert [one.body for one in found if one is not None] == [str(n).encode() for n in range(100, 200)]


async def test_what_somebody_else_wrote_there_is_no_answer(redis_server: Server, prefix: str) -> None:
    async with Redis.from_url(redis_server.url) as redis:
        await redis.set(f"{prefix}short", b"x")
        await redis.lpush(f"{prefix}list", b"x")
    async with opened(redis_server.url, prefix) as store:
        assert await store.get("short") is None
        assert await store.get("list") is None


async def silent() -> asyncio.Server:
    """Accepts, and says nothing."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    return await asyncio.start_server(accept, "127.0.0.1", 0)


async def check_only_staleness_is_lost(url: str, prefix: str) -> None:
    async with opened(url, prefix) as store, Library() as library:
        city = Gateway(library, PipelineOptions(stale=store))
        assert (await city.ask(PAGE)).errors == ()
        library.members["n"].fault = crash
        started = time.monotonic()
        for _ in range(5):
            answered = await city.ask(PAGE, wish=Wish.STALE)
            assert codes(answered) == ["PARTITION_UNAVAILABLE"]
            assert len(answered.data["books"]["nodes"]) == 5
        assert time.monotonic() - started < LATENESS_S
        await store.written()
        assert store.is_paused, "it is left alone for a while"


async def test_a_redis_that_is_not_there_costs_nothing_but_stale_answers(prefix: str) -> None:
    await check_only_staleness_is_lost(f"redis://127.0.0.1:{free_port()}/0", prefix)


async def test_a_redis_that_hangs_costs_nothing_but_stale_answers(prefix: str) -> None:
    server = await silent()
    host: socket.socket = server.sockets[0]
    await check_only_staleness_is_lost(f"redis://127.0.0.1:{host.getsockname()[1]}/0", prefix)
    server.close()


def kind_of(tmp_path: Path, **given: object) -> type[StaleStore] | None:
    settings = Settings(data_dir=tmp_path, **given)  # type: ignore[arg-type]
    made = stale_store(settings)
    return None if made is None else type(made)


def test_settings_say_where_answers_are_kept(tmp_path: Path) -> None:
    assert kind_of(tmp_path) is None
    assert kind_of(tmp_path, redis_url="redis://127.0.0.1/0") is None
    assert kind_of(tmp_path, stale=True) is MemoryStale
    assert kind_of(tmp_path, stale=True, redis_url="redis://127.0.0.1/0") is RedisStale
