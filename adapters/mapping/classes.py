"""Asset classes (GB/T 14885) of three generations, and their translation to 2022.

**The trap**: the same code means different things in different generations: `A02010104` is 台式计算机 in 2010 and
服务器 in 2022. So a class is always the pair (scheme, code), the mapping says the scheme, and a code that stands in
no table of its own scheme is not placed, however much it looks like one of another.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

__all__ = ["class_name", "codes_of", "to_2022"]


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """((scheme, code) → 2022 code, (scheme, code) → name)."""
    translation: dict[tuple[str, str], str] = {}
    names: dict[tuple[str, str], str] = {}
    text = resources.files("adapters.mapping").joinpath("classes.csv").read_text(encoding="utf-8")
    for line in csv.DictReader(text.splitlines()):
        for scheme in ("2022", "2010", "1994"):
            if line[f"code{scheme}"]:
                translation[scheme, line[f"code{scheme}"]] = line["code2022"]
                names[scheme, line[f"code{scheme}"]] = line[f"name{scheme}"]
    return translation, names


def codes_of(scheme: str) -> list[str]:
    """All codes of a scheme that can be placed."""
    return [code for known, code in _tables()[0] if known == scheme]


def to_2022(scheme: str, code: str) -> str | None:
    """The 2022 code; None where it cannot be placed."""
    return _tables()[0].get((scheme, code))


def class_name(scheme: str, code: str) -> str | None:
    """What the scheme calls it."""
    return _tables()[1].get((scheme, code))
