"""What sampled values look like: shares of forms, distinct values, sizes. Nothing here knows names.

A value may have several forms: `20190305` is a number, a compact day, and might be a code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from statistics import median
from typing import Any

from adapters.mapping.classes import codes_of
from adapters.mapping.numbers import MEASURE_WORDS
from adapters.mapping.values import code_text, is_mojibake, text_of
from contract.uscc import is_valid_uscc

__all__ = ["Shape", "shape_of"]

CODES_MAX = 30
"""A column with more distinct values is no list of codes."""
CODE_LENGTH_MAX = 32
_NUMBER = re.compile(r"[¥￥]?-?\d{1,3}(,\d{3})+(\.\d+)?|[¥￥]?-?\d+(\.\d+)?", re.ASCII)
_YMD = re.compile(r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?([ T]\d{1,2}:.*)?", re.ASCII)
_COMPACT = re.compile(r"(19|20)\d{2}(0[0-9]|1[0-2])([0-2]\d|3[01])", re.ASCII)
_ZERO_DAY = re.compile(r"0{8}|0|0000-00-00.*", re.ASCII)
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭"
    "廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞"
)
_PERSON = re.compile(f"[{_SURNAMES}][\u4e00-\u9fff]{{1,3}}")
"""By surname: nine of ten people of China have one of these."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PLACE = re.compile(r"\d+\s*(号楼|楼|室|层|号)")
_EPOCH_S = range(100_000_000, 2_200_000_000)
_EPOCH_MS = range(100_000_000_000, 2_200_000_000_000)
_EXCEL = range(20_000, 60_000)
"""1954 to 2064: an office's purchases."""
_MEASURES = frozenset(MEASURE_WORDS)


@lru_cache(maxsize=1)
def _classes() -> dict[str, frozenset[str]]:
    return {scheme: frozenset(codes_of(scheme)) for scheme in ("1994", "2010", "2022")}


@dataclass(frozen=True, slots=True)
class Shape:
    total: int
    filled: int
    distinct: int
    forms: Mapping[str, float]
    """Form → share of the filled values that have it."""
    codes: tuple[tuple[str, int], ...]
    """Distinct values with their numbers, most frequent first; empty where there are too many."""
    median: Decimal | None
    """Of the numbers among them."""
    decimals_max: int
    length_max: int
    """Characters of the longest value."""

    def share(self, *forms: str) -> float:
        return max((self.forms.get(form, 0.0) for form in forms), default=0.0)

    @property
    def is_code_like(self) -> bool:
        return len(self.codes) > 0 and self.length_max <= CODE_LENGTH_MAX and self.distinct * 2 <= max(self.filled, 3)


def shape_of(samples: Sequence[Any]) -> Shape:
    filled = [value for value in samples if code_text(value) is not None]
    texts = [str(text_of(value)).strip() for value in filled]
    counts = Counter(texts)
    forms: Counter[str] = Counter()
    numbers = []
    for value in filled:
        plain = code_text(value) or ""
        forms.update(name for name, test in _FORMS.items() if test(value, plain))
        if _NUMBER.fullmatch(plain):
            numbers.append(Decimal(plain.lstrip("¥￥").replace(",", "")))
    return Shape(
        total=len(samples),
        filled=len(filled),
        distinct=len(counts),
        forms={name: number / len(filled) for name, number in forms.items()},
        codes=tuple(counts.most_common()) if len(counts) <= CODES_MAX else (),
        median=median(numbers) if numbers else None,
        decimals_max=max((len(str(number).partition(".")[2].rstrip("0")) for number in numbers), default=0),
        length_max=max(map(len, texts), default=0),
    )


def _whole(value: Any, text: str) -> int | None:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return None
    return int(text)


def _in(span: range) -> Callable[[Any, str], bool]:
    return lambda value, text: (number := _whole(value, text)) is not None and number in span


def _of_class(scheme: str) -> Callable[[Any, str], bool]:
    return lambda value, text: text in _classes()[scheme] or (scheme == "2010" and f"A0{text}" in _classes()["2010"])


_FORMS: dict[str, Callable[[Any, str], bool]] = {
    "number": lambda value, text: isinstance(value, int | float | Decimal) or bool(_NUMBER.fullmatch(text)),
    "whole": lambda value, text: _whole(value, text) is not None,
    "fraction": lambda value, text: bool(_NUMBER.fullmatch(text)) and "." in text,
    "day": lambda value, text: isinstance(value, date) and not isinstance(value, datetime),
    "moment": lambda value, text: isinstance(value, datetime) or (bool(_YMD.fullmatch(text)) and ":" in text),
    "ymd": lambda value, text: isinstance(value, date) or bool(_YMD.fullmatch(text)),
    "compact": lambda value, text: bool(_COMPACT.fullmatch(text)),
    "epoch_s": _in(_EPOCH_S),
    "epoch_ms": _in(_EPOCH_MS),
    "excel": _in(_EXCEL),
    "zero day": lambda value, text: bool(_ZERO_DAY.fullmatch(text)),
    "flag": lambda value, text: text.lower() in ("0", "1", "true", "false", "t", "f", "y", "n", "是", "否"),
    "uscc": lambda value, text: len(text) == 18 and is_valid_uscc(text),
    "class 1994": _of_class("1994"),
    "class 2010": _of_class("2010"),
    "class 2022": _of_class("2022"),
    "class prefix": lambda value, text: bool(re.fullmatch(r"A0?\d{5,9}", text)),
    "short class": lambda value, text: not text.startswith("A") and text not in _classes()["1994"] and f"A0{text}" in _classes()["2010"],
    "measure": lambda value, text: text in _MEASURES,
    "person": lambda value, text: bool(_PERSON.fullmatch(text)),
    "place": lambda value, text: bool(_PLACE.search(text)),
    "chinese": lambda value, text: bool(_CHINESE.search(text)),
    "mojibake": lambda value, text: is_mojibake(str(text_of(value))),
    "wide": lambda value, text: code_text(value) != str(text_of(value)).strip(),
    "region": lambda value, text: bool(re.fullmatch(r"3301\d\d", text)),
    "street": lambda value, text: text.endswith(("街道", "镇", "乡")),
    "hex": lambda value, text: bool(re.fullmatch(r"[0-9A-Fa-f]{32}|[0-9a-f-]{36}", text)),
}  # fmt: skip
