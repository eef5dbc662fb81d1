"""One connection: HTTP/1.1, one request at a time, and the bytes that come are its response.

A connection answers nobody, or it answers one `Exchange`, the future of a response. It leaves that state in one way
only, `_end`: with a response, or with a reason. After a response it goes back to its owner if it can be used again: the
server keeps it alive, nothing came after the response, and all of the request was taken. In every other case it is
closed, so no response is ever taken for that of a later request.

Each response has a parser of its own: a parser carries state (headers behind the last chunk, say) into the next one.
What a response says beside its body is bounded by how much of it comes at a stretch.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol, TypeAlias, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.execution.wire.errors import Broken, Malformed, TooLarge, WireError
from gateway.execution.wire.packing import unpacked

__all__ = ["Connection", "Exchange", "Owner", "Response"]

BESIDE_BODY_BYTES_MAX = 64 << 10
"""Of heads, interim responses, chunks' sizes and trailers, without a byte of a body between; and one read more."""
FINAL_STATUS_MIN = 200
"""Smaller ones are interim: the response is still to come."""


class Response(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None
    """The header of that name."""


Exchange: TypeAlias = "asyncio.Future[Response]"


class Owner(Protocol):
    """Who opened the connection and counts it."""

    def free(self, connection: Connection) -> None:
        """It has answered and can be asked again."""
        ...

    def lost(self, connection: Connection) -> None:
        """It is closed; told once."""
        ...


class Connection(asyncio.Protocol):
    __slots__ = (
        "_body",
        "_bytes_max",
        "_exchange",
        "_has_more",
        "_headers",
        "_is_complete",
        "_is_kept",
        "_lost",
        "_owner",
        "_parser",
        "_size",
        "_status",
        "_stretch",
        "_transport",
        "free_since",
        "is_new",
    )

    def __init__(self, owner: Owner, bytes_max: int) -> None:
        """`bytes_max`: of a body, unpacked."""
        self._owner = owner
        self._bytes_max = bytes_max
        self._exchange: Exchange | None = None
        self._lost: asyncio.Future[None] | None = None
        self.is_new = True
        """It has yet to be opened."""
        self.free_since = 0.0
        """By the loop's clock; kept by the owner."""

    @property
    def is_closing(self) -> bool:
        """Of one that has been opened."""
        return self._transport.is_closing()

    # The owner's side

    def send(self, message: bytes, exchange: Exchange) -> None:
        """Send a request; its response, or why there is none, becomes the result of `exchange`."""
        self._exchange = exchange
        self._parser = HttpResponseParser(self)
        # Servers are old; what is lenient here is so in other clients too.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._stretch = 0
        self._status = 0
        self._is_complete = False
        self._is_kept = False
        self._has_more = False
        self._transport.write(message)

    def give_up(self, exchange: Exchange) -> None:
        """Nobody waits for this response any longer. Nothing happens if it has come already."""
        if self._exchange is exchange:
            self._end(TimeoutError())

    def close(self) -> None:
        self._transport.abort()

    def closed(self) -> asyncio.Future[None]:
        """Close it, and wait for that: of one that is not lost yet."""
        self.close()
        if self._lost is None:
            self._lost = asyncio.get_running_loop().create_future()
        return self._lost

    def _end(self, outcome: Response | WireError | TimeoutError) -> None:
        exchange, self._exchange = self._exchange, None
        if isinstance(outcome, Response) and self._can_be_asked_again():
            self._owner.free(self)
        else:
            self.close()
        if exchange is None or exchange.done():
            return
        if isinstance(outcome, Response):
            exchange.set_result(outcome)
        else:
            exchange.set_exception(outcome)

    def _can_be_asked_again(self) -> bool:
        return self._is_kept and not self._has_more and not self._transport.get_write_buffer_size()

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_new = False

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.close()  # What nobody asked for is no answer to anybody.
            return
        size = self._size
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._is_complete:
                self._end(Malformed(f"{type(error).__name__}: {error}"))
                return
            self._has_more = True
        if self._size > self._bytes_max:
            self._end(TooLarge())
        elif self._is_complete:
            self._finish()
        elif self._size > size:
            self._stretch = 0
        else:
            self._stretch += len(data)
            if self._stretch > BESIDE_BODY_BYTES_MAX:
                self._end(Malformed("there is no end to its head"))

    def eof_received(self) -> None:
        if self._exchange is not None and self._ends_with_connection():
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        if self._exchange is not None:
            self._end(Broken("it was closed before the response ended" if error is None else str(error)))
        self._owner.lost(self)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    # The parser's side

    def on_message_begin(self) -> None:
        if self._is_complete:
            raise Malformed("more than one response")  # It ends the parser's work, and is not for the response.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= FINAL_STATUS_MIN:
            self._status = status
        else:
            self._headers.clear()

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        self._body.append(part)

    def on_message_complete(self) -> None:
        if self._status:
            self._is_complete = True
            self._is_kept = self._parser.should_keep_alive()

    def _ends_with_connection(self) -> bool:
        headers = self._headers
        is_chunked = headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
        return bool(self._status) and b"content-length" not in headers and not is_chunked

    def _finish(self) -> None:
        headers, body = self._headers, b"".join(self._body)
        self._body.clear()  # A connection that waits for its next request holds no body.
        encoding, retry_after = headers.get(b"content-encoding"), headers.get(b"retry-after")
        if encoding is not None:
            try:
                body = unpacked(encoding.decode("latin-1"), body, self._bytes_max)
            except WireError as error:
                self._end(error)
                return
        self._end(Response(self._status, body, None if retry_after is None else retry_after.decode("latin-1")))
