"""`gwc district instructions`, from goods that left to the district's tick and the store that does not show it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gwc.cli import app
from gwc.errors import CommandError
from gwc.parts.instructions import export_instructions, tick_instructions
from gwc.settings import Settings
from tests.subgraphs.district.test_custody_instructions import REGION, Desk

MAPPING = f"""
mapping = 1
region = "{REGION}"
[store]
engine = "sqlite"
url = "store.sqlite"
[source]
table = "zc"
[secrecy]
none_because = "a test's own rows"
[key]
columns = ["id"]
[fields]
name = "mc"
status = "zt"
"""


@pytest.fixture
def district(tmp_path: Path) -> Path:
    """A data folder whose book owes its store two changes, and the store's mapping."""
    (tmp_path / "state").mkdir()
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    with sqlite3.connect(tmp_path / "store.sqlite") as db:
        db.execute("CREATE TABLE zc (id TEXT PRIMARY KEY, mc TEXT, zt TEXT)")
        db.executemany("INSERT INTO zc VALUES (?, '桌', 'IDLE')", [("a",), ("b",)])
    db.close()

    async def move() -> None:
        desk = Desk(f"sqlite:///{tmp_path}/state/custody-{REGION}.sqlite")
        await desk.book.open()
        for asset in ("a", "b"):
            await desk.dispatch(asset)
        await desk.book.close()

    asyncio.run(move())
    return tmp_path


def run(district: Path, *words: str) -> list[str]:
    result = CliRunner().invoke(
        app, ["district", "instructions", "--region", REGION, "--data-dir", str(district), *words]
    )
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_from_the_folder_and_back(district: Path) -> None:
    assert run(district, "list") == [
        "not handed out  a  DISPATCH 1  IN_TRANSIT  NOT_GRANTED",
        "not handed out  b  DISPATCH 1  IN_TRANSIT  NOT_GRANTED",
        f"{REGION}: 2 open",
    ]
    folder = district / "out"
    (said,) = run(district, "export", "--folder", str(folder))
    (file,) = folder.iterdir()
    assert said == f"{file}: 2 instructions"
    assert run(district, "export", "--folder", str(folder)) == [f"{REGION}: nothing new"]

    lines = file.read_text(encoding="utf-8-sig").splitlines()
    file.write_text("\n".join([lines[0], *(line + "是" for line in lines[1:])]), encoding="gb18030")
    assert run(district, "done", str(file)) == [f"{REGION}: 2 ticked off, 0 had been before"]
    assert run(district, "done", str(file)) == [f"{REGION}: 0 ticked off, 2 had been before"]

    with sqlite3.connect(district / "store.sqlite") as db:
        db.execute("UPDATE zc SET zt = 'IN_TRANSIT' WHERE id = 'a'")
    db.close()
    assert run(district, "list", "--mapping", str(district / "mapping.toml")) == [
        f"{REGION}: 0 open",
        f"{REGION}-000002  b  DISPATCH 1  IN_TRANSIT  NOT_GRANTED: ticked off, but it is IDLE there",
        f"{REGION}: 1 ticked off that the store does not show",
    ]


def test_single_instructions_by_their_numbers(district: Path) -> None:
    run(district, "export", "--folder", str(district / "out"))
    assert run(district, "done", f"{REGION}-000002") == [f"{REGION}: 1 ticked off, 0 had been before"]
    (left, _) = run(district, "list")
    assert left.startswith(f"{REGION}-000001  a ")
    assert run(district, "done", f"{REGION}-000002", f"{REGION}-000001", f"{REGION}-000777") == [
        f"{REGION}: 1 ticked off, 1 had been before",
        f"{REGION}-000777: no such instruction was handed out",
    ]


@pytest.mark.parametrize("wrong", ["330106-000001", "000001", "nowhere.csv"])
def test_a_number_that_is_none_ticks_nothing_off(district: Path, wrong: str) -> None:
    run(district, "export", "--folder", str(district / "out"))
    with pytest.raises(CommandError, match=wrong):
        tick_instructions(Settings(data_dir=district), REGION, [f"{REGION}-000001", wrong], print)
    assert run(district, "list")[-1] == f"{REGION}: 2 open"


def test_a_folder_that_cannot_be_written_loses_nothing(district: Path) -> None:
    (district / "taken").write_text("a file where the folder should be")
    settings = Settings(data_dir=district)
    with pytest.raises(CommandError, match="cannot be written"):
        export_instructions(settings, REGION, district / "taken", print)
    said: list[str] = []
    export_instructions(settings, REGION, district / "out", said.append)
    assert said == [f"{district}/out/{REGION}-未落库-000001-000002.csv: 2 instructions"]


def test_a_region_that_is_none(district: Path) -> None:
    with pytest.raises(CommandError, match="is no region"):
        export_instructions(Settings(data_dir=district), "330103", district / "out", print)
