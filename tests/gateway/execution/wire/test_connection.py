"""What comes over a connection, and whether it is used again."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from gateway.execution.wire.connection import BESIDE_BODY_BYTES_MAX, Response
from gateway.execution.wire.errors import Broken, Malformed, TooLarge, WireError
from gateway.execution.wire.pool import KEPT_FREE_S, Pool
from tests.gateway.execution.wire.peer import BYTES_MAX, MESSAGE, OK, Asked, Peer, peer, pool_of, response

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def exchange(pool: Pool, there: Peer, content: bytes, *, bytewise: bool = False, ends: bool = False) -> Response:
    """Ask, and answer with this content; `ends`: then the server closes."""
    asking = asyncio.create_task(pool.ask(MESSAGE, None))
    asked = await there.next()
    for part in [bytes((byte,)) for byte in content] if bytewise else [content]:
        asked.say(part)
        await asyncio.sleep(0)
    if ends:
        asked.hang_up()
    return await asking


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("content", "body"),
    [
        (OK, b"ok"),
        (response(b""), b""),
        (OK.replace(b"\r\n", b"\n"), b"ok"),
        (CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok"),
        (CHUNKED + b"2;name=value\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n", b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\ncontent-encoding: gzip\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (response(gzip.compress(b"ok"), "Content-Encoding: gzip"), b"ok"),
    ],
)
async def test_a_response_however_it_is_framed_and_the_next_one(content: bytes, body: bytes, bytewise: bool) -> None:
    async with peer() as there, pool_of(there) as pool:
        assert await exchange(pool, there, content, bytewise=bytewise) == Response(200, body, None)
        assert await exchange(pool, there, response(b"next")) == Response(200, b"next", None)
        assert there.opened == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_status_that_has_no_body(status: str) -> None:
    async with peer() as there, pool_of(there) as pool:
        assert (await exchange(pool, there, f"HTTP/1.1 {status}\r\n\r\n".encode())).body == b""
        assert (await exchange(pool, there, OK)).body == b"ok"
        assert there.opened == 1


async def test_status_and_when_to_come_back_are_told() -> None:
    async with peer() as there, pool_of(there) as pool:
        content = response(b"no", "RETRY-After: 30", status="503 Later")
        assert await exchange(pool, there, content) == Response(503, b"no", "30")


@pytest.mark.parametrize(
    ("content", "body", "ends"),
    [
        (response(b"ok", "connection: close"), b"ok", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.1 200 OK\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nok", b"ok", True),
        (OK + b"more", b"ok", False),
        (OK + OK, b"ok", False),
        (OK + b"HTTP", b"ok", False),
    ],
)
async def test_a_connection_that_is_not_used_again(content: bytes, body: bytes, ends: bool) -> None:
    async with peer() as there, pool_of(there) as pool:
        assert (await exchange(pool, there, content, ends=ends)).body == body
        assert (await exchange(pool, there, response(b"next"))).body == b"next"
        assert there.opened == 2


async def test_trailers_do_not_colour_the_next_response() -> None:
    async with peer() as there, pool_of(there) as pool:
        first = CHUNKED + b"2\r\nok\r\n0\r\nretry-after: 9\r\n\r\n"
        assert (await exchange(pool, there, first)).body == b"ok"
        assert await exchange(pool, there, OK) == Response(200, b"ok", None)
        assert there.opened == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Broken),
        (b"HTTP/1.1 20", Broken),
        (b"HTTP/1.1 200 OK\r\ncontent-le", Broken),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", Broken),
        (CHUNKED + b"2\r\nok\r\n", Broken),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Broken),
        (response(b"ok", "content-encoding: gzip"), Broken),
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", Malformed),
        (b"HTTP/1.1 wrong\r\n\r\n", Malformed),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok", Malformed),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", Malformed),
        (CHUNKED + b"no size\r\n", Malformed),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", Malformed),
    ],
)
async def test_what_is_no_response(content: bytes, reason: type[WireError]) -> None:
    async with peer() as there, pool_of(there) as pool:
        with pytest.raises(reason):
            await exchange(pool, there, content, ends=True)


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 ", CHUNKED + b"2\r\nok\r\n0\r\nx: ", CHUNKED + b"2;x="],
)
async def test_what_comes_beside_the_body_ends(start: bytes) -> None:
    async with peer() as there, pool_of(there) as pool:
        with pytest.raises(Malformed):
            await exchange(pool, there, start + b"x" * BESIDE_BODY_BYTES_MAX * 9)


async def test_interim_responses_end() -> None:
    async with peer() as there, pool_of(there) as pool:
        with pytest.raises(Malformed):
            await exchange(pool, there, b"HTTP/1.1 102 Wait\r\n\r\n" * BESIDE_BODY_BYTES_MAX)


@pytest.mark.parametrize(
    "content",
    [
        response(b"x" * (BYTES_MAX + 1)),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (BYTES_MAX + 1),
        CHUNKED + b"%x\r\n%s\r\n" % (BYTES_MAX, b"x" * BYTES_MAX) + b"1\r\nx\r\n",
        response(gzip.compress(b"x" * (BYTES_MAX + 1)), "content-encoding: gzip"),
    ],
)
async def test_a_body_is_bounded(content: bytes) -> None:
    async with peer() as there, pool_of(there) as pool:
        with pytest.raises(TooLarge):
            await exchange(pool, there, content)


async def test_a_body_may_be_as_large_as_its_bound() -> None:
    async with peer() as there, pool_of(there) as pool:
        body = b"x" * BYTES_MAX
        assert (await exchange(pool, there, response(body))).body == body


async def begun(pool: Pool, there: Peer, timeout_s: float | None = None) -> tuple[asyncio.Task[Response], Asked]:
    """A request of whose response half has come."""
    asking = asyncio.create_task(pool.ask(MESSAGE, timeout_s))
    asked = await there.next()
    asked.say(OK[:-1])
    return asking, asked


async def test_who_leaves_in_the_middle_takes_the_connection_along() -> None:
    async with peer() as there, pool_of(there) as pool:
        asking, asked = await begun(pool, there)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asked.gone.wait()
        assert (await exchange(pool, there, OK)).body == b"ok"
        assert (there.opened, len(pool)) == (2, 1)


async def test_so_does_the_end_of_the_time() -> None:
    async with peer() as there, pool_of(there) as pool:
        asking, asked = await begun(pool, there, 0.02)
        with pytest.raises(TimeoutError):
            await asking
        await asked.gone.wait()


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    async with peer() as there, pool_of(there) as pool:
        asking, asked = await begun(pool, there)
        asked.say(OK[-1:])
        await asking
        now = asyncio.get_running_loop().time
        asked.say(response(b"for nobody"))
        said_at = now()
        await asked.gone.wait()
        assert now() - said_at < KEPT_FREE_S, "not only because it was free for too long"
        assert (await exchange(pool, there, OK)).body == b"ok"
        assert there.opened == 2


async def test_a_response_that_comes_before_the_whole_request_is_taken() -> None:
    """What is left of the request would stand before the next one."""
    deaf: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(b"too much", status="413 Too Large"))
        deaf.put_nowait(writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    there = Peer(server.sockets[0].getsockname()[1])
    body = b"x" * (32 << 20)
    async with pool_of(there) as pool:
        message = MESSAGE.replace(b"length: 2", b"length: %d" % len(body))[:-2] + body
        assert (await pool.ask(message, None)).status == 413
        assert (await pool.ask(MESSAGE, None)).status == 413
    assert deaf.qsize() == 2, "each on a connection of its own"
    while not deaf.empty():
        deaf.get_nowait().close()
    server.close()
