"""graphql-transport-ws over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from contract.identity import IDENTITY_HEADER, Identity, TokenIssuer, TokenVerifier, generate_key_pair
from subgraphs.kit.app import SubgraphOptions
from subgraphs.kit.websocket import SocketLimits
from tests.subgraphs.kit.library import make_app, serving

PRIVATE, PUBLIC = generate_key_pair()
Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture(scope="module")
def limits() -> SocketLimits:
    return SocketLimits(operations_max=3, init_timeout_s=0.2, message_length_max=5_000)


@pytest.fixture
async def raw(limits: SocketLimits) -> AsyncIterator[Socket]:
    app = make_app(SubgraphOptions(socket=limits), verifier=TokenVerifier(PUBLIC))
    async with (
        serving(app) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/graphql", protocols=["graphql-transport-ws"]) as socket,
    ):
        yield socket


@pytest.fixture
async def socket(raw: Socket) -> Socket:
    await raw.send_json({"type": "connection_init"})
    assert await raw.receive_json() == {"type": "connection_ack"}
    return raw


async def subscribe(socket: Socket, id_: str, query: str, **payload: Any) -> None:
    await socket.send_json({"type": "subscribe", "id": id_, "payload": {"query": query, **payload}})


async def closed_with(socket: Socket) -> int | None:
    while not socket.closed:
        message = await socket.receive(5)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            break
    return socket.close_code


async def test_events_come_in_order_and_then_the_end(socket: Socket) -> None:
    await subscribe(socket, "1", "subscription ($n: Int!) { count(to: $n) }", variables={"n": 3})
    for number in range(3):
        assert await socket.receive_json() == {"type": "next", "id": "1", "payload": {"data": {"count": number}}}
    assert await socket.receive_json() == {"type": "complete", "id": "1"}


async def test_a_query_is_answered_once(socket: Socket) -> None:
    await subscribe(socket, "q", "{ whoami }")
    assert (await socket.receive_json())["payload"] == {"data": {"whoami": "None zh"}}
    assert await socket.receive_json() == {"type": "complete", "id": "q"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { dragons }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { whoami } query B { whoami }", "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_bad_operation_ends_itself_only(socket: Socket, query: str, code: str) -> None:
    await subscribe(socket, "bad", query)
    answer = await socket.receive_json()
    assert (answer["type"], answer["id"], answer["payload"][0]["extensions"]["code"]) == ("error", "bad", code)
    await subscribe(socket, "bad", "{ whoami }")
    assert (await socket.receive_json())["type"] == "next"


async def test_a_stream_that_breaks_ends_itself_only(socket: Socket) -> None:
    await subscribe(socket, "1", "subscription { breaks }")
    assert (await socket.receive_json())["type"] == "next"
    answer = await socket.receive_json()
    assert answer["type"] == "error" and answer["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in str(answer)
    await socket.send_json({"type": "ping"})
    assert await socket.receive_json() == {"type": "pong"}


async def test_an_operation_can_be_ended_and_its_id_used_again(socket: Socket) -> None:
    await subscribe(socket, "1", "{ never }")
    await socket.send_json({"type": "complete", "id": "1"})
    await subscribe(socket, "1", "{ whoami }")
    assert (await socket.receive_json())["payload"] == {"data": {"whoami": "None zh"}}


async def test_operations_are_bounded(socket: Socket) -> None:
    for id_ in "abcd":
        await subscribe(socket, id_, "{ never }")
    answer = await socket.receive_json()
    assert (answer["type"], answer["id"], answer["payload"][0]["extensions"]["code"]) == (
        "error",
        "d",
        "TOO_MANY_OPERATIONS",
    )


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        '{"type": "dragon"}',
        '{"type": 1}',
        '{"type": "subscribe", "payload": {"query": "{ whoami }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ whoami }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": "{ whoami }"}',
        '{"type": "ping", "payload": 7}',
        '{"type": "complete"}',
        '{"type": "ping", "payload": {"x": "' + "x" * 5000 + '"}}',
    ],
)
async def test_malformed_messages_close_with_4400(socket: Socket, message: str) -> None:
    await socket.send_str(message)
    assert await closed_with(socket) == 4400


async def test_an_operation_before_the_acknowledgement_closes_with_4401(raw: Socket) -> None:
    await subscribe(raw, "1", "{ whoami }")
    assert await closed_with(raw) == 4401


async def test_silence_closes_with_4408(raw: Socket) -> None:
    assert await closed_with(raw) == 4408


async def test_an_id_in_use_closes_with_4409(socket: Socket) -> None:
    await subscribe(socket, "1", "{ never }")
    await subscribe(socket, "1", "{ never }")
    assert await closed_with(socket) == 4409


async def test_a_second_initialisation_closes_with_4429(socket: Socket) -> None:
    await socket.send_json({"type": "connection_init"})
    assert await closed_with(socket) == 4429


async def test_identity_comes_with_the_initialisation(raw: Socket) -> None:
    token = TokenIssuer(PRIVATE).issue(Identity(person="王五"))
    await raw.send_json({"type": "connection_init", "payload": {IDENTITY_HEADER: token, "Accept-Language": "en"}})
    assert await raw.receive_json() == {"type": "connection_ack"}
    await subscribe(raw, "1", "{ whoami }")
    assert (await raw.receive_json())["payload"] == {"data": {"whoami": "王五 en"}}


async def test_a_bad_identity_closes_with_4403(raw: Socket) -> None:
    await raw.send_json({"type": "connection_init", "payload": {IDENTITY_HEADER: "x"}})
    assert await closed_with(raw) == 4403


async def test_another_subprotocol_closes_with_4406() -> None:
    async with (
        serving(make_app()) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/graphql", protocols=["graphql-ws"]) as socket,
    ):
        assert await closed_with(socket) == 4406
