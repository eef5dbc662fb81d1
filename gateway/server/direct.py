"""A Starlette application whose hot paths skip its middleware and router.

Every layer of an ASGI shell costs each request some microseconds, twice when applications are mounted in one another.
What is asked thousands of times a second goes straight to its endpoint; all else takes Starlette's usual way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["DirectStarlette"]


class DirectStarlette(Starlette):
    def __init__(self, *, direct: Mapping[str, ASGIApp], **given: Any) -> None:
        """`direct`: path → what answers HTTP requests to exactly this path. Routes should hold it, too."""
        super().__init__(**given)
        self._direct = dict(direct)

    @property
    def direct(self) -> Mapping[str, ASGIApp]:
        return self._direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            endpoint = self._direct.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
