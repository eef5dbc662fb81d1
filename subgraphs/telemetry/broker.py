"""The embedded MQTT broker: amqtt in this process, spoken to over a real loopback port like any other broker.

For a city that runs in one process and for tests; a real installation configures its own broker (Mosquitto, a
cluster). It is bound to loopback, takes anyone who gets there, keeps nothing, and bounds connections and packets.

The listener is ours and hands each connection to amqtt as an external one: so port 0 works (amqtt does not say which
port it got), and a packet's size is bounded before it is read (amqtt reads up to MQTT's 256 MB).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import NoDataError

__all__ = ["EmbeddedBroker", "start_embedded_broker"]

PACKET_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 200
CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
_LISTENER = "default"

_log = structlog.get_logger("telemetry.broker")


class _Writer(StreamWriterAdapter):  # type: ignore[misc]
    """Knows whether the broker has answered: its first packet accepts or refuses the client's CONNECT."""

    answered = False

    def write(self, data: bytes) -> None:
        self.answered = True
        super().write(data)


class _Reader(StreamReaderAdapter):  # type: ignore[misc]
    """Ends a connection that announces a packet larger than any reading could be, or that never says CONNECT."""

    def __init__(self, reader: asyncio.StreamReader, writer: _Writer, connect_timeout_s: float) -> None:
        super().__init__(reader)
        self._writer = writer
        self._connect_timeout_s = connect_timeout_s
        self._is_over = False

    async def read(self, n: int = -1) -> bytes:
        if self._is_over:  # what is buffered of the large packet must not be taken for packets
            raise NoDataError("the connection is closed")
        if n > PACKET_BYTES_MAX:
            self._is_over = True
            _log.warning("connection closed", code="PACKET_TOO_LARGE", bytes=n, bytes_max=PACKET_BYTES_MAX)
            await self._writer.close()  # amqtt would stop reading and leave the client waiting
            raise NoDataError(f"a packet of {n} bytes is larger than {PACKET_BYTES_MAX}")
        async with asyncio.timeout(None if self._writer.answered else self._connect_timeout_s):
            return bytes(await super().read(n))


@dataclass(slots=True)
class EmbeddedBroker:
    """A broker that runs until `stop()`, or until its `async with` ends."""

    port: int
    _broker: Broker
    _server: asyncio.Server
    _connections: set[asyncio.Task[None]]

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self._server.close()
        await self._broker.shutdown()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=STOP_TIMEOUT_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def start_embedded_broker(port: int = 0, *, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> EmbeddedBroker:
    """Start a broker on a loopback port; 0 takes a free one. Raises OSError when the port is taken."""
    broker = Broker(
        BrokerConfig(
            listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
    )
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(connections) >= CONNECTIONS_MAX:
            _log.warning("connection refused", code="TOO_MANY_CONNECTIONS", connections_max=CONNECTIONS_MAX)
            writer.close()
            return
        connections.add(task)
        to_client = _Writer(writer)
        try:
            await broker.external_connected(_Reader(reader, to_client, connect_timeout_s), to_client, _LISTENER)
        except asyncio.CancelledError:
            pass  # we are stopping
        except TimeoutError:
            _log.warning("connection closed", code="MQTT_CONNECT_TIMEOUT", after_s=connect_timeout_s)
        except Exception as error:  # a client's broken bytes must not end the broker, whatever amqtt makes of them
            _log.warning("connection failed", code="MQTT_PROTOCOL", reason=str(error))
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await broker.start()
    return EmbeddedBroker(server.sockets[0].getsockname()[1], broker, server, connections)
