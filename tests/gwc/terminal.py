"""What a person sees and types before a terminal, of any `gwc adapter` command."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CTRL_C = "\x03"
PATIENCE_S = 0.5


class Terminal:
    """What a person sees and types. Reading ends with the process, so nothing waits for ever."""

    def __init__(self, handle: int, process: subprocess.Popen[bytes]) -> None:
        self._handle, self.process = handle, process
        self.seen = ""
        self._told = 0

    def wait_for(self, text: str) -> None:
        """Until this has come since it was last waited for."""
        while (at := self.seen.find(text, self._told)) < 0:
            assert self._read(), f"{text!r} was never asked; seen:\n{self.seen}"
        self._told = at + len(text)

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def answer(self, question: str, answer: str) -> None:
        self.wait_for(question)
        self.wait_for(": ")
        self.type(f"{answer}\n")

    def interrupt(self) -> int:
        """Ctrl-C, and again where nothing comes of it: a key pressed in the moment in which Python begins to read is
        noticed with the next one."""
        self.type(CTRL_C)
        while True:
            if not select.select([self._handle], [], [], PATIENCE_S)[0]:
                self.type(CTRL_C)
            elif not self._read():
                return self.process.wait()

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait()

    def _read(self) -> bool:
        try:
            come = os.read(self._handle, 4096)
        except OSError:  # so it ends where the other side is closed
            return False
        self.seen += come.decode(errors="replace")
        return bool(come)


def _sit_down() -> None:
    """In the new process: the terminal is its own, and Ctrl-C is heard, which a shell in the background turns off for
    whatever it starts."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminal(folder: Path, *arguments: str, **variables: str) -> Iterator[Terminal]:
    here, there = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", **variables}
    with subprocess.Popen(
        [sys.executable, "-m", "gwc.cli", "adapter", *arguments],
        cwd=folder, env=environment, stdin=there, stdout=there, stderr=there, start_new_session=True,
        preexec_fn=_sit_down,
    ) as process:  # fmt: skip
        os.close(there)
        try:
            yield Terminal(here, process)
        finally:
            process.kill()
            os.close(here)
