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

    {setup}
    serve(Starlette(lifespan=opened), listen("127.0.0.1", 0), "/", print)
    """
)
OWN = """structlog.configure(processors=[
        structlog.dev.ConsoleRenderer(exception_formatter=lambda out, exception: out.write("drawn as wished"))
    ])"""


def log_of(setup: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SERVER.format(setup=setup)], capture_output=True, text=True, check=False
    )
    assert "The server could not start: the store is away" in done.stderr
    return done.stdout


def test_a_traceback_in_the_log_shows_no_variable() -> None:
    log = log_of("")
    assert "not opened" in log and "OSError: the store is away" in log
    assert "password" not in log and "s-e-c-r-e-t" not in log


def test_a_log_that_was_set_up_stays_as_it_is() -> None:
    assert "drawn as wished" in log_of(OWN)
