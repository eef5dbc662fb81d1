"""A district's first day (docs/joining.md), followed to the letter: commands run, files edited, outputs compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from adapters.kit.conformance import CHECKS
from adapters.kit.conformance.timing import PAGE_MS_MAX, timing_check
from adapters.kit.conformance.untouched import untouched_check
from gwc.kit.holds import HOLDS_CHECK
from tests.system.client import Client
from tests.system.processes import WatchedProcess

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "joining.md"
TEXT = GUIDE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)?(?:#([^)]+))?\)")
DRAFT = Path("var/joining/330122.toml")
MILLISECONDS = re.compile(r"\d+\.\d ms")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
CUT = "…\n"
"""The rest of an output is not shown."""


@dataclass(frozen=True)
class Step:
    kind: str
    text: str


def steps() -> list[Step]:
    """Everything up to where the guide turns to stores of other kinds."""
    day = TEXT.partition("## Other kinds of store")[0]
    return [Step(kind, text) for kind, text in BLOCK.findall(day)]


def command_of(text: str) -> list[str]:
    words = shlex.split(text.removeprefix("$ "))
    programs = {"gwc": [sys.executable, "-m", "gwc.cli"], "python": [sys.executable]}
    return [*programs.get(words[0], words[:1]), *words[1:]]


def plain(output: str) -> str:
    """What a moment decides is left out."""
    return MILLISECONDS.sub("N ms", output)


def follow_command(text: str, folder: Path) -> None:
    command, _, shown = text.partition("\n")
    done = subprocess.run(command_of(command), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    printed = plain(done.stdout + done.stderr)
    if shown.endswith(CUT):
        assert printed.startswith(plain(shown.removesuffix(CUT))), command
    else:
        assert printed == plain(shown), command
    assert done.returncode == (1 if "FAIL" in shown else 0), command


def follow_edit(text: str, folder: Path) -> None:
    old, new = ("".join(line[1:] for line in text.splitlines(True) if line[0] == sign) for sign in "-+")
    mapping = (folder / DRAFT).read_text(encoding="utf-8")
    assert mapping.count(f"\n{old}") == 1, old
    (folder / DRAFT).write_text(mapping.replace(f"\n{old}", f"\n{new}"), encoding="utf-8")


def served(text: str, folder: Path) -> Iterator[str]:
    command, _, shown = text.partition("\n")
    process = WatchedProcess(*command_of(command), "--port", "0", cwd=folder, environment=ENVIRONMENT)
    try:
        url = process.wait_for(r"ready: (\S+)").group(1)
        assert re.sub(r":\d+/", ":8201/", process.output).splitlines() == shown.splitlines()
        yield url
    finally:
        process.stop()


async def test_the_day_goes_as_told(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    told = steps()
    (serve,) = [step for step in told if step.text.startswith("$ gwc district")]
    for step in told[: told.index(serve)]:
        if step.kind == "console":
            follow_command(step.text, tmp_path)
        elif step.kind == "diff":
            follow_edit(step.text, tmp_path)
        else:
            assert step.kind == "toml"
            assert step.text in (tmp_path / DRAFT).read_text(encoding="utf-8")
    question, answer = told[told.index(serve) + 1 :]
    for url in served(serve.text, tmp_path):
        body = (await Client(session, url)(question.text)).body
        assert body["data"] == json.loads(answer.text)["data"]


def test_every_check_is_in_the_table() -> None:
    checks = (*CHECKS, HOLDS_CHECK, untouched_check(None, None), timing_check(time.perf_counter, PAGE_MS_MAX))
    shown = re.findall(r"^\| `([^`]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert shown == [(check.name, check.meaning) for check in checks]


@pytest.mark.parametrize("name", ["docs/joining.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    headings = {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    for path, anchor in LINK.findall(TEXT):
        assert not path or (GUIDE.parent / path).exists(), path
        assert path or anchor in headings, anchor
