"""Canonical fields inverted: a canonical value becomes a native predicate on the bare column.

A form says, for *regular* rows (`adapters.sql.regular`), exactly what the mapper's reader says of them. Each leaf of a
filter becomes a test's name and native values (`leaf`); the test is written once for its name and number of values
(`test`). What a form cannot say raises `StoreUnsupported`.

    TextForm    a text as it stands                   CodedForm   a code table turned around: lists of native codes
    NumberForm  a number times a unit                 DayForm     a day, by how the store spells it
    KeyForm     a reference to a unit or a warehouse  FixedForm   the same value in every row
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa

from adapters.evaluate import order_value, predicate
from adapters.model import Compare, In, StoreUnsupported, TextContains, TextPrefix, UnderClass
from adapters.sql.columns import NativeColumn
from adapters.sql.regular import regular_text
from adapters.status import ReasonCode
from contract.order import SortValue

__all__ = ["OPERATORS", "Condition", "Expression", "FixedForm", "Form", "Leaf", "NotSorted", "TextForm"]

Leaf: TypeAlias = "Compare | In | TextContains | TextPrefix | UnderClass"
Expression: TypeAlias = "sa.ColumnElement[Any]"
Condition: TypeAlias = "sa.ColumnElement[bool]"


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


class NotSorted:
    """Of fields that rows cannot be sorted by."""

    __slots__ = ()
    name: str

    def ranks(self) -> Sequence[tuple[SortValue, Condition]] | None:
        raise self._no_order()

    def sortable(self) -> Expression:
        raise self._no_order()

    def exact(self, value: SortValue) -> Any:
        raise self._no_order()

    def bound(self, value: SortValue, upward: bool) -> Any:
        raise self._no_order()

    def _no_order(self) -> StoreUnsupported:
        return StoreUnsupported(f"the store cannot sort by {self.name} as the contract does", ReasonCode.ORDER)


OPERATORS: Map[str, Callable[[Any, Any], Condition]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


@dataclass(frozen=True, slots=True)
class FixedForm(NotSorted):
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
                return sa.and_(OPERATORS[name](column.sortable(), params[0]), present)

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
