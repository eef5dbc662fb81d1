"""Asset classes (GB/T 14885) of three generations, and their translation to 2022.

**The trap**: the same code means different things in different generations: `A02010104` is 台式计算机 in 2010 and
服务器 in 2022. So a class is always the pair (scheme, code), the mapping says the scheme, and a code that stands in
no table of its own scheme is not placed, however much it looks like one of another.

**The tables**: `classes.csv` has the sample city's classes. The 2010 and 2022 codes of computers are as published; the
furniture's and most older ones are plausible samples and no reference. A real district gives its own table
(`[class] table`), which is asked first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.mapping.model import ClassMapping

__all__ = ["all_class_names", "class_name", "codes_of", "placed", "read_own_table", "to_2022"]

_CODE_2022 = re.compile(r"[A-Z]\d{2,8}", re.ASCII)
OWN_ROWS_MAX = 50_000
_CODE_LENGTH_MAX = 200


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


@lru_cache(maxsize=1)
def all_class_names() -> frozenset[str]:
    """Whatever any scheme calls any class."""
    return frozenset(_tables()[1].values())


def placed(mapped: ClassMapping, code: str) -> tuple[str, str | None] | None:
    """The 2022 code and name of a code as the store has it, by the mapping's own table, else by ours."""
    whole = mapped.prefix + code
    own = mapped.own.get(whole)
    if own is not None:
        return own
    found = to_2022(mapped.scheme, whole)
    return None if found is None else (found, class_name("2022", found))


def read_own_table(path: Path) -> dict[str, tuple[str, str | None]]:
    """code → (2022 code, its name). Raises `ValueError` (also on a file that cannot be read)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    found: dict[str, tuple[str, str | None]] = {}
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in ("code", "code2022", "name2022") if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}")
    for number, line in enumerate(_lines(reader, path.name), 2):
        code, target, name = ((line[key] or "").strip() for key in ("code", "code2022", "name2022"))
        if number > OWN_ROWS_MAX:
            raise ValueError(f"{path.name} has more than {OWN_ROWS_MAX} lines")
        if len(code) > _CODE_LENGTH_MAX:
            raise ValueError(f"{path.name}, line {number}: its code is longer than {_CODE_LENGTH_MAX} characters")
        if not code or not _CODE_2022.fullmatch(target):
            raise ValueError(f"{path.name}, line {number}: {target!r} is no class of 2022, such as A02010105")
        if found.setdefault(code, (target, name or None)) != (target, name or None):
            raise ValueError(f"{path.name}, line {number}: {code!r} stands twice, with two meanings")
    return found


def _lines(reader: csv.DictReader[str], name: str) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num + 1}: {error}") from None
