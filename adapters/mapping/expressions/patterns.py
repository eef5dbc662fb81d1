"""What a text looks like, without regular expressions: `ZC-####`.

    #  a digit      @  a letter A–Z, a–z      ?  any character      anything else: itself; \\# \\@ \\? \\+ \\\\ too
    +  behind one of these: once or more, as often as it goes

A repetition takes all it can and gives nothing back, so a text is gone through once for each place where a match may
begin: no pattern is slow on any text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Pattern", "read_pattern"]

_Step: TypeAlias = "tuple[Callable[[str], bool], bool]"
"""(whether a character fits, whether it may be repeated)."""

_ESCAPED = "#@?+\\"


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    steps: tuple[_Step, ...]

    def first(self, text: str) -> str | None:
        for start in range(len(text)):
            end = self._end(text, start)
            if end is not None:
                return text[start:end]
        return None

    def _end(self, text: str, at: int) -> int | None:
        for fits, is_repeated in self.steps:
            if at >= len(text) or not fits(text[at]):
                return None
            at += 1
            while is_repeated and at < len(text) and fits(text[at]):
                at += 1
        return at


def read_pattern(text: str) -> Pattern:
    """Raises `ValueError` on an empty pattern, or a `+` or backslash with nothing to it."""
    steps: list[_Step] = []
    at = 0
    while at < len(text):
        mark = text[at]
        at += 1
        if mark == "+":
            if not steps or steps[-1][1]:
                raise ValueError("+ stands behind nothing")
            steps[-1] = (steps[-1][0], True)
        elif mark == "\\":
            if at == len(text) or text[at] not in _ESCAPED:
                raise ValueError(f"a backslash stands before one of {_ESCAPED}")
            steps.append((text[at].__eq__, False))
            at += 1
        else:
            steps.append((_CLASSES.get(mark, mark.__eq__), False))
    if not steps:
        raise ValueError("it is empty")
    return Pattern(text, tuple(steps))


_CLASSES: dict[str, Callable[[str], bool]] = {
    "#": lambda mark: mark.isascii() and mark.isdigit(),
    "@": lambda mark: mark.isascii() and mark.isalpha(),
    "?": lambda mark: True,
}
