"""The race of a slow request and a second one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.execution.resilience.hedge import first_good

LONG_S = 3600.0


class Request:
    """Ends when the test says so, and knows what became of it."""

    def __init__(self) -> None:
        self.result: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.began = asyncio.Event()
        self.began_then: Callable[[], object] = lambda: None
        self.over = asyncio.Event()
        self.state = "not begun"

    async def run(self) -> str:
        self.state = "running"
        self.began.set()
        self.began_then()
        try:
            result = await self.result
        except asyncio.CancelledError:
            self.state = "cancelled"
            raise
        finally:
            self.over.set()
        self.state = "ended"
        return result


def is_good(result: str) -> bool:
    return result != "bad"


@pytest.fixture(autouse=True)
async def nothing_unheard() -> AsyncIterator[None]:
    """What fails in a callback reaches nobody but the loop."""
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    yield
    assert heard == []


@pytest.fixture
async def one() -> Request:
    return Request()


@pytest.fixture
async def two() -> Request:
    return Request()


async def test_a_first_one_in_time_stays_alone(one: Request, two: Request) -> None:
    before = asyncio.all_tasks()
    racing = asyncio.create_task(first_good(one.run(), two.run, LONG_S, is_good))
    await one.began.wait()
    assert len(asyncio.all_tasks() - before) == 1, "it runs in the task of who asked"
    one.result.set_result("one")
    assert await racing == "one"
    assert two.state == "not begun"


async def test_the_second_wins_and_the_first_is_cancelled(one: Request, two: Request) -> None:
    two.result.set_result("two")
    assert await first_good(one.run(), two.run, 0, is_good) == "two"
    assert (one.state, two.state) == ("cancelled", "ended")


async def test_the_first_wins_and_the_second_is_cancelled(one: Request, two: Request) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    one.result.set_result("one")
    assert await racing == "one"
    assert (one.state, two.state) == ("ended", "cancelled")


async def test_the_first_fails_while_the_second_runs(one: Request, two: Request) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    one.result.set_result("bad")
    await one.over.wait()
    two.result.set_result("two")
    assert await racing == "two"


async def test_the_second_fails_while_the_first_runs(one: Request, two: Request) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    two.result.set_result("bad")
    await two.over.wait()
    one.result.set_result("one")
    assert await racing == "one"


@pytest.mark.parametrize("results", [("bad", "good"), ("good", "bad")])
async def test_a_good_and_a_bad_one_at_one_moment(one: Request, two: Request, results: tuple[str, str]) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    one.result.set_result(results[0])
    two.result.set_result(results[1])
    assert await racing == "good"


async def test_without_a_good_one_a_bad_one_counts(one: Request, two: Request) -> None:
    one.result.set_result("bad")
    two.result.set_result("bad")
    assert await first_good(one.run(), two.run, 0, is_good) == "bad"


async def test_both_good_at_one_moment(one: Request, two: Request) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    two.result.set_result("two")
    one.result.set_result("one")
    assert await racing in ("one", "two")


async def test_the_second_may_decline(one: Request) -> None:
    declined = asyncio.Event()
    racing = asyncio.create_task(first_good(one.run(), lambda: declined.set(), 0, is_good))
    await declined.wait()
    one.result.set_result("bad")
    assert await racing == "bad"


async def test_who_is_cancelled_leaves_nothing_running(one: Request, two: Request) -> None:
    racing = asyncio.create_task(first_good(one.run(), two.run, 0, is_good))
    await two.began.wait()
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert (one.state, two.state) == ("cancelled", "cancelled")


async def test_an_outer_timeout_is_not_taken_for_a_win(one: Request, two: Request) -> None:
    async def in_time() -> str:
        async with asyncio.timeout(None) as outer:
            two.began_then = lambda: outer.reschedule(0)
            return await first_good(one.run(), two.run, 0, is_good)

    with pytest.raises(TimeoutError):
        await in_time()
    assert (one.state, two.state) == ("cancelled", "cancelled")
