"""Requests as bytes. What is the same in all requests to one URL is written once; a request adds its own headers.

A header's value may come from a client (its language, say). So the lines of a request are counted: a value that brings
a line of its own is refused, whichever value it is.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

__all__ = ["Origin", "Post"]

_PORTS = {"http": 80, "https": 443}
_KEPT_IN_PATH = "/%:@!$&'()*+,;=~"
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?"


class Origin(NamedTuple):
    """Whom connections go to."""

    host: str
    """A name or an address; an IPv6 address without brackets."""
    port: int
    is_secure: bool


class Post:
    """Requests that post JSON to one URL."""

    __slots__ = ("_head", "origin")

    def __init__(self, url: str) -> None:
        """Raises `ValueError` when there is no asking at this URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
            host = (parts.hostname or "").encode("ascii" if ":" in (parts.hostname or "") else "idna").decode("ascii")
        except ValueError:
            raise ValueError("its URL cannot be read") from None  # The reason may quote a password.
        usual_port = _PORTS.get(parts.scheme)
        if usual_port is None or not host:
            raise ValueError("its URL names no server to reach by http: or https:")
        self.origin = Origin(host, usual_port if port is None else port, parts.scheme == "https")
        query = f"?{quote(parts.query, safe=_KEPT_IN_QUERY)}" if parts.query else ""
        named = f"[{host}]" if ":" in host else host
        lines = [
            f"POST {quote(parts.path, safe=_KEPT_IN_PATH) or '/'}{query} HTTP/1.1",
            f"host: {named}" if self.origin.port == usual_port else f"host: {named}:{self.origin.port}",
            "content-type: application/json",
            "accept: application/json",
        ]
        if parts.username is not None or parts.password is not None:
            credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            lines.append(f"authorization: Basic {b64encode(credentials.encode()).decode()}")
        self._head = "".join(f"{line}\r\n" for line in lines)

    def message(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """A whole request. Raises `ValueError` when a header cannot be sent."""
        own = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if not own.count("\n") == own.count("\r") == len(headers) or "\0" in own:
            raise ValueError("a header has a line break or a NUL in it")
        return f"{self._head}{own}content-length: {len(body)}\r\n\r\n".encode() + body
