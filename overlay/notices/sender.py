"""Sending one notice by HTTP, to where it may go.

An endpoint's address is chosen by a person, so it could be one that only this server reaches (SSRF). Addresses that are
not public are refused unless the city's settings allow their network, and they are judged when the connection is made:
a name that resolves to something else by then is refused as well. Redirects are not followed. What the endpoint answers
is not read beyond its status.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

__all__ = ["AddressGuard", "HttpSender", "Reply", "SendFailed", "Sender", "url_fault"]

SEND_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
URL_LENGTH_MAX = 1000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    retry_after_s: float | None = None


class SendFailed(Exception):
    """No answer came: `TIMEOUT`, `UNREACHABLE` or `ADDRESS_REFUSED`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sender(Protocol):
    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises `SendFailed`."""
        ...

    async def close(self) -> None: ...


class AddressGuard:
    def __init__(self, allowed: Sequence[str] = ()) -> None:
        """`allowed`: networks beside the public ones, such as `10.0.0.0/8`. Raises `ValueError`."""
        self._allowed: list[_Network] = [ipaddress.ip_network(one) for one in allowed]

    def permits(self, address: str) -> bool:
        found = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        if any(found.version == network.version and found in network for network in self._allowed):
            return True
        return found.is_global and not found.is_multicast


def url_fault(url: str, guard: AddressGuard) -> str | None:
    """Why nothing is sent to this URL, or None. Names are judged again when they are resolved."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "URL_INVALID"
    if not host or len(url) > URL_LENGTH_MAX or parts.username is not None or parts.fragment or not url.isprintable():
        return "URL_INVALID"
    literal = _literal(host)
    if literal is None and host.replace(".", "").isdigit():
        return "URL_INVALID"  # `127.1` and `2130706433`: connected to as addresses, without being resolved as names
    loopback = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        return "URL_INSECURE"
    return "ADDRESS_REFUSED" if literal is not None and not guard.permits(host) else None


class HttpSender:
    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        fault = url_fault(url, self._guard)
        if fault is not None:
            raise SendFailed(fault)
        try:
            async with self._opened().post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return Reply(answer.status, _retry_after_s(answer.headers.get("retry-after")))
        except TimeoutError:
            raise SendFailed("TIMEOUT") from None
        except aiohttp.ClientConnectorDNSError as error:
            reason = "ADDRESS_REFUSED" if isinstance(error.os_error, _AddressRefused) else "UNREACHABLE"
            raise SendFailed(reason) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise SendFailed("UNREACHABLE") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_GuardedResolver(self._guard), limit=0),
                timeout=aiohttp.ClientTimeout(total=SEND_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _AddressRefused(OSError):
    """The name stands for no address that may be reached."""


class _GuardedResolver(AbstractResolver):
    def __init__(self, guard: AddressGuard) -> None:
        self._guard, self._names = guard, ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        permitted = [one for one in found if self._guard.permits(one["host"])]
        if not permitted:
            raise _AddressRefused(f"{host} is at no address that may be reached")
        return permitted

    async def close(self) -> None:
        await self._names.close()


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _retry_after_s(header: str | None) -> float | None:
    """Seconds or a date (RFC 9110); None where it is neither."""
    if header is None:
        return None
    if header.isascii() and header.isdigit() and len(header) <= 9:
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
