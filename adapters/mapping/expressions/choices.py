"""Operations that choose: the first that is there, or by a value."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from adapters.mapping.expressions.model import (
    Column,
    Compiling,
    Default,
    Evaluator,
    Expression,
    Inverse,
    NativeTest,
    Raw,
    Type,
    Unreadable,
    Value,
    plain,
)
from adapters.mapping.values import code_text
from adapters.model import Issue

__all__ = ["Case", "Coalesce", "First"]


def _union(parts: tuple[Expression, ...], value: str) -> Inverse:
    tests: list[NativeTest] = []
    for part in parts:
        own = part.inverse(value)
        if own is None:
            return None
        tests += own
    return tuple(tests)


def _shared(parts: tuple[Expression, ...]) -> Type:
    """A day where one of the parts is a day: only other days and columns stand beside it."""
    given = {part.gives() for part in parts}
    return Type.DATE if Type.DATE in given else given.pop() if len(given) == 1 else Type.ANY


@dataclass(frozen=True, slots=True)
class _Choice(Expression):
    """The first part that says something."""

    parts: tuple[Expression, ...]

    def operands(self) -> tuple[Expression, ...]:
        return self.parts

    def gives(self) -> Type:
        return _shared(self.parts)

    @staticmethod
    def says(value: Any) -> bool:
        raise NotImplementedError

    def compiled(self, compiling: Compiling) -> Evaluator:
        parts, says = [part.compiled(compiling) for part in self.parts], self.says

        def evaluate(raw: Raw, found: list[Issue]) -> Any:
            for part in parts:
                value = part(raw, found)
                if says(value):
                    return value
            return None

        return evaluate

    def inverse(self, value: str) -> Inverse:
        return _union(self.parts, value)


class First(_Choice):
    """The first part that is not empty: neither null nor blank."""

    __slots__ = ()

    @staticmethod
    def says(value: Any) -> bool:
        return plain(value) is not None


class Coalesce(_Choice):
    """The first part that is not null: a blank one is taken, and means that nothing is recorded."""

    __slots__ = ()

    @staticmethod
    def says(value: Any) -> bool:
        return value is not None


@dataclass(frozen=True, slots=True)
class Case(Expression):
    """What a code stands for. A code that is not listed is the `otherwise`, else an `UNKNOWN_CODE`."""

    part: Expression
    of: Map[str, str]
    """By codes in plain width."""
    otherwise: Expression | None

    def operands(self) -> tuple[Expression, ...]:
        return (self.part,) if self.otherwise is None else (self.part, self.otherwise)

    def compiled(self, compiling: Compiling) -> Evaluator:
        part = self.part.compiled(compiling)
        otherwise = None if self.otherwise is None else self.otherwise.compiled(compiling)

        def evaluate(raw: Raw, found: list[Issue]) -> Any:
            value = part(raw, found)
            text = code_text(value)
            if text is not None and text in self.of:
                return self.of[text]
            if otherwise is not None:
                return otherwise(raw, found)
            if text is None:
                return None
            compiling.add(found, "UNKNOWN_CODE", value, "case")
            raise Unreadable

        return evaluate

    def inverse(self, value: str) -> Inverse:
        if not isinstance(self.part, Column):
            return None
        if self.otherwise is not None and not self._is_other(value):
            return None
        return tuple(NativeTest(self.part.name, "code", code) for code, meant in self.of.items() if meant == value)

    def _is_other(self, value: str) -> bool:
        """Whether the `otherwise` never gives this value."""
        return isinstance(self.otherwise, Value | Default) and self.otherwise.text != value
