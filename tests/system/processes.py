"""Processes for system tests: started as a user starts them, watched by what they print, stopped by signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

GWC = Path(sys.executable).with_name("gwc")
START_S = 60
URL = re.compile(r"http://127\.0\.0\.1:\d+\S*")


class WatchedProcess:
    """A running command; `lines` is what it has printed so far."""

    def __init__(self, *command: str, cwd: Path | None = None, environment: Mapping[str, str] = os.environ) -> None:
        self.name = Path(command[0]).name
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, seconds: float = START_S) -> re.Match[str]:
        """The first printed line that matches; fails with the whole output when none comes."""

        def found() -> re.Match[str] | None:
            return next((m for line in self.lines if (m := re.search(pattern, line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._ended, timeout=seconds)
            match = found()
        assert match is not None, f"{self.name} never printed {pattern!r}:\n{self.output}"
        return match

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # and what it has started, which holds its output open
            status = self.process.wait()
        self._reader.join(timeout=5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class GwcProcess(WatchedProcess):
    """A running gwc command."""

    def __init__(self, *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(str(GWC), *arguments, cwd=cwd, environment=environment)


@contextmanager
def gwc(
    *arguments: str, ready: str = r"http://127\.0\.0\.1:\d+/graphql", environment: Mapping[str, str] = os.environ
) -> Iterator[tuple[GwcProcess, str]]:
    """A server command once it listens, with its GraphQL URL."""
    running = GwcProcess(*arguments, environment=environment)
    try:
        match = running.wait_for(rf"ready.*({ready})|({ready}).*ready")
        yield running, match.group(1) or match.group(2)
    finally:
        running.stop()
