"""What every expression is, and its leaves.

    column ─┐
    column ─┼─▶ operation ─▶ … ─▶ a value in place of a column's ─▶ the field's own keys (codes, formats, unit, …)
    value  ─┘

Nothing recorded is None all the way through: an operation on None gives None, and `first` goes on to its next part. A
value that an operation cannot read (an amount that is no number) is an issue and ends the expression: the field is
then null, and no default stands in for what the store does say.

**Inverses.** `inverse(value)` describes rows that *may* give the value: every row that does fulfils one of the tests
(a superset), so a store can narrow by its own index and check exactly afterwards. `()` means that no row gives it,
None that nothing can be said.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from adapters.mapping.issues import issue
from adapters.mapping.values import text_of, trimmed
from adapters.model import Issue

__all__ = [
    "Column",
    "Compiling",
    "Default",
    "Evaluator",
    "Expression",
    "Inverse",
    "NativeTest",
    "Raw",
    "Type",
    "Unreadable",
    "Value",
    "plain",
]

Raw: TypeAlias = tuple[Any, ...]
Evaluator: TypeAlias = Callable[[Raw, list[Issue]], Any]


class Type(StrEnum):
    ANY = "any"
    """A column: whatever the store keeps."""
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


class Unreadable(Exception):
    """A value that its operation cannot read; the issue has been added."""


@dataclass(frozen=True, slots=True)
class NativeTest:
    """A test of one column: of its trimmed text (`is`, `starts`, `contains`), of its text in plain width (`code`), or
    of the number it holds (`number`)."""

    column: str
    test: Literal["is", "starts", "contains", "code", "number"]
    value: str


Inverse: TypeAlias = "tuple[NativeTest, ...] | None"


@dataclass(frozen=True, slots=True)
class Compiling:
    """What the functions of one field's expression are made with."""

    index: Map[str, int]
    field: str
    where: str
    number_issue: str = "INVALID_NUMBER"
    """How a number that is none is told: it blocks the row where the field is money."""

    def add(self, found: list[Issue], code: str, value: Any, operation: str) -> None:
        found.append(issue(code, self.field, text_of(value), f"{self.where}.{operation}"))


class Expression(ABC):
    """One operation, with its parts."""

    __slots__ = ()

    def gives(self) -> Type:
        return Type.TEXT

    def operands(self) -> tuple[Expression, ...]:
        return ()

    @abstractmethod
    def compiled(self, compiling: Compiling) -> Evaluator: ...

    def inverse(self, value: str) -> Inverse:
        """Which native rows may give this text."""
        return None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for part in self.operands() for column in part.columns)


def plain(value: Any) -> str | None:
    """How operations on text see a value: its trimmed text, None where nothing is left."""
    return trimmed(text_of(value))


# --- leaves -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column(Expression):
    name: str

    def gives(self) -> Type:
        return Type.ANY

    def compiled(self, compiling: Compiling) -> Evaluator:
        at = compiling.index[self.name]
        return lambda raw, found: raw[at]

    def inverse(self, value: str) -> Inverse:
        return (NativeTest(self.name, "is", value),)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Value(Expression):
    """A constant that is right for every row."""

    text: str

    def compiled(self, compiling: Compiling) -> Evaluator:
        text = self.text
        return lambda raw, found: text

    def inverse(self, value: str) -> Inverse:
        return None if value == self.text else ()


@dataclass(frozen=True, slots=True)
class Default(Expression):
    """A constant that stands in for what is not recorded: the row bears `DEFAULTED`."""

    text: str

    def compiled(self, compiling: Compiling) -> Evaluator:
        def evaluate(raw: Raw, found: list[Issue]) -> str:
            compiling.add(found, "DEFAULTED", None, "default")
            return self.text

        return evaluate

    def inverse(self, value: str) -> Inverse:
        return None if value == self.text else ()
