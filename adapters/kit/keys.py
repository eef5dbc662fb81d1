"""Which columns are the asset's native key."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.kit.guess import ColumnGuess
from adapters.kit.survey import ColumnSurvey, TableSurvey
from adapters.kit.words import names_of
from adapters.mapping.model import DOCUMENT_ENGINES, SQL_ENGINES
from adapters.mapping.values import code_text

__all__ = ["KeyGuess", "guess_key"]

_PAIR_COLUMNS = 10
"""Keys stand at the beginning of a table; pairs further on are chance."""
_UNIQUE_MIN = 0.97
"""Real stores have some double keys: those rows are quarantined."""
_FAIRLY_UNIQUE_MIN = 0.7
"""Where the name says that it is the key."""
_FILLED_MIN = 0.8
_INTEGERS = ("INT", "SERIAL", "BIGSERIAL")


@dataclass(frozen=True, slots=True)
class KeyGuess:
    columns: tuple[str, ...]
    integers: tuple[str, ...]
    score: float
    reason: str


def guess_key(asset: TableSurvey, columns: Mapping[str, ColumnGuess], engine: str) -> KeyGuess:
    found, score, reason = _columns(asset, columns, engine)
    integers = tuple(name for name in found if engine in SQL_ENGINES and _is_integer(asset.column(name)))
    return KeyGuess(found, integers, score, reason)


def _columns(asset: TableSurvey, guesses: Mapping[str, ColumnGuess], engine: str) -> tuple[tuple[str, ...], float, str]:
    has_versions = "latest" in guesses
    if asset.key and engine not in DOCUMENT_ENGINES and not has_versions:
        return asset.key, 0.95, "the table's primary key"
    if asset.unique and not has_versions:
        return asset.unique[0], 0.9, "the store keeps it unique"
    if has_versions and (found := _named_key(asset)) is not None:
        return (found[0],), 0.7, f"a card has several versions, so this is no declared key; {found[1]}"
    for target, least in (("id", _FAIRLY_UNIQUE_MIN), ("code", _UNIQUE_MIN)):
        guess = guesses.get(target)
        if guess is not None and _share_unique(guess.column) >= least:
            return (guess.column.name,), 0.7, f"no key is declared; {guess.reason}"
    pair = _pair(asset)
    if pair is not None:
        return pair, 0.5, "no key is declared; together their values differ"
    code = guesses.get("code")
    if code is not None:
        return (code.column.name,), 0.4, f"no key is declared, and some of its values repeat; {code.reason}"
    if asset.key:
        return asset.key, 0.9, "the collection's own key"
    return (asset.columns[0].name,), 0.1, "no key is declared, and no column looks like one"


def _named_key(asset: TableSurvey) -> tuple[str, str] | None:
    """(the column that is called a card's number, why)."""
    named = [
        (one.score, column.name, one.reason)
        for column in asset.columns
        for one in names_of(column.name, column.comment)
        if one.target == "id" and not column.is_joined
    ]
    return max(named)[1:] if named else None


def _share_unique(*columns: ColumnSurvey) -> float:
    """The share of rows whose value is its own, of those that have one (files have footers)."""
    rows = list(zip(*(map(code_text, column.samples) for column in columns), strict=True))
    filled = [row for row in rows if None not in row]
    return len(set(filled)) / len(filled) if filled and len(filled) >= _FILLED_MIN * len(rows) else 0.0


def _pair(asset: TableSurvey) -> tuple[str, ...] | None:
    early: Sequence[ColumnSurvey] = [one for one in asset.columns[:_PAIR_COLUMNS] if _is_short(one)]
    for pair in itertools.combinations(early[:4], 2):
        if _share_unique(*pair) >= _UNIQUE_MIN - 0.05:
            return tuple(column.name for column in pair)
    return None


def _is_short(column: ColumnSurvey) -> bool:
    texts = [text for value in column.samples if (text := code_text(value)) is not None]
    return bool(texts) and all(len(text) <= 32 and text.isascii() for text in texts)


def _is_integer(column: ColumnSurvey | None) -> bool:
    if column is None or not any(word in column.type.upper() for word in _INTEGERS):
        return False
    return all(isinstance(value, int) for value in column.samples if value is not None)
