"""Fields whose native values stand for canonical ones: code tables turned around, and references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import order_value, predicate
from adapters.model import Compare, FieldKind, In, StoreUnsupported
from adapters.sql.columns import ColumnKind, NativeColumn
from adapters.sql.forms import Condition, Expression, Leaf, NotSorted
from adapters.sql.regular import regular_text
from adapters.status import ReasonCode
from contract.order import SortValue

__all__ = ["CodedForm", "KeyForm"]

_CODES_MAX = 400
"""More codes than this make a statement that costs more than it saves."""


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
class KeyForm(NotSorted):
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

    def group(self) -> Expression:
        return self.column.exactly()

    def group_value(self, native: Any) -> Any:
        text = native.decode() if isinstance(native, bytes) else None if native is None else str(native)
        return text if text in self.known else None
