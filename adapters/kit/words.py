"""The dictionary of names: how Chinese offices call an asset's columns, in characters, pinyin, initials, and English.

The words are data (`words.csv`, `codes.csv`), this module only compares. One spelling of a word in pinyin stands for
all its abbreviations: of `zi chan ming cheng`, `zcmc`, `zicmc`, `zichanmc` and `zichanmingcheng` alike.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from adapters.mapping.values import code_text

__all__ = ["Named", "code_value", "names_of", "tokens"]

_SURE, _FULL, _MIXED, _INITIALS, _PART = 0.95, 0.9, 0.8, 0.7, 0.55
"""How much a name says: the very word; all of its pinyin; some; initials only, which other words share; a part of it."""
_SHORT = 2
"""Initials of so few letters mean nearly anything."""
_SHORT_FACTOR = 0.6
_SUFFIXES = frozenset({"id", "no", "code", "name", "fen", "yuan", "wan", "wanyuan"})
"""What stands behind a word: how it is kept, or in which unit."""
_SUFFIX_FACTOR = 0.9
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PREFIXES = frozenset({"f", "c", "fd", "col", "fld"})
"""What vendors put before every column."""


@dataclass(frozen=True, slots=True)
class Named:
    target: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Word:
    target: str
    chinese: str
    pinyin: str
    pattern: re.Pattern[str] | None
    english: str


@lru_cache(maxsize=1)
def _words() -> tuple[_Word, ...]:
    text = resources.files("adapters.kit").joinpath("words.csv").read_text(encoding="utf-8")
    return tuple(
        _Word(
            line["target"], line["chinese"], line["pinyin"].replace(" ", ""), _pattern(line["pinyin"]), line["english"]
        )
        for line in csv.DictReader(text.splitlines())
    )


def _pattern(pinyin: str) -> re.Pattern[str] | None:
    """Each syllable whole, or its initial (`zh` or `z`)."""
    syllables = pinyin.split()
    if not syllables:
        return None
    parts = []
    for syllable in syllables:
        short = f"{syllable[0]}h?" if syllable[1:2] == "h" else syllable[0]
        parts.append(f"(?:{syllable}|{short})")
    return re.compile("".join(parts))


@lru_cache(maxsize=1)
def _code_words() -> dict[tuple[str, str], str]:
    text = resources.files("adapters.kit").joinpath("codes.csv").read_text(encoding="utf-8")
    return {
        (line["field"], word): line["value"]
        for line in csv.DictReader(text.splitlines())
        for word in line["words"].split()
    }


def code_value(field: str, text: object) -> str | None:
    """What a code's own word means: (status, 在用) → IN_USE."""
    word = code_text(text)
    if word is None:
        return None
    known = _code_words()
    folded = word.casefold().replace(" ", "_")
    return known.get((field, word)) or known.get((field, folded))


def tokens(name: str) -> list[str]:
    parts = [part.lower() for part in re.split(r"[\s_.\-]+", _CAMEL.sub("_", name)) if part]
    return parts[1:] if len(parts) > 1 and parts[0] in _PREFIXES else parts


def names_of(name: str, comment: str = "") -> list[Named]:
    """What a column (or table) of this name and comment may be, the best of each target first."""
    best: dict[str, Named] = {}
    for word in _words():
        for found in (_by_comment(word, comment), _by_chinese(word, name), _by_letters(word, name)):
            if found is not None and (word.target not in best or best[word.target].score < found.score):
                best[word.target] = found
    return sorted(best.values(), key=lambda found: -found.score)


def _by_comment(word: _Word, comment: str) -> Named | None:
    label = re.split(r"[\s(（:：,，;；]", comment.strip(), maxsplit=1)[0]
    if not word.chinese or not label:
        return None
    if label == word.chinese:
        return Named(word.target, _SURE, f"its comment is {word.chinese}")
    if len(word.chinese) > 1 and word.chinese in comment:
        share = len(word.chinese) / max(len(comment), 1)
        return Named(word.target, _PART + (_FULL - _PART) * share, f"its comment says {word.chinese}")
    return None


def _by_chinese(word: _Word, name: str) -> Named | None:
    if not word.chinese or name.isascii():
        return None
    if name == word.chinese:
        return Named(word.target, _SURE, f"its name is {word.chinese}")
    if len(word.chinese) > 1 and word.chinese in name:
        share = len(word.chinese) / len(name)
        return Named(word.target, _PART + (_FULL - _PART) * share, f"its name says {word.chinese}")
    return None


def _by_letters(word: _Word, name: str) -> Named | None:
    parts = tokens(name)
    if not parts or not name.isascii():
        return None
    joined = "".join(parts)
    if len(parts) > 1 and parts[-1] in _SUFFIXES and (inner := _by_letters(word, "_".join(parts[:-1]))) is not None:
        return Named(inner.target, inner.score * _SUFFIX_FACTOR, f"{inner.reason}, before _{parts[-1]}")
    english = word.english.split()
    if parts == english or joined == "".join(english):
        return Named(word.target, _SURE if len(joined) > _SHORT else _PART, f'its name is "{word.english}"')
    if english and len(parts) > len(english) and parts[-len(english) :] == english:
        return Named(word.target, _PART, f'its name ends with "{word.english}"')
    if word.pattern is None or not word.pattern.fullmatch(joined):
        return None
    if joined == word.pinyin:
        return Named(word.target, _FULL, f"its name is the pinyin of {word.chinese}")
    score = _INITIALS if len(joined) <= len(word.chinese) + 1 else _MIXED
    if len(joined) <= _SHORT:
        score *= _SHORT_FACTOR
    kind = "the initials" if score < _MIXED else "the shortened pinyin"
    return Named(word.target, score, f"its name is {kind} of {word.chinese}")
