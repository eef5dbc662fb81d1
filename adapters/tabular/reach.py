"""Files on another machine: a folder at the end of a line that may be slow, or not answer at all.

A read that hangs cannot be broken off, only left alone. So each piece of work has a thread of its own, which keeps no
process from ending; where nothing moves for `timeout_s` the work is given up, and as long as its thread still hangs no
other is begun. Slow is no fault: as long as something moves it is waited for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from adapters.model import StoreUnavailable

__all__ = ["LINE_STALLED", "Reach"]

LINE_STALLED: Final = "LINE_STALLED"
T = TypeVar("T")


class Reach:
    def __init__(self, what: str, timeout_s: float) -> None:
        """`what`: how messages call it."""
        self._what, self._timeout_s = what, timeout_s
        self._moves = 0
        self._hanging: threading.Thread | None = None

    def moved(self) -> None:
        """Called by the work, in its thread: something came."""
        self._moves += 1

    async def ask(self, work: Callable[[], T]) -> T:
        """What the work returns or raises. Raises `StoreUnavailable` where nothing moves."""
        if self._hanging is not None and self._hanging.is_alive():
            raise StoreUnavailable(f"{self._what} still does not answer", LINE_STALLED)
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        outcome.add_done_callback(_looked_at)

        def settle(value: Any, error: BaseException | None) -> None:
            if outcome.done():
                return
            if error is None:
                outcome.set_result(value)
            else:
                outcome.set_exception(error)

        def run() -> None:
            value, error = None, None
            try:
                value = work()
            except BaseException as raised:
                error = raised
            if not loop.is_closed():  # else nobody is left who asked
                loop.call_soon_threadsafe(settle, value, error)

        thread = threading.Thread(target=run, name=f"reading {self._what}", daemon=True)
        thread.start()
        seen = self._moves
        while not (await asyncio.wait({outcome}, timeout=self._timeout_s))[0]:
            if self._moves == seen:
                self._hanging = thread
                raise StoreUnavailable(
                    f"{self._what} does not answer: nothing came for {self._timeout_s:g} s", LINE_STALLED
                )
            seen = self._moves
        return outcome.result()


def _looked_at(outcome: asyncio.Future[Any]) -> None:
    """What becomes of work that was given up is nobody's affair any more."""
    if not outcome.cancelled():
        outcome.exception()
