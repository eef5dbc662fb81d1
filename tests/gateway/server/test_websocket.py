"""graphql-transport-ws: the protocol's close codes, operations side by side, identity, clean-up."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from contract.identity import INTERNAL, TokenVerifier
from gateway.server.app import create_gateway_app
from gateway.server.websocket import SocketLimits
from tests.gateway.server.client import INTERNAL_PUBLIC, OFFICER, access_token, options, served
from tests.gateway.support.library import Library
from tests.gateway.support.serving import crash

NEWS = {"query": "subscription { loans { at book { title branch { name } } } }"}


async def say(socket: aiohttp.ClientWebSocketResponse, type_: str, id_: str | None = None, payload: Any = None) -> None:
    message: dict[str, Any] = {"type": type_}
    if id_ is not None:
        message["id"] = id_
    if payload is not None:
        message["payload"] = payload
    await socket.send_json(message)


async def hear(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    heard: dict[str, Any] = await socket.receive_json(timeout=3)
    return heard


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(3):
        while (await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass
    return socket.close_code


async def greeted(socket: aiohttp.ClientWebSocketResponse, payload: Any = None) -> None:
    await say(socket, "connection_init", payload=payload)
    assert await hear(socket) == {"type": "connection_ack"}


async def test_events_arrive_joined_until_the_client_completes() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await say(socket, "subscribe", "1", NEWS)
        gateway.library.loans.put_nowait(2)
        heard = await hear(socket)
        assert (heard["type"], heard["id"]) == ("next", "1")
        assert heard["payload"]["data"] == {
            "loans": {"at": 2, "book": {"title": "Journey", "branch": {"name": "北馆"}}}
        }
        await say(socket, "complete", "1")
        async with asyncio.timeout(2):
            await gateway.library.reviews.app.idle.wait()  # type: ignore[attr-defined]
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}


async def test_leaving_closes_the_upstream() -> None:
    async with served() as gateway:
        async with gateway.socket() as socket:
            await greeted(socket)
            await say(socket, "subscribe", "1", NEWS)
            gateway.library.loans.put_nowait(2)
            await hear(socket)
        async with asyncio.timeout(2):
            await gateway.library.reviews.app.idle.wait()  # type: ignore[attr-defined]


async def test_queries_and_changes_by_websocket() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await say(socket, "subscribe", "q", {"query": "{ anything }"})
        expected = {"type": "next", "id": "q", "payload": {"data": {"anything": "a thing"}}}
        assert [await hear(socket), await hear(socket)] == [expected, {"type": "complete", "id": "q"}]
        await say(socket, "subscribe", "q", {"query": 'mutation { review(bookId: "b", text: "x") { text } }'})
        assert (await hear(socket))["payload"]["data"] == {"review": {"text": "x"}}


async def test_an_operation_that_fails_leaves_the_others_alone() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await say(socket, "subscribe", "1", NEWS)
        for id_, query in (
            ("a", "{"),
            ("b", "subscription { nothing }"),
            ("c", "subscription($n: Int!) { loans(count: $n) { at } }"),
        ):
            await say(socket, "subscribe", id_, {"query": query})
            heard = await hear(socket)
            assert (heard["type"], heard["id"]) == ("error", id_)
            assert heard["payload"][0]["extensions"]["code"]
        gateway.library.loans.put_nowait(0)
        assert (await hear(socket))["id"] == "1"


async def test_a_stream_that_ends_is_completed_and_its_id_is_free_again() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        for _ in range(2):
            await say(socket, "subscribe", "1", {"query": "subscription { loans(count: 1) { at } }"})
            gateway.library.loans.put_nowait(5)
            assert (await hear(socket))["type"] == "next"
            assert await hear(socket) == {"type": "complete", "id": "1"}


async def test_an_upstream_that_breaks_is_told() -> None:
    async with served() as gateway, gateway.socket() as socket:
        gateway.library.reviews.fault = crash
        await greeted(socket)
        await say(socket, "subscribe", "1", NEWS)
        heard = await hear(socket)
        assert heard["payload"]["data"] is None
        assert heard["payload"]["errors"][0]["extensions"]["code"] == "SUBGRAPH_UNAVAILABLE"
        assert (await hear(socket))["type"] == "complete"


# Close codes


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", "{}", '{"type": 5}', '{"type": "dance"}', '{"type": "subscribe", "payload": {"query": "{ a }"}}'],
)
async def test_a_message_of_another_protocol_closes_with_4400(text: str) -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await socket.send_str(text)
        assert await closed_with(socket) == 4400


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"query": 5}, {"query": "{ a }", "variables": []}])
async def test_a_payload_of_another_shape_closes_with_4400(payload: Any) -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        assert await closed_with(socket) == 4400


async def test_an_operation_before_the_greeting_closes_with_4401() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await say(socket, "subscribe", "1", NEWS)
        assert await closed_with(socket) == 4401


async def test_a_bad_token_closes_with_4403() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await say(socket, "connection_init", payload={"authorization": "Bearer nonsense"})
        assert await closed_with(socket) == 4403


async def test_another_subprotocol_closes_with_4406() -> None:
    async with served() as gateway, gateway.socket("graphql-ws") as socket:
        assert await closed_with(socket) == 4406


async def test_no_greeting_in_time_closes_with_4408() -> None:
    async with served(chosen=options(sockets=SocketLimits(init_timeout_s=0.05))) as gateway, gateway.socket() as socket:
        assert await closed_with(socket) == 4408


async def test_one_id_twice_closes_with_4409() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        for _ in range(2):
            await say(socket, "subscribe", "1", NEWS)
        assert await closed_with(socket) == 4409


async def test_two_greetings_close_with_4429() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        await say(socket, "connection_init")
        assert await closed_with(socket) == 4429


# Identity and bounds


@pytest.mark.parametrize("in_payload", [True, False])
async def test_the_identity_comes_from_the_greeting_or_the_upgrade(in_payload: bool) -> None:
    token = {"Authorization": f"Bearer {access_token()}"}
    async with served() as gateway, gateway.socket(headers={} if in_payload else token) as socket:
        await greeted(socket, token if in_payload else None)
        await say(socket, "subscribe", "1", {"query": "{ anything }"})
        await hear(socket)
        [seen] = gateway.library.reviews.app.headers  # type: ignore[attr-defined]
        assert TokenVerifier(INTERNAL_PUBLIC, INTERNAL).verify(seen["gwc-identity"]) == OFFICER


@pytest.mark.parametrize("in_payload", [True, False])
async def test_a_socket_ends_with_its_token_and_the_client_returns_with_a_new_one(in_payload: bool) -> None:
    token = {"Authorization": f"Bearer {access_token(life_s=2)}"}
    async with served() as gateway:
        async with gateway.socket(headers={} if in_payload else token) as socket:
            await greeted(socket, token if in_payload else None)
            await say(socket, "subscribe", "1", NEWS)
            gateway.library.loans.put_nowait(2)
            assert (await hear(socket))["type"] == "next"
            assert await closed_with(socket) == 4403
            async with asyncio.timeout(2):
                await gateway.library.reviews.app.idle.wait()  # type: ignore[attr-defined]
        async with gateway.socket() as socket:
            await greeted(socket, {"Authorization": f"Bearer {access_token()}"})
            await say(socket, "subscribe", "1", NEWS)
            gateway.library.loans.put_nowait(2)
            assert (await hear(socket))["type"] == "next"


async def test_a_socket_carries_a_bounded_number_of_operations() -> None:
    limits = SocketLimits(operations_max=2)
    async with served(chosen=options(sockets=limits)) as gateway, gateway.socket() as socket:
        await greeted(socket)
        for id_ in ("1", "2", "3"):
            await say(socket, "subscribe", id_, NEWS)
        heard = await hear(socket)
        assert (heard["type"], heard["id"]) == ("error", "3")
        assert heard["payload"][0]["extensions"]["code"] == "OVERLOADED"


async def test_who_sends_and_does_not_read_waits_and_piles_up_nothing() -> None:
    """Refusals are messages, too: each waits for its turn, and while it waits no further message is taken."""
    async with Library() as library:
        app = create_gateway_app(library.supergraph, library.clients, options(sockets=SocketLimits(operations_max=3)))
        to_app: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        to_app.append({"type": "websocket.receive", "text": '{"type": "connection_init"}'})
        bad = {"type": "subscribe", "payload": {"query": "{ nothing }"}}
        to_app += [
            {"type": "websocket.receive", "text": orjson.dumps({**bad, "id": str(n)}).decode()} for n in range(100)
        ]
        blocked, never = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            return to_app.pop(0)

        async def send(message: Any) -> None:
            if '"error"' in message.get("text", ""):
                blocked.set()
                await never.wait()

        scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": ["graphql-transport-ws"]}
        before = len(asyncio.all_tasks())
        running = asyncio.create_task(app(scope, receive, send))
        await blocked.wait()
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(to_app) > 90
        assert len(asyncio.all_tasks()) - before <= 1 + 3 + 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_pings_are_answered_before_the_greeting_and_pongs_are_taken() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await say(socket, "ping", payload={"n": 1})
        assert await hear(socket) == {"type": "pong"}
        await say(socket, "pong")
        await greeted(socket)
        await say(socket, "complete", "unknown")
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}


async def test_an_id_is_free_as_soon_as_its_operation_has_ended() -> None:
    async with served() as gateway, gateway.socket() as socket:
        await greeted(socket)
        for query in ("{ nothing }", "{ anything }", "{", "{ anything }"):
            await say(socket, "subscribe", "1", {"query": query})
            while (await hear(socket))["type"] == "next":
                pass
