"""Operations that give text. Each sees its parts as trimmed text, and gives trimmed text or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.mapping.expressions.model import (
    Column,
    Compiling,
    Evaluator,
    Expression,
    Inverse,
    NativeTest,
    Raw,
    Type,
    plain,
)
from adapters.mapping.expressions.patterns import Pattern
from adapters.mapping.numbers import quantity_in_name
from adapters.mapping.values import code_text, trimmed
from adapters.model import Issue

__all__ = [
    "Between",
    "Concat",
    "DateOf",
    "Extract",
    "Lower",
    "MeasureWord",
    "Replace",
    "Split",
    "Substring",
    "Trim",
    "Upper",
    "Width",
]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class _OfText(Expression):
    """An operation on one text."""

    __slots__ = ()
    part: Expression

    def operands(self) -> tuple[Expression, ...]:
        return (self.part,)

    def of(self, text: str) -> str | None:
        raise NotImplementedError

    def compiled(self, compiling: Compiling) -> Evaluator:
        part, of = self.part.compiled(compiling), self.of

        def evaluate(raw: Raw, found: list[Issue]) -> str | None:
            text = plain(part(raw, found))
            return None if text is None else trimmed(of(text))

        return evaluate

    def _inside(self, value: str, is_start: bool = False) -> Inverse:
        """The value stands in the column's text as it is."""
        if not isinstance(self.part, Column):
            return None
        return (NativeTest(self.part.name, "starts" if is_start else "contains", value),)


@dataclass(frozen=True, slots=True)
class Trim(_OfText):
    part: Expression

    def of(self, text: str) -> str:
        return text

    def inverse(self, value: str) -> Inverse:
        return self.part.inverse(value)


@dataclass(frozen=True, slots=True)
class Width(_OfText):
    """Full width to plain (NFKC)."""

    part: Expression

    def of(self, text: str) -> str | None:
        return code_text(text)

    def inverse(self, value: str) -> Inverse:
        return (NativeTest(self.part.name, "code", value),) if isinstance(self.part, Column) else None


@dataclass(frozen=True, slots=True)
class Upper(_OfText):
    part: Expression

    def of(self, text: str) -> str:
        return text.upper()


@dataclass(frozen=True, slots=True)
class Lower(_OfText):
    part: Expression

    def of(self, text: str) -> str:
        return text.lower()


@dataclass(frozen=True, slots=True)
class Substring(_OfText):
    """`length` characters from the `start`-th on; counted from 1, of the trimmed text."""

    part: Expression
    start: int
    length: int | None

    def of(self, text: str) -> str:
        end = None if self.length is None else self.start - 1 + self.length
        return text[self.start - 1 : end]

    def inverse(self, value: str) -> Inverse:
        return self._inside(value, self.start == 1)


@dataclass(frozen=True, slots=True)
class Split(_OfText):
    """The `number`-th piece between separators; from the end where it is negative."""

    part: Expression
    by: str
    number: int

    def of(self, text: str) -> str | None:
        pieces = text.split(self.by)
        at = self.number - 1 if self.number > 0 else len(pieces) + self.number
        return pieces[at] if 0 <= at < len(pieces) else None

    def inverse(self, value: str) -> Inverse:
        return () if self.by in value else self._inside(value, self.number == 1)


@dataclass(frozen=True, slots=True)
class Between(_OfText):
    """What stands behind `after` (or at the start) and in front of the next `before` (or up to the end)."""

    part: Expression
    after: str | None
    before: str | None

    def of(self, text: str) -> str | None:
        if self.after is not None:
            _, mark, text = text.partition(self.after)
            if not mark:
                return None
        if self.before is not None:
            text, mark, _ = text.partition(self.before)
            if not mark:
                return None
        return text

    def inverse(self, value: str) -> Inverse:
        return self._inside(value, self.after is None)


@dataclass(frozen=True, slots=True)
class Extract(_OfText):
    """The first place that looks like the pattern."""

    part: Expression
    pattern: Pattern

    def of(self, text: str) -> str | None:
        return self.pattern.first(text)

    def inverse(self, value: str) -> Inverse:
        return self._inside(value)


@dataclass(frozen=True, slots=True)
class Replace(_OfText):
    part: Expression
    old: str
    new: str

    def of(self, text: str) -> str:
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Concat(Expression):
    """The parts that are not empty, with the separator between them."""

    parts: tuple[Expression, ...]
    separator: str

    def operands(self) -> tuple[Expression, ...]:
        return self.parts

    def compiled(self, compiling: Compiling) -> Evaluator:
        parts = [part.compiled(compiling) for part in self.parts]

        def evaluate(raw: Raw, found: list[Issue]) -> str | None:
            texts = [text for part in parts if (text := plain(part(raw, found))) is not None]
            return trimmed(self.separator.join(texts))

        return evaluate


@dataclass(frozen=True, slots=True)
class MeasureWord(_OfText):
    """`台式电脑3台` → 台."""

    part: Expression

    def of(self, text: str) -> str | None:
        counted = quantity_in_name(text)
        return None if counted is None else counted[1]


@dataclass(frozen=True, slots=True)
class DateOf(Expression):
    """A day out of its parts, as `2019-3-5`; what is missing is written 0, so that the day is partial or zero."""

    year: Expression
    month: Expression
    day: Expression

    def gives(self) -> Type:
        return Type.DATE

    def operands(self) -> tuple[Expression, ...]:
        return (self.year, self.month, self.day)

    def compiled(self, compiling: Compiling) -> Evaluator:
        year, month, day = (part.compiled(compiling) for part in self.operands())

        def evaluate(raw: Raw, found: list[Issue]) -> str | None:
            texts = [code_text(part(raw, found)) for part in (year, month, day)]
            if texts == [None, None, None]:
                return None
            return "-".join(_recorded(text) or zero for text, zero in zip(texts, ("0000", "00", "00"), strict=True))

        return evaluate

    def inverse(self, value: str) -> Inverse:
        if not isinstance(self.year, Column) or not _DAY.fullmatch(value):
            return None
        return (NativeTest(self.year.name, "code", value[:4]),)


def _recorded(text: str | None) -> str | None:
    return None if text is None or set(text) == {"0"} else text
