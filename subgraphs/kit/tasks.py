"""Ending tasks that run beside the requests."""

from __future__ import annotations

import asyncio

__all__ = ["end_tasks"]

AGAIN_AFTER_S = 1.0


async def end_tasks(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until all have ended; what they raised is theirs.

    A cancellation can get lost: before Python 3.12 `asyncio.wait_for`, which client libraries use, returns a result
    that arrives at the same moment in place of raising it. So it is said again to who goes on after a while.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_AFTER_S)
    await asyncio.gather(*tasks, return_exceptions=True)
