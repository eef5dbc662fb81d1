"""Exact arithmetic on amounts and quantities. What would have to be rounded is refused, unless the mapping says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import reduce
from typing import Any, ClassVar, TypeAlias

from adapters.mapping.expressions.model import (
    Column,
    Compiling,
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
from adapters.mapping.numbers import quantity_in_name, read_decimal
from adapters.model import Issue
from contract.decimals import format_decimal

__all__ = ["Add", "Div", "Mul", "Quantity", "Sub", "is_finite_divisor"]

_PRECISION = 120
_EXACT = Context(prec=_PRECISION, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_WHOLE = Context(prec=_PRECISION, traps=[InvalidOperation, DivisionByZero, Overflow])
_Reader: TypeAlias = "Callable[[Raw, list[Issue]], Decimal | None]"


def is_finite_divisor(number: Decimal) -> bool:
    """Whether everything divided by it has an end: no prime factor but 2 and 5."""
    digits = abs(int(number.scaleb(-int(number.as_tuple().exponent))))
    for factor in (2, 5):
        while digits and digits % factor == 0:
            digits //= factor
    return digits == 1


def _number(part: Expression, compiling: Compiling, operation: str) -> _Reader:
    read = part.compiled(compiling)

    def number(raw: Raw, found: list[Issue]) -> Decimal | None:
        value = read(raw, found)
        amount = read_decimal(value)
        if isinstance(amount, str):
            compiling.add(found, compiling.number_issue, value, operation)
            raise Unreadable
        return amount

    return number


def _inverse(part: Expression, number: Decimal) -> Inverse:
    text = format_decimal(number)
    if isinstance(part, Column):
        return (NativeTest(part.name, "number", text),)
    return part.inverse(text) if isinstance(part, _Arithmetic) else None


def _read(value: str) -> Decimal | None:
    number = read_decimal(value)
    return number if isinstance(number, Decimal) else None


class _Arithmetic(Expression):
    __slots__ = ()
    name: ClassVar[str]

    def gives(self) -> Type:
        return Type.NUMBER

    def of(self, numbers: list[Decimal]) -> Decimal:
        raise NotImplementedError

    def compiled(self, compiling: Compiling) -> Evaluator:
        parts = [_number(part, compiling, self.name) for part in self.operands()]

        def evaluate(raw: Raw, found: list[Issue]) -> Decimal | None:
            numbers: list[Decimal] = []
            for part in parts:
                number = part(raw, found)
                if number is None:
                    return None
                numbers.append(number)
            try:
                return self.of(numbers)
            except (Inexact, InvalidOperation, Overflow):
                compiling.add(found, compiling.number_issue, numbers[0], self.name)
                raise Unreadable from None

        return evaluate


@dataclass(frozen=True, slots=True)
class Add(_Arithmetic):
    parts: tuple[Expression, ...]
    name: ClassVar[str] = "add"

    def operands(self) -> tuple[Expression, ...]:
        return self.parts

    def of(self, numbers: list[Decimal]) -> Decimal:
        return reduce(_EXACT.add, numbers)

    def inverse(self, value: str) -> Inverse:
        constants = [number for part in self.parts if isinstance(part, Value) and (number := _read(part.text))]
        others = [part for part in self.parts if not isinstance(part, Value)]
        wanted = _read(value)
        if wanted is None or len(others) != 1:
            return () if wanted is None else None
        return _solved(others[0], lambda: self.of([wanted, *(constant.copy_negate() for constant in constants)]))


@dataclass(frozen=True, slots=True)
class Sub(_Arithmetic):
    """The first less all others."""

    parts: tuple[Expression, ...]
    name: ClassVar[str] = "sub"

    def operands(self) -> tuple[Expression, ...]:
        return self.parts

    def of(self, numbers: list[Decimal]) -> Decimal:
        return reduce(_EXACT.subtract, numbers)


@dataclass(frozen=True, slots=True)
class Mul(_Arithmetic):
    part: Expression
    by: Decimal
    name: ClassVar[str] = "mul"

    def operands(self) -> tuple[Expression, ...]:
        return (self.part,)

    def of(self, numbers: list[Decimal]) -> Decimal:
        return _EXACT.multiply(numbers[0], self.by)

    def inverse(self, value: str) -> Inverse:
        wanted = _read(value)
        return () if wanted is None else _solved(self.part, lambda: _EXACT.divide(wanted, self.by))


@dataclass(frozen=True, slots=True)
class Div(_Arithmetic):
    """Exactly, or rounded half up to so many places."""

    part: Expression
    by: Decimal
    places: int | None
    name: ClassVar[str] = "div"

    def operands(self) -> tuple[Expression, ...]:
        return (self.part,)

    def of(self, numbers: list[Decimal]) -> Decimal:
        if self.places is None:
            return _EXACT.divide(numbers[0], self.by)
        unit = Decimal(1).scaleb(-self.places)
        step = _EXACT.multiply(self.by, unit)
        whole, rest = _WHOLE.divmod(numbers[0], step)
        if _EXACT.multiply(rest.copy_abs(), Decimal(2)) >= step.copy_abs():
            whole = _EXACT.add(whole, Decimal(-1 if (numbers[0] < 0) != (self.by < 0) else 1))
        return _EXACT.multiply(whole, unit)

    def inverse(self, value: str) -> Inverse:
        wanted = _read(value)
        if wanted is None or self.places is not None:
            return () if wanted is None else None
        return _solved(self.part, lambda: _EXACT.multiply(wanted, self.by))


def _solved(part: Expression, solve: Callable[[], Decimal]) -> Inverse:
    try:
        return _inverse(part, solve())
    except (Inexact, InvalidOperation, Overflow):
        return ()  # only a number that no column can hold would give it


@dataclass(frozen=True, slots=True)
class Quantity(Expression):
    """`台式电脑3台` → 3, with the issue that the quantity stands in the name."""

    part: Expression

    def gives(self) -> Type:
        return Type.NUMBER

    def operands(self) -> tuple[Expression, ...]:
        return (self.part,)

    def compiled(self, compiling: Compiling) -> Evaluator:
        part = self.part.compiled(compiling)

        def evaluate(raw: Raw, found: list[Issue]) -> Any:
            text = plain(part(raw, found))
            counted = None if text is None else quantity_in_name(text)
            if counted is None:
                return None
            compiling.add(found, "QUANTITY_IN_NAME", text, "quantity")
            return counted[0]

        return evaluate
