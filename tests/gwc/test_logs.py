"""What a server logs of an exception."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

SERVER = dedent(
    """
    from contextlib import asynccontextmanager

    import structlog
    from starlette.applications import Starlette

    from gwc.serve import listen, serve

    @asynccontextmanager
    async def opened(app):
        password = "-".join("secret")
        try:
            raise OSError("the store is away")
        except OSError:
            structlog.get_logger().exception("not opened")
            raise
        yield

    serve(Starlette(lifespan=opened), listen("127.0.0.1", 0), "/", print)
    """
)


def test_a_traceback_in_the_log_shows_no_variable() -> None:
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=False)
    assert "not opened" in done.stdout and "OSError: the store is away" in done.stdout
    assert "password" not in done.stdout and "s-e-c-r-e-t" not in done.stdout
