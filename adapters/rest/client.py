"""GET requests to a district's interface: bounded, patient, and silent about the token.

    answered ─▶ JSON
    429      ─▶ wait as long as it says, then again      ┐ all waits of one reading together
    5xx, cut off, timed out ─▶ wait twice as long each time ┘ at most `patience_s`
    anything else ─▶ told at once: to ask again would change nothing

A redirect is not followed, and a next link only where it leads to the same server: the token goes nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import aiohttp
from yarl import URL

from adapters.guest import Gate, tls_context, warn_of_old_tls
from adapters.mapping.model import Guest
from adapters.mapping.rest import RestPaging
from adapters.model import StoreUnavailable, StoreUnsupported

__all__ = ["ANSWER_UNREADABLE", "Patience", "RestClient"]

ANSWER_UNREADABLE = "ANSWER_UNREADABLE"
"""Answered, and not with what the mapping says: too long, no JSON, of another form."""
TOKEN_REFUSED = "TOKEN_REFUSED"
RATE_LIMITED = "RATE_LIMITED"
_OK, _TOO_MANY, _SERVER_FAULTS = 200, 429, range(500, 600)
_TOKEN_FAULTS = (401, 403)
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 30.0
_SLICE_S = 0.5
"""How long a wait goes on before it is asked whether it is still wanted."""
_CHUNK_BYTES = 1 << 16
Sleep = Callable[[float], Awaitable[None]]


def _wanted() -> None:
    """Somebody always waits for it."""


@dataclass(slots=True)
class Patience:
    """How much waiting is left for one reading, and how long the next wait is where nobody says."""

    left_s: float
    check_wanted: Callable[[], None] = _wanted
    """Asked again and again while waiting; raises where nobody waits for the reading any more."""
    backoff_s: float = _BACKOFF_FIRST_S

    def spend(self, asked_s: float | None) -> float | None:
        """The wait before the next try; None where there is no patience for it."""
        wait = self.backoff_s if asked_s is None else asked_s
        self.backoff_s = min(self.backoff_s * 2, _BACKOFF_MAX_S)
        if wait > self.left_s or self.left_s <= 0:
            return None
        self.left_s -= max(wait, _BACKOFF_FIRST_S)  # "again at once" is no way to ask for ever
        return wait

    def answered(self) -> None:
        self.backoff_s = _BACKOFF_FIRST_S


class _Again(Exception):
    """Worth another try, after so many seconds where the answer says how many."""

    def __init__(self, reason: str, code: str | None = None, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.code, self.after_s = code, after_s


class RestClient:
    """One interface. `sleep` is turned by hand in tests."""

    def __init__(self, url: str, paging: RestPaging, guest: Guest, sleep: Sleep = asyncio.sleep) -> None:
        self._base = URL(url)
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise StoreUnsupported("the url is no address of an interface: write http(s)://host/…")
        if guest.tls in ("require", "verify") and self._base.scheme != "https":
            raise StoreUnsupported(f"guest.tls is {guest.tls!r} and the url is not https")
        self._paging, self._guest, self._sleep = paging, guest, sleep
        self._gate = Gate(guest, sleep=sleep)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        headers = {"Accept": "application/json"}
        if self._paging.token_header is not None and self._paging.token is not None:
            headers[self._paging.token_header] = self._paging.token
        warn_of_old_tls(self._base.host or "", self._guest)
        context = tls_context(self._guest)
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=self._guest.connections_max, ssl=True if context is None else context),
            timeout=aiohttp.ClientTimeout(
                total=self._guest.statement_timeout_s, sock_connect=self._guest.connect_timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def patience(self, check_wanted: Callable[[], None] = _wanted) -> Patience:
        return Patience(self._paging.patience_s, check_wanted)

    def place(self, table: str) -> URL:
        """Where a table of the mapping is served."""
        return self.joined(self._base, table)

    def joined(self, place: URL, link: str) -> URL:
        """A link as the server writes it. Raises `StoreUnavailable` where it leads away from that server."""
        try:
            target = place.join(URL(link))
        except ValueError:
            target = URL()
        if not target.absolute or target.origin() != self._base.origin():
            raise StoreUnavailable("the interface links to another server: not followed", ANSWER_UNREADABLE)
        return target

    async def took(self, rows: int) -> None:
        await self._gate.took(rows)

    async def get(self, place: URL, parameters: dict[str, str], patience: Patience) -> Any:
        """The answer as JSON, numbers exact. Raises `StoreUnavailable`."""
        target = place.update_query(parameters) if parameters else place
        while True:
            self._gate.enter()
            patience.check_wanted()
            try:
                answer = await asyncio.to_thread(_parsed, await self._try(target))
            except _Again as again:
                wait = patience.spend(again.after_s)
                if wait is None:
                    raise StoreUnavailable(str(again), again.code) from None
                await self._wait(wait, patience)
                continue
            patience.answered()
            return answer

    async def _wait(self, seconds: float, patience: Patience) -> None:
        while seconds > 0:
            part = min(seconds, _SLICE_S)
            await self._sleep(part)
            patience.check_wanted()
            seconds -= part

    async def _try(self, target: URL) -> bytes:
        if self._session is None:
            raise StoreUnavailable("the interface is not open")
        try:
            async with self._session.get(target, allow_redirects=False) as answer:
                _check_status(answer)
                return await self._body(answer)
        except TimeoutError:
            raise _Again("the interface did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its text may hold the url, and a url may hold what it should not.
            raise _Again(f"the interface cannot be reached ({type(error).__name__})") from None

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        """At most `answer_bytes_max`, counted as unpacked."""
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._paging.answer_bytes_max:
                answer.close()
                most = self._paging.answer_bytes_max >> 20
                raise StoreUnavailable(
                    f"an answer has more than {most} MiB: ask for smaller pages (rest.page_size)", ANSWER_UNREADABLE
                )
        return bytes(body)


def _check_status(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status == _OK:
        return
    if status == _TOO_MANY:
        raise _Again(
            "the interface asks to be left alone (429)", RATE_LIMITED, _retry_after(answer.headers.get("Retry-After"))
        )
    if status in _SERVER_FAULTS:
        raise _Again(f"the interface answered {status}", None, _retry_after(answer.headers.get("Retry-After")))
    if status in _TOKEN_FAULTS:
        raise StoreUnavailable(f"the interface refused the token ({status}): see rest.token_env", TOKEN_REFUSED)
    raise StoreUnavailable(f"the interface answered {status}")


def _retry_after(text: str | None) -> float | None:
    """Seconds, from a number of them or a date; None where nothing sensible is said."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - time.time())


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _Again("an answer is no JSON, or only half of it", ANSWER_UNREADABLE) from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
