from __future__ import annotations

import asyncio

from subgraphs.kit.tasks import end_tasks


async def test_a_task_that_loses_a_cancellation_is_ended() -> None:
    at_work = asyncio.Event()
    lost = 0

    async def loses_the_first() -> None:
        nonlocal lost
        at_work.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.create_task(loses_the_first())
    await at_work.wait()
    await end_tasks(task)
    assert task.cancelled()
    assert lost == 1


async def test_what_a_task_raised_before_is_no_news() -> None:
    async def fails() -> None:
        raise OSError("gone")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    await end_tasks(task)


async def test_no_tasks_have_ended() -> None:
    await end_tasks()
