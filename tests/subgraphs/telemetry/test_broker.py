"""The embedded broker speaks MQTT over a real port and outlives clients that do not."""

from __future__ import annotations

import asyncio

import aiomqtt
import pytest

from subgraphs.telemetry.broker import PACKET_BYTES_MAX, start_embedded_broker
from subgraphs.telemetry.ingest import mqtt_client


async def _echo(url: str, payload: bytes) -> object:
    async with mqtt_client(url) as client:
        await client.subscribe("gwc-test/echo", qos=1)
        await client.publish("gwc-test/echo", payload, qos=1)
        async with asyncio.timeout(5):
            return (await anext(aiter(client.messages))).payload


async def test_it_takes_a_free_port_and_delivers() -> None:
    async with await start_embedded_broker() as one, await start_embedded_broker() as two:
        assert one.port != two.port
        assert await _echo(one.url, "公物仓".encode()) == "公物仓".encode()
        assert await _echo(two.url, b"") == b""


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with await start_embedded_broker() as broker:
        with pytest.raises(OSError, match="address already in use"):
            await start_embedded_broker(broker.port)


async def test_a_client_that_speaks_no_mqtt_harms_nobody() -> None:
    async with await start_embedded_broker(connect_timeout_s=0.2) as broker:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert await _echo(broker.url, b"1") == b"1"


async def test_a_packet_beyond_the_bound_ends_its_connection_only() -> None:
    async with await start_embedded_broker() as broker:
        async with mqtt_client(broker.url) as client:
            await client.publish("gwc-test/large", b"x" * (PACKET_BYTES_MAX + 1), qos=0)
            with pytest.raises(aiomqtt.MqttError):
                async with asyncio.timeout(5):
                    await anext(aiter(client.messages))
        assert await _echo(broker.url, b"1") == b"1"


async def test_stopping_ends_what_clients_hold_open() -> None:
    broker = await start_embedded_broker()
    async with mqtt_client(broker.url) as client:
        await broker.stop()
        with pytest.raises(aiomqtt.MqttError):
            async with asyncio.timeout(5):
                await anext(aiter(client.messages))


async def test_nothing_inside_a_refused_packet_is_taken_for_a_packet() -> None:
    def publish(topic: bytes, payload: bytes) -> bytes:
        body = len(topic).to_bytes(2, "big") + topic + payload
        return bytes([0x30, len(body)]) + body

    connect = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03raw"
    too_large = b"\x30\xf0\xa2\x04"  # PUBLISH, 70,000 bytes to come
    async with await start_embedded_broker() as broker, mqtt_client(broker.url) as watcher:
        await watcher.subscribe("gwc-test/#", qos=1)
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(connect)
        assert (await reader.readexactly(4))[0] == 0x20
        writer.write(too_large + b"\x00\x01t" + publish(b"gwc-test/hidden", b"1") * 10)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        await watcher.publish("gwc-test/open", b"2", qos=1)
        async with asyncio.timeout(5):
            assert str((await anext(aiter(watcher.messages))).topic) == "gwc-test/open"
