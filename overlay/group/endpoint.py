"""The way to the districts: one GraphQL endpoint that stands for the whole group and routes by asset id.

`GroupEndpoint` is all the overlay needs of it. `HttpGroupEndpoint` speaks HTTP; in one process the same interface is
given by whoever wires the parts together. An endpoint never retries: only the caller knows what may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
import orjson

__all__ = ["GroupAnswer", "GroupEndpoint", "GroupUnreachable", "HttpGroupEndpoint", "OutcomeUnknown", "codes_of"]

GroupAnswer = Mapping[str, Any]
"""A GraphQL response body: `data`, `errors`."""

_CONNECTIONS_MAX = 64
_ANSWER_BYTES_MAX = 4 * 1024 * 1024


def codes_of(answer: GroupAnswer) -> list[str]:
    errors = answer.get("errors") or []
    return [str((error.get("extensions") or {}).get("code", "INTERNAL_SERVER_ERROR")) for error in errors]


class GroupUnreachable(ConnectionError):
    """The request surely never left: nothing can have happened."""


class OutcomeUnknown(ConnectionError):
    """The request may have been carried out, but its answer did not come."""


class GroupEndpoint(Protocol):
    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        idempotency_key: str | None = None,
    ) -> GroupAnswer:
        """Carry out one operation. `headers` bear the signed identity and the deadline; `idempotency_key` is also in
        the variables and given here for logs and for endpoints that keep their own record.

        Raises `GroupUnreachable` or `OutcomeUnknown`; any other exception counts as an unknown outcome too.
        """
        ...


class HttpGroupEndpoint:
    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        idempotency_key: str | None = None,
    ) -> GroupAnswer:
        body = orjson.dumps({"query": document, "variables": dict(variables)})
        sent = {
            **headers,
            "content-type": "application/json",
            "accept": "application/graphql-response+json, application/json",
        }
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._open().post(self._url, data=body, headers=sent, timeout=timeout) as response:
                raw = await response.content.read(_ANSWER_BYTES_MAX + 1)
        except aiohttp.ClientConnectorError as error:
            raise GroupUnreachable(str(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from None
        return _decode(raw, response.status)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS_MAX))
        return self._session


def _decode(raw: bytes, status: int) -> GroupAnswer:
    try:
        answer = orjson.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise OutcomeUnknown(f"the group endpoint answered {status} without a GraphQL response")
    return answer
