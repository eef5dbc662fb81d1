"""Listening: take the port first, so that a taken port is told before any work, then serve until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import structlog
import uvicorn
import uvloop
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from gwc.errors import CommandError
from gwc.logs import plain_logs

__all__ = ["listen", "new_loop", "run_server", "serve"]

log = structlog.get_logger("serve")

BACKLOG = 1024
WEBSOCKET_MESSAGE_BYTES_MAX = 1 << 20
SHUTDOWN_S = 5
KEEP_ALIVE_S = 75
"""How long an idle connection stays: longer than clients' pools keep theirs (aiohttp 15 s, nginx 60 s), so that the client
closes it. Where the server does, a request that is sent at that moment is lost, and a change may not be sent again."""
CLOSE_S = 12
"""What parts have for closing: longer than a change that its client has left may take to its deadline."""
GC_ALLOCATIONS = 20_000
"""Objects alive more than before, until the youngest generation is gone through; one large answer has thousands."""


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket. Raises `CommandError` when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} on {host} is taken by another program.", "Stop it, or choose another port with --port."
            ) from None
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}.", "Choose another --host or --port."
        ) from None
    return listener


def _config(app: Any, log_level: str = "warning") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level=log_level,
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_MESSAGE_BYTES_MAX,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
        proxy_headers=False,
    )


def _settle_memory() -> None:
    """What stands at start (code, schemas, query graph) stays: the collector need not go through it again.

    It would do so every few hundred requests, for tens of milliseconds each, which is what slow requests wait for.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, *gc.get_threshold()[1:])


class _Server(uvicorn.Server):
    """Tells when it listens, and ends well on a signal: uvicorn's own would raise it once more after shutting down."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _settle_memory()
            self._on_ready()


async def run_server(
    app: Starlette, listener: socket.socket, on_ready: Callable[[], None], close_s: float = CLOSE_S
) -> None:
    """Serve an application on the socket until SIGINT or SIGTERM; open requests get a few seconds to end.

    Its lifespan runs here and not in uvicorn, which would answer a part that cannot start with a traceback. Raises
    `CommandError` when the application cannot start. A part that does not close in `close_s` is left: the process ends.
    """
    plain_logs()
    server = _Server(_config(app), on_ready)
    running = AsyncExitStack()
    try:
        try:
            await running.enter_async_context(app.router.lifespan_context(app))
        except (OSError, SQLAlchemyError) as error:
            raise CommandError(f"The server could not start: {error}") from error
        await server.serve(sockets=[listener])
    finally:
        try:
            async with asyncio.timeout(close_s):
                await running.aclose()
        except TimeoutError:
            log.error("a part did not close in time", code="CLOSE_TIMEOUT", seconds=close_s)
    if not server.started:
        raise CommandError("The server could not start; the lines above say why.")


def serve(app: Starlette, listener: socket.socket, path: str, say: Callable[[str], None]) -> None:
    """`run_server` in a loop of its own, saying the address when it listens."""
    host, port = listener.getsockname()[:2]
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run_server(app, listener, lambda: say(f"ready: http://{host}:{port}{path}")))


def new_loop() -> asyncio.AbstractEventLoop:
    return uvloop.new_event_loop()
