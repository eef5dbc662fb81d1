"""Setting Chinese text in lines: where a line may end, and what is printed for a character that the font lacks.

A line of Chinese may end after any character, but a closing mark never begins a line and an opening one never ends it
(GB/T 15834). So the text is cut into *atoms*: a character with the marks that cling to it, or a Latin word or number.
Lines are filled with atoms; only an atom that is wider than a whole line is cut inside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator

__all__ = ["GETA", "atoms", "break_lines", "plain", "with_known_glyphs"]

Measure = Callable[[str], float]

GETA = "〓"
"""What printers set for a character that they have no type for (U+3013)."""
_NEVER_FIRST = frozenset("，。、；：！？）》」』】〕〉”’…—～％‰℃·,.;:!?)]}%°")
_NEVER_LAST = frozenset("（《「『【〔〈“‘￥([{¥$")
_WORD = re.compile(r"[!-~]+|\s+|.", re.DOTALL)


def plain(text: str) -> str:
    """One paragraph, composed, without what steers a terminal or turns the direction of writing."""
    composed = unicodedata.normalize("NFC", text)
    shown = (" " if c.isspace() else c for c in composed if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join("".join(shown).split())


def with_known_glyphs(text: str, known: Collection[int]) -> tuple[str, list[str]]:
    """The text with `GETA` for what the font lacks, and those characters."""
    missing = [c for c in text if ord(c) not in known]
    return ("".join(c if ord(c) in known else GETA for c in text), missing) if missing else (text, [])


def atoms(text: str) -> Iterator[str]:
    """What is never cut at a line's end, in order. A space stands alone."""
    held = ""
    for piece in _WORD.findall(text):
        clings = piece[0] in _NEVER_FIRST or (bool(held) and held[-1] in _NEVER_LAST)
        if held and not (clings and not held.isspace() and not piece.isspace()):
            yield held
            held = ""
        held += piece
    if held:
        yield held


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """Lines no wider than `width`, or of one character where not even that fits. At least one line."""
    lines: list[str] = []
    line, used = "", 0.0
    for atom in (part for whole in atoms(text) for part in _fitting(whole, width, measure)):
        wide = measure(atom)
        if line and used + wide > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        if line or not atom.isspace():
            line, used = line + atom, used + wide
    lines.append(line.rstrip())
    return lines


def _fitting(atom: str, width: float, measure: Measure) -> Iterator[str]:
    """The atom, cut between characters where it is wider than a line."""
    if measure(atom) <= width:
        yield atom
        return
    part = ""
    for character in atom:
        if part and measure(part + character) > width:
            yield part
            part = ""
        part += character
    yield part
