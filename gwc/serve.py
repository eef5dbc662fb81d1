"""Listening: take the port first, so that a taken port is told before any work, then serve until Ctrl-C."""

from __future__ import annotations

import errno
import socket
from typing import Any

import uvicorn

from gwc.errors import CommandError

__all__ = ["listen", "serve"]

BACKLOG = 1024
WEBSOCKET_MESSAGE_BYTES_MAX = 1 << 20
SHUTDOWN_S = 5


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


def serve(app: Any, listener: socket.socket, *, log_level: str = "warning") -> None:
    """Serve an ASGI application on the socket until SIGINT or SIGTERM; open requests get a few seconds to end."""
    config = uvicorn.Config(
        app,
        log_level=log_level,
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_MESSAGE_BYTES_MAX,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise CommandError("The server could not start; the lines above say why.")
