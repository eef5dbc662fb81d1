"""Another composer beside ours: the npm package `@theguild/federation-composition`, as one Node process for all tests.

It speaks JSON lines over its standard streams (see `compose.mjs`). Where there is no Node, the tests that need it are
not collected (`conftest.py` says so at the head of the run); in CI, and where Node is but the packages are not, they
fail with what to do.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.composition import SubgraphSource

__all__ = ["Peer", "PeerError", "PeerUnavailable", "running_peer"]

FOLDER = Path(__file__).parent
PACKAGE = FOLDER / "node_modules" / "@theguild" / "federation-composition" / "package.json"
STOP_TIMEOUT_S = 10.0


class PeerUnavailable(RuntimeError):
    """Node, or the peer's package, is not installed."""


@dataclass(frozen=True, slots=True)
class PeerError:
    code: str
    message: str


class Peer:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def compose(self, sources: Sequence[SubgraphSource]) -> str | tuple[PeerError, ...]:
        """Supergraph SDL, or why there is none."""
        assert self._process.stdin is not None and self._process.stdout is not None
        request = [{"name": one.name, "url": one.url, "sdl": one.sdl} for one in sources]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the peer ended with {self._process.wait()}; what it said stands above"
        answer = json.loads(line)
        if "sdl" in answer:
            return str(answer["sdl"])
        return tuple(PeerError(one["code"], one["message"]) for one in answer["errors"])


@contextlib.contextmanager
def running_peer() -> Iterator[Peer]:
    node = shutil.which("node")
    if node is None:
        raise PeerUnavailable("Node is not installed. Install Node 20 or newer with npm, then run `make node`.")
    if not PACKAGE.exists():
        raise PeerUnavailable("The composer that ours is compared with is not installed. Run `make node`.")
    process = subprocess.Popen(
        [node, "compose.mjs"],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield Peer(process)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()  # The end of its input is the end of its work.
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
