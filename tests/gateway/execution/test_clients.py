"""What a subgraph sends over HTTP, and what is made of it."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.execution.answers import Answer, Failure, Outcome
from gateway.execution.clients import ANSWER_BYTES_MAX, HttpClient, HttpPool
from gateway.execution.limits import Deadline
from gateway.language.errors import Code
from tests.gateway.execution.wire.certificates import server_and_client
from tests.gateway.execution.wire.peer import Asked, Peer, peer, response

JSON = "content-type: application/json"
GOOD = b'{"data":{"a":1}}'


@asynccontextmanager
async def sending(response: bytes) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    finally:
        server.close()


async def asked(status: str, headers: list[str], body: bytes) -> Outcome:
    heads = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return await made_of("\r\n".join(heads).encode() + body)


async def made_of(response: bytes) -> Outcome:
    pool = HttpPool()
    try:
        async with sending(response) as url:
            return await HttpClient(url, pool).execute("{ a }", None, {}, Deadline.after(60))
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("200 OK", [JSON], GOOD),
        ("200 OK", ["content-type: text/html"], GOOD),
        ("200 OK", [], b"\n" + GOOD),
        ("200 OK", [JSON, "content-encoding: gzip"], gzip.compress(GOOD)),
        ("200 OK", [JSON, "content-encoding: deflate"], zlib.compress(GOOD)),
    ],
)
async def test_an_answer_is_read_by_what_it_says(status: str, headers: list[str], body: bytes) -> None:
    assert await asked(status, headers, body) == Answer({"a": 1})


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        ("500 Oh", [JSON], GOOD, Code.SUBGRAPH_UNAVAILABLE),
        ("302 Found", ["location: /elsewhere"], b"", Code.SUBGRAPH_BAD_RESPONSE),
        ("302 Found", ["location: /elsewhere", JSON], GOOD, Code.SUBGRAPH_BAD_RESPONSE),
        ("404 No", [JSON], GOOD, Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", ["content-type: text/html"], b"<html>", Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON], b"", Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON], GOOD[:-3], Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON], b'{"data":{"a":NaN}}', Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON], b'{"data":null}', Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON], b'{"data":{"a":1},"errors":"all well"}', Code.SUBGRAPH_BAD_RESPONSE),
        ("200 OK", [JSON, "content-encoding: gzip"], GOOD, Code.SUBGRAPH_UNAVAILABLE),
    ],
)
async def test_what_is_no_answer(status: str, headers: list[str], body: bytes, code: Code) -> None:
    outcome = await asked(status, headers, body)
    assert isinstance(outcome, Failure)
    assert outcome.code == code


async def test_a_compressed_answer_is_bounded_by_what_it_unpacks_to() -> None:
    outcome = await asked("200 OK", [JSON, "content-encoding: gzip"], gzip.compress(b" " * ANSWER_BYTES_MAX + GOOD))
    assert isinstance(outcome, Failure)
    assert "larger than" in outcome.message


CHUNKED = b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize("framing", [b"content-length: 4\r\n\r\nlate", CHUNKED])
@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"503 Service Unavailable"])
async def test_when_to_come_back_is_read(status: bytes, framing: bytes) -> None:
    failure = await made_of(b"HTTP/1.1 " + status + b"\r\nretry-after: 30\r\n" + framing)
    assert isinstance(failure, Failure)
    assert (failure.may_pass, failure.retry_after_s) == (True, 30)


@pytest.mark.parametrize(
    ("sent", "may_pass"),
    [
        (b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"data"', True),
        (b"", True),
        (b"\x00\x01 this is no HTTP \r\n\r\n", False),
    ],
)
async def test_a_connection_that_breaks_may_hold_next_time(sent: bytes, may_pass: bool) -> None:
    failure = await made_of(sent)
    assert isinstance(failure, Failure)
    assert (failure.code, failure.may_pass, failure.was_sent) == (Code.SUBGRAPH_UNAVAILABLE, may_pass, True)


# What is sent, and what is known of it when there is no answer.


@asynccontextmanager
async def client_of(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpClient]:
    pool = HttpPool(tls=tls)
    try:
        yield HttpClient(url, pool)
    finally:
        await pool.close()


def change(client: HttpClient, headers: dict[str, str] | None = None, deadline_s: float = 60) -> asyncio.Task[Outcome]:
    return asyncio.create_task(client.execute("mutation { a }", {"b": 1}, headers or {}, Deadline.after(deadline_s)))


async def answered(there: Peer) -> Asked:
    asked = await there.next()
    asked.say(response(GOOD))
    return asked


async def test_a_request_as_it_arrives() -> None:
    async with peer() as there, client_of(f"http://me:secret@127.0.0.1:{there.port}/graphql?a=1") as client:
        asking = change(client, {"gwc-identity": "x", "accept-language": "中"})
        asked = await answered(there)
        assert await asking == Answer({"a": 1})
        assert asked.body == b'{"query":"mutation { a }","variables":{"b":1}}'
        line, *headers = asked.head.rstrip("\r\n").split("\r\n")
        assert line == "POST /graphql?a=1 HTTP/1.1"
        assert sorted(headers) == [
            "accept-language: 中",
            "accept: application/json",
            "authorization: Basic bWU6c2VjcmV0",
            "content-length: 46",
            "content-type: application/json",
            "gwc-identity: x",
            f"host: 127.0.0.1:{there.port}",
        ]


@pytest.mark.parametrize("value", ["zh\r\ngwc-identity: admin", "zh\n", "\0", "\ud800"])
async def test_a_header_that_cannot_be_sent_is_not_sent(value: str) -> None:
    async with peer() as there, client_of(f"http://127.0.0.1:{there.port}/") as client:
        failure = await change(client, {"accept-language": value})
        assert isinstance(failure, Failure)
        assert (failure.code, failure.was_sent, failure.may_pass) == (Code.SUBGRAPH_UNAVAILABLE, False, False)
        assert there.opened == 0


@pytest.mark.parametrize("url", ["", "http://", "ftp://127.0.0.1/", "http://me:secret/word@127.0.0.1/"])
async def test_a_url_that_cannot_be_asked_is_a_failure(url: str) -> None:
    async with client_of(url) as client:
        failure = await change(client)
        assert isinstance(failure, Failure)
        assert (failure.code, failure.was_sent, failure.may_pass) == (Code.SUBGRAPH_UNAVAILABLE, False, False)
        assert "secret" not in failure.message + failure.detail


async def test_a_change_is_sent_once_though_its_kept_connection_breaks() -> None:
    async with peer() as there, client_of(f"http://127.0.0.1:{there.port}/") as client:
        first = change(client)
        kept = await answered(there)
        assert isinstance(await first, Answer)
        second = change(client)
        asked = await there.next()
        assert asked.connection == kept.connection
        asked.hang_up()
        failure = await second
        assert isinstance(failure, Failure)
        assert (failure.was_sent, failure.may_pass) == (True, True)
        assert there.asked.empty()
        assert there.opened == 1


async def test_a_change_that_was_not_sent_in_time_is_known_not_to_be() -> None:
    async with peer() as there, client_of(f"http://127.0.0.1:{there.port}/") as client:
        failure = await change(client, deadline_s=-1)
        assert isinstance(failure, Failure)
        assert (failure.code, failure.was_sent) == (Code.SUBGRAPH_TIMEOUT, False)
        failure = await change(client, deadline_s=0.05)
        assert isinstance(failure, Failure)
        assert (failure.code, failure.was_sent) == (Code.SUBGRAPH_TIMEOUT, True)
        await (await there.next()).gone.wait()


# Over TLS


async def test_a_server_shows_who_it_is(tmp_path: Path) -> None:
    shown, trusted = server_and_client("localhost", tmp_path)
    named: list[str] = []
    shown.sni_callback = lambda _, name, __: named.append(name)
    async with peer(shown) as there, client_of(f"https://localhost:{there.port}/", trusted) as client:
        for _ in range(2):
            asking = change(client)
            asked = await answered(there)
            assert await asking == Answer({"a": 1})
        assert (there.opened, named) == (1, ["localhost"])
        asking = change(client)
        (await there.next()).hang_up()
        failure = await asking
        assert isinstance(failure, Failure)
        assert failure.was_sent
        assert asked.head.startswith("POST / HTTP/1.1\r\n")


@pytest.mark.parametrize(("host", "is_trusted"), [("127.0.0.1", True), ("localhost", False)])
async def test_a_server_that_is_another_or_not_trusted_gets_nothing(
    tmp_path: Path, host: str, is_trusted: bool
) -> None:
    shown, trusted = server_and_client("localhost", tmp_path)
    async with (
        peer(shown) as there,
        client_of(f"https://{host}:{there.port}/", trusted if is_trusted else None) as client,
    ):
        failure = await change(client)
        assert isinstance(failure, Failure)
        assert (failure.code, failure.was_sent) == (Code.SUBGRAPH_UNAVAILABLE, False)
        assert there.asked.empty()


def test_who_has_no_subscriptions_does_not_carry_aiohttp() -> None:
    script = "import sys, gateway.server.app; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
