"""TOML as a draft writes it: values quoted, reasons above or beside them, suggestions commented out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "COMMENT_MAX",
    "FAIR",
    "SURE",
    "comment",
    "inline",
    "inline_list",
    "key_text",
    "quoted",
    "sure",
    "value_text",
]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+")
COMMENT_MAX = 200
SURE, FAIR = 0.85, 0.6
"""From where on a guess is called sure, and likely."""


def quoted(text: str) -> str:
    """A basic string. Control characters are escaped as JSON does, which TOML reads alike."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_text(key: str) -> str:
    return key if _BARE.fullmatch(key) else quoted(key)


def inline_list(values: Iterable[str]) -> str:
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def inline(table: Mapping[str, object]) -> str:
    """`{ column = "zcjz", unit = "元" }`; a lone column is written as its name."""
    if list(table) == ["column"]:
        return quoted(str(table["column"]))
    return _table(table)


def value_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _table({str(key): item for key, item in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return inline_list([str(item) for item in value])
    return quoted(str(value))


def _table(table: Mapping[str, object]) -> str:
    if not table:
        return "{}"
    return "{ " + ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in table.items()) + " }"


def comment(text: str) -> str:
    """One line of comment: what came from the store cannot end it."""
    flat = _BREAKS.sub(" ", text).rstrip()
    return "# " + (flat if len(flat) <= COMMENT_MAX else flat[: COMMENT_MAX - 1] + "…")


def sure(score: float) -> str:
    word = "sure" if score >= SURE else "likely" if score >= FAIR else "a guess"
    return f"{word} ({score:.0%})"
