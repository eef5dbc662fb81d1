"""`gwc adapter new` as an engineer sits before it: a terminal, answers typed, wrong ones too, and Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.mapping import load_mapping
from gwc.errors import CommandError
from gwc.kit.run import write_new

ROOT = Path(__file__).parents[2]
CTRL_C = "\x03"
PATIENCE_S = 0.5
QUESTIONS = (
    ("What kind of store is it", "sqlite"),
    ("Path of the file", "old.db"),
    ("Which region is it", "330122"),
)
SERVER_QUESTIONS = (
    ("What kind of store is it", "postgresql"),
    ("Host, or host:port", "127.0.0.1:1"),
    ("Database", "gams"),
    ("Account", "reader"),
    ("Environment variable with the password", "GAMS_PASSWORD"),
)


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
        [sys.executable, "-m", "gwc.cli", "adapter", "new", *arguments],
        cwd=folder, env=environment, stdin=there, stdout=there, stderr=there, start_new_session=True,
        preexec_fn=_sit_down,
    ) as process:  # fmt: skip
        os.close(there)
        try:
            yield Terminal(here, process)
        finally:
            process.kill()
            os.close(here)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the legacy store of the first day's walk-through."""
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript((ROOT / "examples" / "joining" / "legacy.sql").read_text(encoding="utf-8"))
    connection.close()
    return tmp_path


def test_answers_that_are_typed_make_a_mapping(folder: Path) -> None:
    with terminal(folder) as person:
        for question, answer in QUESTIONS:
            person.answer(question, answer)
        assert person.end() == 0, person.seen
    mapping = load_mapping(folder / "330122.toml")
    assert (mapping.region, mapping.table) == ("330122", "gdzc")
    assert "gwc adapter preview 330122.toml" in person.seen
    assert sorted(path.name for path in folder.iterdir()) == ["330122.toml", "old.db"]


def test_wrong_answers_are_told_and_asked_for_again(folder: Path) -> None:
    with terminal(folder) as person:
        person.answer("What kind of store is it", "dbase")
        person.wait_for("It is one of sqlite, ")
        person.answer("What kind of store is it", "sqlite")
        person.answer("Path of the file", "new.db")
        person.wait_for("There is no file or folder new.db.")
        person.answer("Path of the file", "old.db")
        person.answer("Which region is it", "330103")
        person.wait_for("It is one of 330100, ")
        person.answer("Which region is it", "330122")
        assert person.end() == 0, person.seen
    assert load_mapping(folder / "330122.toml").region == "330122"


def test_a_password_in_place_of_its_variable_is_asked_for_again_and_not_repeated(folder: Path) -> None:
    with terminal(folder, GAMS_PASSWORD="s3cret") as person:
        for question, answer in SERVER_QUESTIONS[:-1]:
            person.answer(question, answer)
        person.answer("Environment variable with the password", "s3cr#t")
        person.wait_for("That is no name of a variable.")
        person.answer("Environment variable with the password", "NO_SUCH")
        person.wait_for("The environment has no NO_SUCH.")
        person.answer("Environment variable with the password", "GAMS_PASSWORD")
        assert person.end() == 2, "nobody listens there"
    assert "the store cannot be read" in person.seen
    assert "s3cret" not in person.seen
    assert person.seen.count("s3cr#t") == 1, "as the terminal itself showed it when it was typed"
    assert [path.name for path in folder.iterdir()] == ["old.db"]


@pytest.mark.parametrize("after", range(len(QUESTIONS)))
def test_ctrl_c_at_any_question_leaves_nothing(folder: Path, after: int) -> None:
    with terminal(folder) as person:
        for question, answer in QUESTIONS[:after]:
            person.answer(question, answer)
        person.wait_for(QUESTIONS[after][0])
        person.wait_for(": ")
        assert person.interrupt() != 0
    assert "Traceback" not in person.seen
    assert [path.name for path in folder.iterdir()] == ["old.db"]


def test_what_cannot_take_its_place_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "330122.toml").mkdir()
    with pytest.raises(CommandError, match="cannot be written"):
        write_new(tmp_path / "330122.toml", "mapping = 1")
    assert [path.name for path in tmp_path.iterdir()] == ["330122.toml"]
