"""`gwc adapter new` as an engineer sits before it: a terminal, answers typed, wrong ones too, and Ctrl-C."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from adapters.mapping import load_mapping
from gwc.errors import CommandError
from gwc.kit.run import write_new
from tests.gwc.terminal import ROOT, terminal

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the legacy store of the first day's walk-through."""
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript((ROOT / "examples" / "joining" / "legacy.sql").read_text(encoding="utf-8"))
    connection.close()
    return tmp_path


def test_answers_that_are_typed_make_a_mapping(folder: Path) -> None:
    with terminal(folder, "new") as person:
        for question, answer in QUESTIONS:
            person.answer(question, answer)
        assert person.end() == 0, person.seen
    mapping = load_mapping(folder / "330122.toml")
    assert (mapping.region, mapping.table) == ("330122", "gdzc")
    assert "gwc adapter preview 330122.toml" in person.seen
    assert sorted(path.name for path in folder.iterdir()) == ["330122.toml", "old.db"]


def test_wrong_answers_are_told_and_asked_for_again(folder: Path) -> None:
    with terminal(folder, "new") as person:
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
    with terminal(folder, "new", GAMS_PASSWORD="s3cret") as person:
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
    with terminal(folder, "new") as person:
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
