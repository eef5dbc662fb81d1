"""Pages of a connection out of a GraphQL endpoint. All or nothing: any error ends the reading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import aiohttp

from gwc.errors import CommandError

__all__ = ["Endpoint", "connect"]

Json: TypeAlias = "dict[str, Any]"
PAGE_SIZE = 200
TIMEOUT_S = 60


class Endpoint:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def ask(self, query: str, variables: Json) -> Json:
        """The data of an answer without errors. Raises `CommandError`."""
        try:
            async with self._session.post(self._url, json={"query": query, "variables": variables}) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise CommandError(
                f"{self._url} does not answer: {error or type(error).__name__}.", "Is it running?"
            ) from None
        errors = body.get("errors") if isinstance(body, dict) else [{"message": "this is no GraphQL answer"}]
        if errors:
            raise _refused(self._url, errors[0])
        data: Json = body["data"]
        return data

    async def pages(self, query: str, variables: Json, *path: str) -> AsyncIterator[Json]:
        """Each page of the connection at `path`; the query takes `$first` and `$after`."""
        after: str | None = None
        while True:
            found: Any = await self.ask(query, {**variables, "first": PAGE_SIZE, "after": after})
            for name in path:
                found = found[name]
            yield found
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]


@asynccontextmanager
async def connect(url: str, token: str | None, inside: bool) -> AsyncIterator[Endpoint]:
    """`inside`: a district's subgraph asked without the gateway."""
    headers = {"gwc-partial": "none"}
    if token is not None:
        headers |= {"gwc-identity": token} if inside else {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(TIMEOUT_S)) as session:
        yield Endpoint(session, url)


def _refused(url: str, error: Json) -> CommandError:
    code = (error.get("extensions") or {}).get("code")
    message = f"{url} refuses: {error.get('message')}" + (f" ({code})" if code else "")
    if code in ("FORBIDDEN", "UNAUTHENTICATED"):
        return CommandError(
            message, "Set GWC_TOKEN to an officer's token; `gwc token --help` makes one for trying out."
        )
    return CommandError(message, "Nothing was written: a part of it would pass for the whole.")
