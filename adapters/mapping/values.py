"""Native values as text, and the cleanings of text: trim, width, mojibake.

Text is trimmed of exactly the characters in `TRIMMED`, so that a store's own `trim` can be told to do the same.
Mojibake is GBK that somebody once read as Latin-1 (`°ì¹«×À` for 办公桌): at least two such characters in a row, for
one alone may be the `×` of 1920×1080 or the `°` of 25°C.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = [
    "TRIMMED",
    "Differing",
    "Unread",
    "code_text",
    "is_mojibake",
    "is_single",
    "is_unicode",
    "is_written_out",
    "repair_mojibake",
    "text_of",
    "trimmed",
]

TRIMMED = " \t\r\n\x0b\x0c\x85\xa0\u2002\u2003\u2009\u200b\u3000\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER_BITS_MAX = 1024
"""Longer ones are shown in hexadecimal: Python refuses to write thousands of digits, and nobody reads them."""
_DIGITS_MAX = 300
_DEPTH_MAX = 32
_RUN = re.compile("[\x80-\xff]{2,}")
_LATIN_1_HIGH = re.compile("[\x80-\xff]")
_CHINESE = re.compile("[\u3400-\u9fff]")


class Unread(str):
    """What a source shows where it found no value that it can read: a cell's error, a formula never computed."""

    __slots__ = ()


class Differing(dict[str, Any]):
    """What a document says under a column's several names, where that is not the same."""

    __slots__ = ()


def is_single(value: Any) -> bool:
    """Whether it was read, as one value or several that differ; an object or a list is none that a field could have."""
    return type(value) not in (Unread, dict, list)


def text_of(value: Any) -> str | None:
    """A native value as text: the form that codes, conditions and keys are compared in. Always Unicode that can be
    written: halves of a surrogate pair become U+FFFD."""
    if value is None:
        return None
    if isinstance(value, str):
        return value if value.isascii() or is_unicode(value) else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value) if value.bit_length() < _INTEGER_BITS_MAX else hex(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f") if is_written_out(value) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value))
    if isinstance(value, dict | list):
        return json.dumps(_nested(value), ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub("\ufffd", str(value))


def is_unicode(text: str) -> bool:
    """Whether the text can be written: no half of a surrogate pair stands in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_written_out(number: Decimal) -> bool:
    """Whether it has so few digits that they can all be written."""
    return number.is_finite() and abs(number.adjusted()) <= _DIGITS_MAX


def _nested(value: Any, depth: int = 0) -> Any:
    """A document or list as JSON has it: keys are texts, and what JSON lacks stands as its text."""
    if depth == _DEPTH_MAX:
        return "…"
    if isinstance(value, dict):
        return {text_of(key) or "": _nested(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nested(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value.bit_length() < _INTEGER_BITS_MAX:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    return text_of(value)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def trimmed(text: str | None) -> str | None:
    """Without what `TRIMMED` names at either end; None where nothing is left."""
    if text is None:
        return None
    return text.strip(TRIMMED) or None


def code_text(value: Any) -> str | None:
    """How codes, amounts and dates are read: NFKC and trimmed, None where nothing is left."""
    text = text_of(value)
    if text is None:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.strip(TRIMMED) or None


def is_mojibake(text: str) -> bool:
    if text.isascii():
        return False
    return "\ufffd" in text or (_RUN.search(text) is not None and _CHINESE.search(text) is None)


def repair_mojibake(text: str) -> str | None:
    """The Chinese text that the same bytes are in GBK; None where they are none."""
    try:
        repaired = text.encode("latin-1").decode("gb18030")
    except UnicodeError:
        return None
    if _CHINESE.search(repaired) is None or _LATIN_1_HIGH.search(repaired):
        return None
    return repaired
