"""Two processes ask for the last of a few things, fifty times at once, on SQLite and on PostgreSQL: one has it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from tests.subgraphs.district.custody_process import FEW, FROM, RACERS, TO, TODAY, hold
from tests.subgraphs.district.test_custody_crash import opened

ROOT = Path(__file__).parents[3]


async def test_the_last_of_a_few_is_held_once(url: str) -> None:
    async with opened(url) as book:
        for key in ("first", "second"):
            assert (await book.place(hold(key, "few"), FEW, TODAY)).hold is not None
    answers: Counter[str] = Counter()
    with ExitStack() as stack:
        racers = [stack.enter_context(_racer(url)) for _ in range(2)]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline().strip() == "ready"
        for name, racer in zip("ab", racers, strict=True):
            assert racer.stdin is not None
            racer.stdin.write(f"{name}\n")
            racer.stdin.flush()
        for racer in racers:
            assert racer.stdout is not None
            answers.update(line.strip() for line in racer.stdout)
            assert racer.wait() == 0
    assert answers == {"held": 1, "ASSET_BUSY": 2 * RACERS - 1}
    async with opened(url) as book:
        assert await book.held(FROM, TO, TODAY) == {"few": Decimal(3)}


def _racer(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.subgraphs.district.custody_process", url, "race"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
