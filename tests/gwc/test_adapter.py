"""The adapter commands as a shell sees them: status, output, and what is never in it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.mapping import load_mapping
from subgraphs.sample_city.generate import generate_city
from subgraphs.sample_city.seeding import seed_mongo, seed_sql
from tests.gwc.terminal import ROOT, terminal

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What a terminal obeys and does not show."""


def gwc(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gwc.cli", "adapter", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "city"
    generate_city(folder, "small", 2022, lambda line: None)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript((ROOT / "examples" / "joining" / "legacy.sql").read_text(encoding="utf-8"))
    connection.close()
    return tmp_path / "old.db"


def test_the_report_as_json(store: Path, tmp_path: Path) -> None:
    assert gwc("inspect", "old.db", "--out", "m.toml", cwd=tmp_path).returncode == 0
    done = gwc("check", "m.toml", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["conforming"] is False
    (listing,) = [result for result in report["results"] if result["verdict"] == "fail"]
    assert listing["name"] == "listing"
    assert listing["evidence"][0]["found"] == "0"


def test_without_a_file_the_draft_alone_is_printed(store: Path, tmp_path: Path) -> None:
    done = gwc("inspect", "old.db", cwd=tmp_path)
    (tmp_path / "piped.toml").write_text(done.stdout, encoding="utf-8")
    assert load_mapping(tmp_path / "piped.toml").table == "gdzc"
    assert "the likeliest asset table" in done.stderr


def test_a_file_that_is_there_is_not_written_over(store: Path, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("mine")
    done = gwc("inspect", "old.db", "--out", "m.toml", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "m.toml").read_text()) == (2, "mine")
    assert gwc("inspect", "old.db", "--out", "m.toml", "--force", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("inspect", "nowhere.db"), "gwc: there is no file or folder nowhere.db."),
        (("inspect", "postgresql://me:s3cret@127.0.0.1:1/gams"), "gwc: a password stands in the url"),
        (
            ("inspect", "postgresql://me:${P}@127.0.0.1:1/gams"),
            "gwc: the store cannot be read (ConnectionRefusedError).",
        ),
        (("inspect", "old.db", "--table", "zc"), "gwc: There is no table zc."),
        (("check", "nowhere.toml"), "gwc: nowhere.toml: there is no such file"),
        (("preview", "nowhere.toml"), "gwc: nowhere.toml: there is no such file"),
        (("new", "--yes"), "gwc: What kind of store is it"),
        (("new", "--yes", "--kind", "mysql", "--host", "db"), "gwc: Database?"),
    ],
)
def test_what_cannot_run_says_so_in_one_line(
    store: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = gwc(*arguments, cwd=tmp_path, P="s3cret")
    assert done.returncode == 2
    assert done.stderr.startswith(says), done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_store_that_is_away_cannot_be_checked(store: Path, tmp_path: Path) -> None:
    gwc("inspect", "old.db", "--out", "m.toml", cwd=tmp_path)
    store.unlink()
    done = gwc("check", "m.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("gwc: The store cannot be read")


def test_new_takes_flags_and_guesses_the_rest(store: Path, tmp_path: Path) -> None:
    done = gwc("new", "--yes", "--kind", "sqlite", "--url", "old.db", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_mapping(tmp_path / "330122.toml").region == "330122"
    assert "gwc adapter preview 330122.toml" in done.stdout


def test_new_writes_the_variables_name_and_never_its_value(city: Path, postgres_database: str, tmp_path: Path) -> None:
    asyncio.run(seed_sql(city, "330114", postgres_database))
    server, _, database = postgres_database.partition("://")[2].rpartition("/")
    user, _, host = server.rpartition("@")
    flags = (
        "--kind",
        "postgresql",
        "--host",
        host,
        "--database",
        database,
        "--user",
        user.partition(":")[0] or "postgres",
    )
    password = user.partition(":")[2] or "s3cret"
    done = gwc("new", "--yes", *flags, "--password-env", "GAMS_PASSWORD", cwd=tmp_path, GAMS_PASSWORD=password)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "330114.toml").read_text(encoding="utf-8")
    assert "${GAMS_PASSWORD}" in text
    assert (tmp_path / ".env.example").read_text(encoding="utf-8").endswith("GAMS_PASSWORD=\n")
    assert password not in done.stdout + text


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (("inspect", "old.db", "--out", "m.toml", "--force"), r"inspect\s+━+\s+5/5\s"),
        (("new", "--yes", "--kind", "sqlite", "--url", "old.db", "--force"), r"inspect\s+━+\s+5/5\s"),
        (("preview", "m.toml", "--rows", "7"), r"preview\s+━+\s+7/7\s+\d+ rows read"),
        (("check", "m.toml"), r"check\s+━+\s+(\d+)/\1\s"),
    ],
    ids=["inspect", "new", "preview", "check"],
)
def test_a_terminal_shows_how_far_the_work_is_and_a_pipe_does_not(
    store: Path, tmp_path: Path, command: tuple[str, ...], shown: str
) -> None:
    gwc("inspect", "old.db", "--out", "m.toml", cwd=tmp_path)
    draft = (tmp_path / "m.toml").read_text(encoding="utf-8")
    (tmp_path / "m.toml").write_text(draft.replace("open = []", 'open = ["公开", "内部"]'), encoding="utf-8")
    piped = gwc(*command, cwd=tmp_path)
    assert piped.stderr == ""
    assert "━" not in piped.stdout
    with terminal(tmp_path, *command, TERM="xterm", COLUMNS="120") as person:
        assert person.end() == piped.returncode
    assert re.search(shown, CONTROL.sub("", person.seen)), person.seen


GUIDE = (ROOT / "docs" / "joining.md").read_text(encoding="utf-8").partition("## Other kinds of store")[2]
TOLD = dict(re.findall(r"^\| ([^|]+) \| `gwc adapter inspect '?([^'`]+)'?` \|$", GUIDE, re.MULTILINE))
"""Kind of store → what the guide says to look into."""
SHAPED: dict[str, tuple[str, str]] = {
    "PostgreSQL": ("330113", "postgres_database"),
    "MySQL, MariaDB": ("330182", "mariadb_database"),
    "MongoDB": ("330108", "mongo_database"),
    "a workbook (Excel)": ("330111", "330111.xlsx"),
    "a folder of nightly CSV files": ("330112", "330112"),
    "a folder of exported documents (JSON lines)": ("330108", "330108"),
}
"""Kind of store → the region that has one, and where it stands: a fixture, or its place in the city."""


def test_no_kind_of_the_guide_is_left_out() -> None:
    assert TOLD.keys() == SHAPED.keys()


@pytest.mark.parametrize("kind", SHAPED)
def test_each_kind_of_store_is_looked_into_as_the_guide_says(
    kind: str, city: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    region, place = SHAPED[kind]
    if place.endswith("_database"):
        there: str = request.getfixturevalue(place)
        asyncio.run((seed_mongo if kind == "MongoDB" else seed_sql)(city, region, there))
        written = TOLD[kind].partition("://")[0] + "://" + there.partition("://")[2]
    else:
        written = str(city / "stores" / place)
    done = gwc("inspect", written, "--out", "m.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "secrecy" in done.stdout and "TODO" in (tmp_path / "m.toml").read_text(encoding="utf-8")
    mapping, right = load_mapping(tmp_path / "m.toml"), load_mapping(city / "mappings" / f"{region}.toml")
    assert (mapping.region, mapping.table) == (region, right.table)
    assert mapping.fields["name"].columns[0] == right.fields["name"].columns[0]
