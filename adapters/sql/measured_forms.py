"""Fields that are measured: numbers times a unit, and days in the spelling of the store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import sqlalchemy as sa

from adapters.model import Compare, In, StoreUnsupported
from adapters.sql.columns import ColumnKind, NativeColumn
from adapters.sql.forms import OPERATORS, Condition, Expression, Leaf
from adapters.sql.regular import regular_day, regular_number
from adapters.status import ReasonCode
from contract.order import SortValue

__all__ = ["DayForm", "NumberForm"]

_EXACT_INTEGERS = 2**53


class _Measured:
    """What numbers and days have in common: null where the column is, sorted by the column, never grouped."""

    __slots__ = ()
    name: str
    column: NativeColumn

    @property
    def never_null(self) -> bool:
        return not self.column.nullable

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return None

    def group(self) -> Expression:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")

    def group_value(self, native: Any) -> Any:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")


@dataclass(frozen=True, slots=True)
class NumberForm(_Measured):
    """`factor` times the column. A bound is encoded as the nearest number on the right side of it that the column can
    hold, so that comparing by the store equals comparing the decimals: binary fractions are read by their shortest
    spelling, which is monotonic."""

    name: str
    column: NativeColumn
    factor: Decimal

    def regular(self) -> Condition:
        return regular_number(self.column)

    def null(self) -> Condition:
        return self.column.sql.is_(None)

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        match leaf:
            case Compare(_, "eq", value):
                wanted: Sequence[Any] = [value]
            case In(_, values):
                wanted = values
            case Compare(_, op, value):
                number = self._scaled(value)
                return op, [self._at_least(number) if op in ("gte", "lt") else self._at_most(number)]
            case _:
                raise StoreUnsupported(f"{self.name} is no text", ReasonCode.FIELD)
        natives = [self._exactly(self._scaled(value)) for value in wanted]
        return "in", [native for native in natives if native is not None]

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        return self.column.is_one_of(params) if name == "in" else OPERATORS[name](self.column.sql, params[0])

    def _scaled(self, value: Any) -> Decimal:
        with localcontext() as context:
            context.prec = 120
            wanted = Decimal(value) / self.factor
        if self.column.kind is ColumnKind.FLOAT and abs(wanted) >= _EXACT_INTEGERS:
            raise StoreUnsupported("numbers of this size are compared by scanning", ReasonCode.VALUE)
        return wanted

    def _at_least(self, wanted: Decimal) -> Any:
        if self.column.kind is ColumnKind.DECIMAL:
            return wanted
        if self.column.kind is ColumnKind.INTEGER:
            return self._integer(math.ceil(wanted))
        number = float(wanted)
        return number if Decimal(repr(number)) >= wanted else math.nextafter(number, math.inf)

    def _at_most(self, wanted: Decimal) -> Any:
        if self.column.kind is ColumnKind.DECIMAL:
            return wanted
        if self.column.kind is ColumnKind.INTEGER:
            return self._integer(math.floor(wanted))
        number = float(wanted)
        return number if Decimal(repr(number)) <= wanted else math.nextafter(number, -math.inf)

    def _integer(self, number: int) -> int:
        found = self.column.integer(number)
        if found is None:
            raise StoreUnsupported("numbers of this size are compared by scanning", ReasonCode.VALUE)
        return found

    def _exactly(self, wanted: Decimal) -> Any:
        if self.column.kind is ColumnKind.DECIMAL:
            return wanted
        if self.column.kind is ColumnKind.INTEGER:
            return self.column.integer(int(wanted)) if wanted == wanted.to_integral_value() else None
        number = float(wanted)
        return number if Decimal(repr(number)) == wanted else None

    def sortable(self) -> Expression:
        return self.column.sql

    def exact(self, value: SortValue) -> Any:
        return self._exactly(self._scaled(value))

    def bound(self, value: SortValue, upward: bool) -> Any:
        number = self._scaled(value)
        return self._at_most(number) if upward else self._at_least(number)


@dataclass(frozen=True, slots=True)
class DayForm(_Measured):
    """A day: the engine's own date, an ISO text, `YYYYMMDD`, or a time of day within it."""

    name: str
    column: NativeColumn
    spelling: str
    """`date`, `iso`, `compact` or `moment`."""

    def regular(self) -> Condition:
        return regular_day(self.column, self.spelling)

    def null(self) -> Condition:
        return self.column.sql.is_(None)

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        match leaf:
            case Compare(_, "eq", value):
                return self._equal([str(value)])
            case In(_, values):
                return self._equal(values)
            case Compare(_, op, value):
                if self.spelling == "moment":
                    next_day = op in ("gt", "lte")
                    return {"gt": "gte", "lte": "lt"}.get(op, op), [self._start(str(value), int(next_day))]
                return op, [self._native(str(value))]
            case _:
                raise StoreUnsupported(f"{self.name} is no text", ReasonCode.FIELD)

    def _equal(self, days: Sequence[str]) -> tuple[str, list[Any]]:
        valid = [day for day in dict.fromkeys(days) if _is_day(day)]
        if self.spelling == "moment":
            return "within", [self._start(day, more) for day in valid for more in (0, 1)]
        return "in", [self._native(day) for day in valid]

    def _native(self, day: str) -> Any:
        if not _is_day(day):
            raise StoreUnsupported("this is no day of the calendar", ReasonCode.VALUE)
        if self.spelling == "date" and self.column.engine != "sqlite":
            return date.fromisoformat(day)
        if self.spelling == "compact":
            text = day.replace("-", "")
            return text if self.column.kind is ColumnKind.TEXT else int(text)
        return day

    def _start(self, day: str, more: int) -> datetime:
        if not _is_day(day) or day >= "9999-12-30":
            raise StoreUnsupported("this day is compared by scanning", ReasonCode.VALUE)
        return datetime.combine(date.fromisoformat(day) + timedelta(days=more), datetime.min.time())

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        if name == "in":
            return self.column.is_one_of(params)
        if name == "within":
            spans = zip(params[::2], params[1::2], strict=True)
            return sa.or_(
                sa.false(), *(sa.and_(self.column.sql >= start, self.column.sql < end) for start, end in spans)
            )
        return OPERATORS[name](self.column.sortable(), params[0])

    def sortable(self) -> Expression:
        if self.spelling == "moment":
            return sa.cast(self.column.sql, sa.Date)
        return self.column.sortable()

    def exact(self, value: SortValue) -> Any:
        if self.spelling == "moment" and _is_day(str(value)):
            return date.fromisoformat(str(value))
        return self._native(str(value))

    def bound(self, value: SortValue, upward: bool) -> Any:
        return self.exact(value)


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
