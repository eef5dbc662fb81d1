"""What a subgraph sends over HTTP, and what is made of it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.execution.answers import Answer, Failure, Outcome
from gateway.execution.clients import ANSWER_BYTES_MAX, HttpClient, HttpPool
from gateway.execution.limits import Deadline
from gateway.language.errors import Code

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
