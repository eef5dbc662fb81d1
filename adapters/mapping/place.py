"""Where in a TOML file a table's path was written: the line that a message points to.

Best effort, for people: the line whose own path is the longest beginning of the one asked for. A key inside an inline
table is found at the line where that table begins.
"""

from __future__ import annotations

import re

__all__ = ["line_of"]

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_PATH = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]")
_KEY = re.compile(rf"\s*({_PATH})\s*=")
_PART = re.compile(_NAME)
_STEP = re.compile(r"\[\d+\]")


def line_of(text: str, where: str) -> int | None:
    """Counted from 1; None where nothing of the path is written."""
    wanted = _steps(where)
    best, found = 0, None
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _names(header[2])
            if header[1] == "[[":
                joined = ".".join(table)
                counts[joined] = counts.get(joined, -1) + 1
                table = [*table, f"[{counts[joined]}]"]
            path = table
        elif key := _KEY.match(line):
            path = [*table, *_names(key[1])]
        else:
            continue
        if len(path) > best and wanted[: len(path)] == path:
            best, found = len(path), number
    return found


def _names(path: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(path)]


def _steps(where: str) -> list[str]:
    """`quarantine[0].when.in` → quarantine, [0], when, in."""
    steps: list[str] = []
    for part in where.split("."):
        steps += [name for name in (_STEP.sub("", part), *_STEP.findall(part)) if name]
    return steps
