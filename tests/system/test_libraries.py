"""The guide to horizontal federation, followed to the letter: its commands are run, its answers are compared."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.execution.members import parse_members
from tests.system.client import Client
from tests.system.processes import WatchedProcess

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "horizontal-federation.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)?(?:#([^)]+))?\)")
START = "$ .venv/bin/python "


@dataclass
class Part:
    """What the guide does while one command runs."""

    command: list[str]
    printed: str
    examples: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind of block, its text, the answer below it)."""


def read_guide() -> list[Part]:
    parts: list[Part] = []
    asked: tuple[str, str] | None = None
    for kind, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if kind == "console" and text.startswith(START):
            command, _, printed = text.removeprefix(START).partition("\n")
            parts.append(Part(shlex.split(command), printed))
        elif kind in ("graphql", "console"):
            asked = (kind, text)
        elif kind == "json":
            assert asked is not None, text
            parts[-1].examples.append((*asked, text))
    return parts


PARTS = read_guide()


@contextmanager
def running(part: Part) -> Iterator[str]:
    """The command of a part, once all is printed that the guide shows; gives the gateway's URL."""
    process = WatchedProcess(sys.executable, *part.command, cwd=ROOT)
    try:
        url = process.wait_for(r"^gateway +(\S+)").group(1)
        assert process.output.splitlines() == part.printed.splitlines()
        yield url
    finally:
        process.stop()


@pytest.mark.parametrize("part", PARTS, ids=["whole", "without one", "asked as a subgraph"])
async def test_the_answers_are_those_shown(part: Part, session: aiohttp.ClientSession) -> None:
    with running(part) as url:
        client = Client(session, url)
        for kind, text, shown in part.examples:
            body = (await client(text.rstrip("\n"))).body if kind == "graphql" else by_shell(text)
            body.pop("extensions", None)  # Latencies are of the moment.
            assert body == json.loads(shown), text


def by_shell(text: str) -> Any:
    result = subprocess.run(["sh", "-c", text.removeprefix("$ ")], cwd=ROOT, capture_output=True, text=True, timeout=30)
    return json.loads(result.stdout)


def test_every_answer_shown_is_compared() -> None:
    shown = [text for kind, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if kind == "json"]
    assert [answer for part in PARTS for _, _, answer in part.examples] == shown
    assert all(part.examples for part in PARTS)


def test_the_members_file_shown_can_be_read() -> None:
    shown = next(text for kind, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if kind == "toml")
    [member] = parse_members(shown)["libraries"]
    assert (member.region, member.aliases) == ("east", ("old-east",))
    own = tomllib.loads((ROOT / "examples" / "libraries" / "members.toml").read_text(encoding="utf-8"))
    assert tomllib.loads(shown)["groups"]["libraries"]["contract"] == own["groups"]["libraries"]["contract"]


def test_every_link_leads_somewhere() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in re.findall(r"^#+ (.*)$", text, re.M)
    }
    for path, anchor in LINK.findall(text):
        assert not path or (GUIDE.parent / path).exists(), path
        assert not anchor or path or anchor in headings, anchor
