"""Handing out instructions in a process that is killed at each step: none is lost, none is handed out twice."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from gwc.parts.instructions import export_instructions
from gwc.settings import Settings
from tests.gwc.parts.export_process import STEPS
from tests.gwc.parts.test_instructions import REGION, district, run

__all__ = ["district"]

ROOT = Path(__file__).parents[3]


def die_at(step: str, data: Path, folder: Path) -> None:
    words = ["district", "instructions", "--region", REGION, "--data-dir", str(data), "export", "--folder", str(folder)]
    command = [sys.executable, "-m", "tests.gwc.parts.export_process", step, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "resting\n" in process.stdout
        finally:
            process.kill()


def handed_out(folder: Path) -> list[tuple[str, str, str]]:
    """(file, number, asset) of all that a district finds there."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        found += [(path.name, row[0], row[1]) for row in rows[1:]]
    return found


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_lost_and_nothing_is_doubled(district: Path, step: str) -> None:
    folder = district / "out"
    die_at(step, district, folder)
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert bool(before) == (step in ("folder", "said"))

    said: list[str] = []
    for _ in range(2):
        export_instructions(Settings(data_dir=district), REGION, folder, said.append)
    file = f"{REGION}-未落库-000001-000002.csv"
    wanted = [(file, f"{REGION}-000001", "a"), (file, f"{REGION}-000002", "b")]
    assert handed_out(folder) == wanted
    nothing = f"{REGION}: nothing new"
    assert said == ([nothing] * 2 if step == "said" else [f"{folder / file}: 2 instructions", nothing])
    assert all((folder / name).read_bytes() == content for name, content in before.items()), "the same bytes again"
    assert run(district, "done", f"{REGION}-000001", f"{REGION}-000002")[0] == (
        f"{REGION}: 2 ticked off, 0 had been before"
    )
