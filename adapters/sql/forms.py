"""Canonical fields inverted: a canonical value becomes a native predicate on the bare column.

A form says, for *regular* rows (`adapters.sql.regular`), exactly what the mapper's reader says of them. Each leaf of a
filter becomes a test's name and native values (`leaf`); the test is written once for its name and number of values
(`test`). What a form cannot say raises `StoreUnsupported`.

    TextForm    a text as it stands                   CodedForm   a code table turned around: lists of native codes
    NumberForm  a number times a unit                 DayForm     a day, by how the store spells it
    KeyForm     a reference to a unit or a warehouse  FixedForm   the same value in every row
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import order_value, predicate
from adapters.model import Compare, FieldKind, In, StoreUnsupported, TextContains, TextPrefix, UnderClass
from adapters.sql.columns import ColumnKind, NativeColumn
from adapters.sql.regular import regular_day, regular_number, regular_text
from adapters.status import ReasonCode
from contract.order import SortValue

__all__ = ["CodedForm", "DayForm", "FixedForm", "Form", "KeyForm", "Leaf", "NumberForm", "TextForm"]

Leaf: TypeAlias = "Compare | In | TextContains | TextPrefix | UnderClass"
Expression: TypeAlias = "sa.ColumnElement[Any]"
Condition: TypeAlias = "sa.ColumnElement[bool]"
_EXACT_INTEGERS = 2**53
_CODES_MAX = 400
"""More codes than this make a statement that costs more than it saves."""


class Form(Protocol):
    @property
    def name(self) -> str: ...

    def regular(self) -> Condition:
        """Which rows this form speaks of."""

    def null(self) -> Condition:
        """Where the canonical value is null."""

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]: ...

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        """True only of rows whose value is not null."""

    @property
    def never_null(self) -> bool: ...

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        """Of a field with few values: each value's sort value and its rows; None: the column itself is sorted by."""

    def sortable(self) -> Expression:
        """What sorts as the contract asks; null where the value is."""

    def exact(self, value: SortValue) -> Any:
        """The sort value as `sortable` has it; None: no row has it."""

    def bound(self, value: SortValue, upward: bool) -> Any:
        """What every row beyond the sort value lies strictly beyond, and no other."""

    def group(self) -> Expression: ...

    def group_value(self, native: Any) -> Any:
        """The canonical value of a group's native one."""


def _no_order(name: str) -> StoreUnsupported:
    return StoreUnsupported(f"the store cannot sort by {name} as the contract does", ReasonCode.ORDER)


_OPERATORS: Map[str, Callable[[Any, Any], Condition]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


@dataclass(frozen=True, slots=True)
class FixedForm:
    name: str
    value: Any

    def regular(self) -> Condition:
        return sa.true()

    def null(self) -> Condition:
        return sa.true() if self.value is None else sa.false()

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        return ("always" if predicate(leaf)({self.name: self.value}) else "never"), []

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        return sa.true() if name == "always" else sa.false()

    @property
    def never_null(self) -> bool:
        return self.value is not None

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return [] if self.value is None else [(order_value(self.name, {self.name: self.value}), sa.true())]

    def sortable(self) -> Expression:
        raise _no_order(self.name)

    def exact(self, value: SortValue) -> Any:
        raise _no_order(self.name)

    def bound(self, value: SortValue, upward: bool) -> Any:
        raise _no_order(self.name)

    def group(self) -> Expression:
        return sa.null()

    def group_value(self, native: Any) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class TextForm:
    name: str
    column: NativeColumn
    empty: tuple[str, ...] = ()
    width: bool = False
    mojibake: bool = False

    def regular(self) -> Condition:
        return regular_text(self.column, width=self.width, mojibake=self.mojibake)

    def null(self) -> Condition:
        column = self.column
        return sa.or_(column.sql.is_(None), column.is_one_of(column.literals(["", *self.empty])))

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        match leaf:
            case Compare(_, "eq", value):
                return "in", self._values([str(value)])
            case In(_, values):
                return "in", self._values(values)
            case Compare(_, op, value):
                return op, [self.column.text_bound(str(value))]
            case TextContains(_, value):
                return "contains", [self._part(value)]
            case TextPrefix(_, value):
                return self._prefix(self._part(value))
            case _:
                raise StoreUnsupported(f"{self.name} is no class")

    def _values(self, texts: Sequence[str]) -> list[Any]:
        values = [self.column.text_value(text) for text in dict.fromkeys(texts) if text not in self.empty]
        return [value for value in values if value is not None]

    def _part(self, text: str) -> str:
        if "\x00" in text:
            raise StoreUnsupported("a text with NUL is compared by scanning", ReasonCode.VALUE)
        return text

    def _prefix(self, text: str) -> tuple[str, list[Any]]:
        end = _after_prefix(text)
        if self.column.ordered and end is not None:
            self.column.text_bound(text)
            return "from_to", [text, end]
        return "starts", [text]

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        column, present = self.column, sa.not_(self.null())
        match name:
            case "in":
                return column.is_one_of(params)
            case "contains":
                return sa.and_(present, self._find(params[0]) > sa.literal_column("0"))
            case "starts":
                return sa.and_(present, self._find(params[0]) == sa.literal_column("1"))
            case "from_to":
                return sa.and_(column.sql >= params[0], column.sql < params[1], present)
            case _:
                return sa.and_(_OPERATORS[name](column.sortable(), params[0]), present)

    def _find(self, part: Expression) -> Expression:
        """Where `part` begins, from 1; 0: nowhere."""
        if self.column.engine == "postgresql":
            return sa.func.strpos(self.column.sql, sa.cast(part, sa.Text))
        if self.column.engine == "sqlite":
            return sa.func.instr(self.column.sql, part)
        return sa.func.locate(part, self.column.as_bytes())

    @property
    def never_null(self) -> bool:
        return False  # an empty text is null too

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return None

    def sortable(self) -> Expression:
        return self.column.sortable()

    def exact(self, value: SortValue) -> Any:
        return self.column.text_bound(str(value))

    def bound(self, value: SortValue, upward: bool) -> Any:
        return self.column.text_bound(str(value))

    def group(self) -> Expression:
        return self.column.exactly()

    def group_value(self, native: Any) -> Any:
        return None if native is None or native == "" or native in self.empty else native


def _after_prefix(text: str) -> str | None:
    """The least text beyond all that begin so; None: there is none that could be said."""
    if not text or ord(text[-1]) >= 0xD7FF:  # surrogates come next, and are no text
        return None
    return text[:-1] + chr(ord(text[-1]) + 1)


@dataclass(frozen=True, slots=True)
class CodedForm:
    """A field whose native values stand for canonical ones; every other native value is null (UNKNOWN_CODE)."""

    name: str
    column: NativeColumn
    table: Map[str, Any]
    """The text of a native value → the canonical value."""

    def __post_init__(self) -> None:
        if len(self.table) > _CODES_MAX:
            raise StoreUnsupported(f"{self.name} has more than {_CODES_MAX} codes", ReasonCode.FIELD)

    def regular(self) -> Condition:
        column = self.column
        if column.kind is ColumnKind.TEXT:
            known = column.literals(self._natives(lambda value: True))
            return sa.or_(regular_text(column, width=True), column.is_spelled(known))
        if column.engine == "sqlite":
            return sa.func.typeof(column.sql).in_(["integer", "null"])
        return sa.true()

    def _natives(self, wanted: Callable[[Any], bool]) -> list[Any]:
        values = [self.column.code_value(code) for code, value in self.table.items() if wanted(value)]
        return [value for value in values if value is not None]

    def null(self) -> Condition:
        known = self.column.is_one_of(self.column.literals(self._natives(lambda value: value is not None)))
        return sa.not_(sa.func.coalesce(known, sa.false()))

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        keep = predicate(leaf)
        if CANONICAL_FIELDS[self.name].kind is FieldKind.BOOLEAN and keep({self.name: False}):
            return ("any", []) if keep({self.name: True}) else ("not_in", self._natives(bool))
        return "in", self._natives(lambda value: keep({self.name: value}))

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        if name == "any":
            return sa.true()
        found = self.column.is_one_of(params)
        return found if name == "in" else sa.not_(sa.func.coalesce(found, sa.false()))

    @property
    def never_null(self) -> bool:
        return False

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return [(rank, self.column.is_one_of(self.column.literals(natives))) for rank, natives in self._ranked()]

    def _ranked(self) -> list[tuple[SortValue, list[Any]]]:
        ranks = {
            order_value(self.name, {self.name: value}): value for value in self.table.values() if value is not None
        }
        found = [(rank, self._natives(lambda value, wanted=value: value == wanted)) for rank, value in ranks.items()]  # type: ignore[misc]
        return sorted(((rank, natives) for rank, natives in found if natives), key=lambda pair: pair[0])  # type: ignore[arg-type,return-value]

    def sortable(self) -> Expression:
        ranks = [self.column.is_one_of(self.column.literals(natives)) for _, natives in self._ranked()]
        places: list[tuple[Condition, Expression]] = [
            (condition, sa.literal_column(str(place))) for place, condition in enumerate(ranks)
        ]
        return sa.case(*places, else_=sa.null()) if places else sa.null()

    def exact(self, value: SortValue) -> Any:
        return next((place for place, (rank, _) in enumerate(self._ranked()) if rank == value), None)

    def bound(self, value: SortValue, upward: bool) -> Any:
        """The place of the last value that is not beyond."""
        ranks = [rank for rank, _ in self._ranked()]
        if upward:
            return sum(rank <= value for rank in ranks) - 1  # type: ignore[operator]
        return sum(rank < value for rank in ranks)  # type: ignore[operator]

    def group(self) -> Expression:
        return self.column.exactly()

    def group_value(self, native: Any) -> Any:
        missing = False if CANONICAL_FIELDS[self.name].kind is FieldKind.BOOLEAN else None
        if native is None:
            return missing
        text = (
            native.decode() if isinstance(native, bytes) else str(int(native) if isinstance(native, bool) else native)
        )
        return self.table.get(text, missing)


@dataclass(frozen=True, slots=True)
class KeyForm:
    """A reference: null where it names no unit (or warehouse) that the store has."""

    name: str
    column: NativeColumn
    known: Map[str, Any]

    def regular(self) -> Condition:
        return CodedForm(self.name, self.column, {}).regular()

    def null(self) -> Condition:
        if len(self.known) > _CODES_MAX:
            raise StoreUnsupported(f"more than {_CODES_MAX} rows may be named by {self.name}", ReasonCode.FIELD)
        return CodedForm(self.name, self.column, dict.fromkeys(self.known, "")).null()

    def leaf(self, leaf: Leaf) -> tuple[str, list[Any]]:
        match leaf:
            case Compare(_, "eq", value):
                wanted: Sequence[str] = [str(value)]
            case In(_, values):
                wanted = values
            case _:
                raise StoreUnsupported(f"{self.name} is compared whole", ReasonCode.FIELD)
        natives = [self.column.code_value(value) for value in dict.fromkeys(wanted) if value in self.known]
        return "in", [native for native in natives if native is not None]

    def test(self, name: str, params: Sequence[Expression]) -> Condition:
        return self.column.is_one_of(params)

    @property
    def never_null(self) -> bool:
        return False

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        raise _no_order(self.name)

    def sortable(self) -> Expression:
        raise _no_order(self.name)

    def exact(self, value: SortValue) -> Any:
        raise _no_order(self.name)

    def bound(self, value: SortValue, upward: bool) -> Any:
        raise _no_order(self.name)

    def group(self) -> Expression:
        return self.column.exactly()

    def group_value(self, native: Any) -> Any:
        text = native.decode() if isinstance(native, bytes) else None if native is None else str(native)
        return text if text in self.known else None


@dataclass(frozen=True, slots=True)
class NumberForm:
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
        return self.column.is_one_of(params) if name == "in" else _OPERATORS[name](self.column.sql, params[0])

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

    @property
    def never_null(self) -> bool:
        return not self.column.nullable

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return None

    def sortable(self) -> Expression:
        return self.column.sql

    def exact(self, value: SortValue) -> Any:
        return self._exactly(self._scaled(value))

    def bound(self, value: SortValue, upward: bool) -> Any:
        number = self._scaled(value)
        return self._at_most(number) if upward else self._at_least(number)

    def group(self) -> Expression:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")

    def group_value(self, native: Any) -> Any:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")


@dataclass(frozen=True, slots=True)
class DayForm:
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
        return _OPERATORS[name](self.column.sortable(), params[0])

    @property
    def never_null(self) -> bool:
        return not self.column.nullable

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        return None

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

    def group(self) -> Expression:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")

    def group_value(self, native: Any) -> Any:
        raise StoreUnsupported(f"rows cannot be grouped by {self.name!r}")


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
