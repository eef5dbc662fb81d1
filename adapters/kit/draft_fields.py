"""How each guessed field is written: its keys in the mapping language, and what the engineer should look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from adapters.canonical import CANONICAL_FIELDS
from adapters.kit.guess import ColumnGuess
from adapters.kit.guess_values import date_formats
from adapters.kit.lists import CodeTable
from adapters.kit.words import code_value, tokens
from adapters.mapping.numbers import MEASURE_WORDS
from adapters.model import FieldKind

__all__ = ["FieldDraft", "code_values", "draft_field", "from_name"]

_MONEY = ("originalValue", "accumulatedDepreciation", "netValue")
_YEARS_MAX = 30
"""Half of an office's things live up to 20 years, or 240 months: a median above is months."""
_FEN_MEDIAN_MIN = 50_000
"""Whole numbers whose half is above: 500 yuan in 分, or rather dear things in 元."""
_WAN_MEDIAN_MAX = 5
"""An asset card begins at 1,000 yuan in most rules: a median below 5 is 万元."""
_WAN_DECIMALS_MIN = 3
_NAME_QUANTITY_MIN = 0.02


@dataclass(slots=True)
class FieldDraft:
    """One field: its table, why, and what is still to do."""

    target: str
    keys: dict[str, object] = field(default_factory=dict)
    reason: str = ""
    score: float = 0.0
    todo: list[str] = field(default_factory=list)

    @property
    def is_long(self) -> bool:
        return "codes" in self.keys


def draft_field(target: str, guess: ColumnGuess, codes: CodeTable | None) -> FieldDraft:
    drafted = FieldDraft(target, {"column": guess.column.name}, guess.reason, guess.score)
    spec = CANONICAL_FIELDS[target]
    if target in _MONEY:
        _money(drafted, guess)
    elif target == "usefulLifeMonths":
        _life(drafted, guess)
    elif spec.kind in (FieldKind.DATE, FieldKind.DATETIME):
        _day(drafted, guess, spec.kind)
    elif spec.kind in (FieldKind.ENUM, FieldKind.BOOLEAN):
        _codes(drafted, guess, codes)
    elif target == "version":
        drafted.todo.append(
            "confirm that it changes with every change of the row; else write version = { digest = true }"
        )
    elif spec.kind is FieldKind.TEXT:
        _text(drafted, guess)
    if spec.personal:
        drafted.reason += "; personal data, shown to the own unit and region only"
    return drafted


def _text(drafted: FieldDraft, guess: ColumnGuess) -> None:
    clean = ["trim"]
    if drafted.target == "code" and guess.shape.share("wide"):
        clean.append("width")
    if guess.shape.share("mojibake"):
        clean.append("mojibake")
        drafted.reason += f"; {guess.shape.share('mojibake'):.1%} of its values are garbled (GBK read as Latin-1)"
    if len(clean) > 1:
        drafted.keys["clean"] = clean


def from_name(name: ColumnGuess) -> bool:
    """Whether names end with a number and a measure word (台式电脑3台)."""
    ends = [text for value in name.column.samples if (text := str(value or "").strip()) and text[-1] in MEASURE_WORDS]
    return len([text for text in ends if text[-2:-1].isdigit()]) >= _NAME_QUANTITY_MIN * max(name.shape.filled, 1)


# --- money and time -----------------------------------------------------------------------------------------------


def _money(drafted: FieldDraft, guess: ColumnGuess) -> None:
    unit, why, sure = _money_unit(guess)
    drafted.keys["unit"] = unit
    drafted.reason += f"; in {unit}: {why}"
    if not sure:
        drafted.todo.append(f"confirm the unit {unit} with one card whose price you know (元, 万元, 分)")


def _money_unit(guess: ColumnGuess) -> tuple[str, str, bool]:
    """(unit, why, whether that is beyond doubt)."""
    said = f"{guess.column.name} {guess.column.comment}"
    if "万" in said:
        return "万元", "name or comment says 万", True
    if "分" in guess.column.comment or "fen" in tokens(guess.column.name):
        return "分", "name or comment says 分", True
    median = guess.shape.median or Decimal(0)
    if 0 < median < _WAN_MEDIAN_MAX and guess.shape.decimals_max >= _WAN_DECIMALS_MIN:
        return "万元", f"half of the values are below {median:f}, with {guess.shape.decimals_max} decimals", False
    if guess.shape.share("fraction") == 0 and median >= _FEN_MEDIAN_MIN:
        return "分", f"whole numbers, half of them above {median:f}", False
    return "元", f"half of the values are below {median:f}", False


def _life(drafted: FieldDraft, guess: ColumnGuess) -> None:
    median = guess.shape.median or Decimal(0)
    said = f"{guess.column.name} {guess.column.comment}".lower()
    months = "月" in said or "month" in said or (median > _YEARS_MAX and "年" not in guess.column.comment)
    drafted.keys["unit"] = "months" if months else "years"
    drafted.reason += f"; in {drafted.keys['unit']}: half of the values are up to {median:f}"


def _day(drafted: FieldDraft, guess: ColumnGuess, kind: FieldKind) -> None:
    native = all(isinstance(value, date) for value in guess.column.samples if value is not None)
    formats = date_formats(guess.shape)
    if not native and formats and formats != ("ymd",):
        drafted.keys["formats"] = list(formats)
    if guess.shape.share("zero day"):
        drafted.reason += f"; {guess.shape.share('zero day'):.1%} are zero: null with ZERO_DATE"
        if kind is FieldKind.DATETIME:
            drafted.keys["empty"] = ["0"]
    if kind is FieldKind.DATETIME and not {"epoch_s", "epoch_ms"} & set(formats):
        drafted.todo.append('times are read as Shanghai\'s; add zone = "UTC" if the store keeps UTC')


# --- codes --------------------------------------------------------------------------------------------------------


def code_values(target: str, guess: ColumnGuess, codes: CodeTable | None) -> dict[str, tuple[str | None, str]]:
    """Code → (the contract's value or None, its word). Of a code table all codes, else those that samples have."""
    words: Mapping[str, str] = codes.words if codes else {}
    found: dict[str, tuple[str | None, str]] = {}
    for code in [*words, *(text for text, _ in guess.shape.codes if text not in words)]:
        word = words.get(code, code)
        found[code] = (code_value(target, word), word)
    return found


def _codes(drafted: FieldDraft, guess: ColumnGuess, codes: CodeTable | None) -> None:
    found = code_values(drafted.target, guess, codes)
    spec = CANONICAL_FIELDS[drafted.target]
    if codes is not None:
        drafted.reason += f"; words by {codes.reason}"
    names = spec.values or ("true", "false", "1", "0")
    seen = [code for code, _ in guess.shape.codes]
    if sum(code in names for code in seen) * 2 > len(seen):
        drafted.reason += "; its values are read as they stand"
        return
    drafted.keys["codes"] = {code: value for code, (value, _) in found.items() if value is not None}
    unknown = [
        f'"{code}"' + (f" ({word})" if word != code else "") for code, (value, word) in found.items() if value is None
    ]
    if unknown:
        drafted.todo.append(f"what do the codes mean: {', '.join(unknown)}? What codes lacks is null with UNKNOWN_CODE")
