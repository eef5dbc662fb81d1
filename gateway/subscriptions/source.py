"""The events of one subscription: the upstream's stream, each event completed by the rest of the plan, in order.

Completing an event may ask other subgraphs. A few events are completed at once, so that one round trip does not
bound the rate; they leave in the order in which they came. When more wait than that, the upstream is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeAlias

from gateway.execution.answers import Failure
from gateway.execution.compiled import CompiledPlan
from gateway.execution.executor import Executor
from gateway.execution.run import Request, Result
from gateway.plan.nodes import Subscription

__all__ = ["EVENTS_AT_ONCE_MAX", "events"]

EVENTS_AT_ONCE_MAX = 8
_Waiting: TypeAlias = "asyncio.Queue[asyncio.Task[Result] | None]"


async def events(
    executor: Executor, compiled: CompiledPlan, request: Callable[[], Request]
) -> AsyncGenerator[Result, None]:
    """`request` gives each event a request of its own (a deadline of its own). Ends when the upstream ends."""
    root = compiled.plan.root
    if not isinstance(root, Subscription):
        raise TypeError("planning gives a subscription operation a Subscription node")
    waiting: _Waiting = asyncio.Queue(EVENTS_AT_ONCE_MAX)
    reader = asyncio.create_task(_read(executor, compiled, root, request, waiting))
    try:
        while (task := await waiting.get()) is not None:
            yield await task
        await reader  # Raises what broke it.
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        while not waiting.empty():
            left = waiting.get_nowait()
            if left is not None:
                left.cancel()
                await asyncio.gather(left, return_exceptions=True)


async def _read(
    executor: Executor, compiled: CompiledPlan, root: Subscription, request: Callable[[], Request], waiting: _Waiting
) -> None:
    try:
        async with aclosing(executor.open_stream(root.primary, request())) as stream:
            async for outcome in stream:
                completing = asyncio.create_task(executor.complete_event(compiled, request(), root, outcome))
                try:
                    await waiting.put(completing)
                except asyncio.CancelledError:
                    completing.cancel()
                    raise
                if isinstance(outcome, Failure):
                    break
    except Exception:
        await waiting.put(None)
        raise
    await waiting.put(None)
